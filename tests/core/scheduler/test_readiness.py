"""Over HTTP a scheduler is ready as long as its loop turns; a process whose loop has stopped is alive and not ready."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from shopping import Street

from framework.web.assembling import open_paths, web_application
from framework.web.guard import guarded
from framework.web.rules import Rules


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # where a turn can be held up from outside
async def test_a_loop_that_has_stopped_for_thirty_seconds_is_alive_and_not_ready(start_node: Any) -> None:
    node = await start_node(enabled=True)
    app = web_application(node.app_context)
    street = Street(node.app_context, guarded(app, Rules(node.app_context, open_paths(app))))
    before = await street.ask("GET", "/health/ready")

    held, go_on = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()
    holding = asyncio.create_task(
        node.app_context.database.write(lambda _: (loop.call_soon_threadsafe(held.set), go_on.wait()))
    )
    await held.wait()
    node.clock.advance(31)
    stuck = {path: await street.ask("GET", f"/health/{path}") for path in ("live", "ready", "started")}
    go_on.set()
    await holding
    while (after := await street.ask("GET", "/health/ready")).status_code != 200:
        pass

    assert (before.status_code, after.json()) == (200, {"status": "ready"})
    assert {path: answer.status_code for path, answer in stuck.items()} == {"live": 200, "ready": 503, "started": 200}
    assert stuck["ready"].json()["detail"] == "unhealthy: core.scheduler"
    assert stuck["ready"].json()["details"]["core.scheduler"]["code"] == "LOOP_STUCK"
