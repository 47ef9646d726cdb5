"""An alert reaches the log, a command or nobody at all, and what could never reach anybody is refused at the start."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from framework import Application, SettingsError
from framework.testing import FakeClock

only_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


async def fails(node: Any, times: int = 1) -> None:
    """Let a task fail so often, and look each time."""
    node.register("fail", lambda: 1 / 0)
    for _ in range(times):
        await node.add("fail")
        await node.scheduler.run_due()
        await node.scheduler.lookout.look()


@only_sqlite
async def test_every_alert_is_a_line_of_the_log(start_node: Any, caplog: Any) -> None:
    node = await start_node(alerts=[{"name": "on call"}])

    await fails(node, 3)

    lines = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert lines == ["alert on call: fail failed for good: ZeroDivisionError: division by zero"]


@only_sqlite
async def test_a_command_is_given_the_alert_where_commands_are_allowed(start_node: Any, tmp_path: Path) -> None:
    told = tmp_path / "told"
    alert = {"name": "on call", "command": f"cat > {told}"}
    node = await start_node(alerts=[alert], allow_commands=True)

    await fails(node)

    assert '"text":"fail failed for good: ZeroDivisionError: division by zero"' in told.read_text()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"alerts": [{"name": "a", "command": "true"}]}, "CORE_SCHEDULER_ALLOW_COMMANDS is not true"),
        ({"alerts": [{"name": "a", "webhook": "https://x.example/"}]}, "x.example is not among the hosts"),
        ({"heartbeat_url": "https://x.example/"}, "CORE_SCHEDULER_HEARTBEAT_URL cannot be called"),
        ({"alerts": [{"name": "a"}, {"name": "a"}]}, "two alerts have the same name"),
        ({"alerts": [{"name": "a", "on": ["boredom"]}]}, "boredom"),
    ],
)
async def test_what_could_never_be_told_is_refused_at_the_start(settings: Any, message: str, tmp_path: Path) -> None:
    tables = {"framework": {"data_dir": str(tmp_path)}, "core.scheduler": settings}

    async def start() -> str:
        async with Application(["core.scheduler"], tables, clock=FakeClock()) as app_context:
            return str(await app_context.health())

    try:
        said = await start()
    except SettingsError as error:
        said = str(error)

    assert message in said
