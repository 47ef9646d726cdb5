"""Ticks from outside are enough: with no process that stays, nothing that was due between two of them is lost."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from framework import Application
from framework.testing import FakeClock
from modules.core.scheduler import SchedulerService

MINUTES = 60
EVERY_TEN_MINUTES = {"recurring": True, "interval_type": "minutes", "interval_value": 10}


class Timer:
    """Starts a scheduler for each tick, and stops it again."""

    def __init__(self, url: str, folder: Path) -> None:
        own = {"database_url": url, "data_dir": str(folder / "data")}
        self.settings: dict[str, Any] = {"framework": own, "core.scheduler": {"enabled": False, "timezone": "UTC"}}
        self.clock = FakeClock()
        self.runs: list[Any] = []

    async def __call__(self, *configs: dict[str, Any]) -> int:
        """Schedule the tasks, then do what is due; return how many executions ended."""
        async with Application(["core.scheduler"], self.settings, self.clock) as app_context:
            scheduler = app_context.get_service(SchedulerService)
            scheduler.register_function("acme.test", "note", self._note)
            named = {"module_id": "acme.test", "function_name": "note"}
            (await scheduler.schedule_tasks([{**named, **config} for config in configs])).unwrap()
            return await scheduler.tick()

    async def _note(self, parameters: dict[str, Any]) -> None:
        self.runs.append(parameters)

    async def history(self) -> list[dict[str, Any]]:
        async with Application(["core.scheduler"], self.settings, self.clock).open() as app_context:
            page = await app_context.get_service(SchedulerService).get_executions(limit=500)
            return [each for each in page.unwrap()["executions"][::-1] if each["task_id"]]


@pytest.fixture
def timer(sqlite_url: str, tmp_path: Path) -> Timer:
    return Timer(sqlite_url, tmp_path)


async def test_every_occurrence_of_the_hours_between_two_ticks_runs(timer: Timer) -> None:
    await timer({"name": "All", "catch_up": "all", **EVERY_TEN_MINUTES})
    already = len(timer.runs)

    for _ in range(3):
        timer.clock.advance(65 * MINUTES)
        await timer()

    assert len(timer.runs) - already == 3 * 65 // 10


async def test_what_is_made_up_for_by_one_run_is_counted(timer: Timer) -> None:
    await timer({"name": "Latest", **EVERY_TEN_MINUTES})
    already = len(timer.runs)

    for _ in range(2):
        timer.clock.advance(90 * MINUTES)
        assert await timer() == 1

    assert len(timer.runs) - already == 2
    assert sum(1 + each["missed_count"] for each in await timer.history()) - already == 2 * 90 // 10


async def test_a_task_for_once_runs_at_the_first_tick_after_its_time(timer: Timer) -> None:
    at = timer.clock.now() + timedelta(minutes=61)
    await timer({"name": "Once", "schedule_time": at})

    ended = []
    for _ in range(4):
        timer.clock.advance(60 * MINUTES)
        ended.append(await timer())

    assert ended == [0, 1, 0, 0]


async def test_a_retry_waits_for_the_tick_after_its_pause(timer: Timer) -> None:
    failing = timer._note

    async def fails_once(parameters: dict[str, Any]) -> None:
        await failing(parameters)
        if len(timer.runs) == 1:
            raise ValueError("no ink")

    timer._note = fails_once  # type: ignore[method-assign]
    await timer({"name": "Retried", "schedule_time": "now", "max_retries": 1, "retry_delay": "30 minutes"})

    timer.clock.advance(60 * MINUTES)
    await timer()

    assert [each["state"] for each in await timer.history()] == ["failed", "succeeded"]
