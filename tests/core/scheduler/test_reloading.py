"""How much runs at once can be changed without a restart."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from framework import Application
from framework.testing import FakeClock
from modules.core.scheduler import SchedulerService

TOML = '["core.scheduler"]\nmax_concurrent_tasks = {number}\n'


async def test_a_changed_concurrency_applies_to_the_next_turn(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "settings").mkdir()
    file = tmp_path / "settings" / "local.toml"
    file.write_text(TOML.format(number=1))
    given = {"framework": {"database_url": sqlite_url}, "core.scheduler": {"enabled": False}}
    may_end = asyncio.Event()

    async with (application := Application(["core.scheduler"], given, FakeClock())) as app_context:
        scheduler = app_context.get_service(SchedulerService)
        scheduler.register_function("acme.test", "wait", may_end.wait)
        config = {"name": "Wait", "module_id": "acme.test", "function_name": "wait", "schedule_time": "now"}
        (await scheduler.schedule_tasks([config] * 5)).unwrap()

        await scheduler.turn()
        assert await running(scheduler) == 1

        file.write_text(TOML.format(number=3))
        assert application.reload().taken == {"core.scheduler": ["max_concurrent_tasks"]}
        await scheduler.turn()
        assert await running(scheduler) == 3

        file.write_text(TOML.format(number=1))
        application.reload()
        await scheduler.turn()
        assert await running(scheduler) == 3  # what runs goes on
        may_end.set()
        await scheduler.run_due()


async def running(scheduler: SchedulerService) -> int:
    return int((await scheduler.status()).unwrap()["running"])
