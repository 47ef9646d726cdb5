"""Plan and apply show what a calendar that has changed does to next times."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from declaring import Declaring

from framework import AppContext, Application
from framework.testing import FakeClock
from modules.core.scheduler import SchedulerService, declare_function, declare_task
from modules.core.scheduler.declarations import hand_over_functions
from modules.core.scheduler.showing.plan import has_difference, plan_lines

MODULE = "acme.declaring"
BEFORE, AFTER = {"dates": ["2026-01-06"]}, {"dates": ["2026-01-07", "2026-01-09"]}
RUNTIME = {"name": "by hand", "module_id": MODULE, "function_name": "work", "cron": "0 9 * * *"}


async def work() -> None: ...


def declare(app_context: AppContext) -> None:
    declare_function(app_context, "work", work)
    for name in ("report", "other"):
        calendars = ["maint"] if name == "report" else []
        declare_task(app_context, {"name": name, "function_name": "work", "cron": "0 9 * * *", "calendars": calendars})


def make(database_url: str, folder: Path, calendar: dict[str, Any]) -> Application:
    framework = {"database_url": database_url, "data_dir": str(folder)}
    scheduler = {"enabled": False, "timezone": "UTC", "calendars": {"maint": calendar}}
    settings = {"framework": framework, "core.scheduler": scheduler}
    return Application(modules=["core.scheduler", Declaring(declare, None)], settings=settings, clock=FakeClock())


async def test_a_plan_shows_the_calendar_and_the_next_times_that_move(database_url: str, tmp_path: Path) -> None:
    async with make(database_url, tmp_path, BEFORE) as app_context:
        scheduler = app_context.get_service(SchedulerService)
        (await scheduler.schedule_task({**RUNTIME, "calendars": ["maint"]})).unwrap()
        (await scheduler.schedule_task({**RUNTIME, "name": "unmoved"})).unwrap()

    async with make(database_url, tmp_path, AFTER).open() as app_context:
        scheduler = app_context.get_service(SchedulerService)
        hand_over_functions(app_context, scheduler)
        plan = (await scheduler.plan_declared()).unwrap()
        applied = (await scheduler.apply_declared(plan["seen"])).unwrap()
        listed = (await scheduler.list_tasks(module_id=MODULE)).unwrap()["tasks"]
        left = (await scheduler.plan_declared()).unwrap()

    changed = {each["name"]: each for each in plan["differences"] if each["action"] == "change"}
    assert set(changed) == {"maint", "report", "by hand"}
    assert changed["maint"]["changes"]["dates"] == {"before": BEFORE["dates"], "after": AFTER["dates"]}
    assert "~ calendar maint of core.scheduler: 2 tasks carry it" in plan_lines(plan)
    assert plan["counts"]["change"] == applied["counts"]["change"] == 3
    assert has_difference(plan)
    assert not has_difference(left)
    moved = {task["name"]: task["next_execution"] for task in listed}
    for name in ("report", "by hand"):
        assert changed[name]["next_before"][0] != changed[name]["next_after"][0] == moved[name]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_plan_that_does_not_show_the_calendar_of_today_is_not_applied(
    database_url: str, tmp_path: Path
) -> None:
    async with make(database_url, tmp_path, BEFORE):
        pass
    async with make(database_url, tmp_path, BEFORE).open() as app_context:
        seen = (await app_context.get_service(SchedulerService).plan_declared()).unwrap()["seen"]

    async with make(database_url, tmp_path, AFTER).open() as app_context:
        refused = await app_context.get_service(SchedulerService).apply_declared(seen)

    assert refused.error is not None
    assert refused.error.code == "PLAN_CHANGED"
