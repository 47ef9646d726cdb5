"""Restarting: an application that has stopped and starts anew shows what it showed, and goes on where it was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from lives import Life, lives

from framework import AppContext
from framework.testing import FakeClock
from modules.core.scheduler import SchedulerService

MODULE = "acme.test"
HOUR = 3600.0
RETRY_DELAY = 60.0


@pytest.fixture
def life(database_url: str, tmp_path: Path, clock: FakeClock) -> Life:
    """Lives of an application on one database."""
    return lives(database_url, tmp_path, clock)


def service_of(app_context: AppContext) -> SchedulerService:
    """Return the scheduler, with the functions of the test: `work` succeeds, `fail` does not."""
    service = app_context.get_service(SchedulerService)

    async def fail(parameters: dict[str, Any]) -> None:
        raise LookupError("no such thing")

    async def work(parameters: dict[str, Any]) -> str:
        return "done"

    service.register_function(MODULE, "fail", fail)
    service.register_function(MODULE, "work", work)
    return service


async def schedule(service: SchedulerService, name: str, function_name: str = "work", **config: Any) -> str:
    """Schedule a task and return its id."""
    named = {"name": name, "module_id": MODULE, "function_name": function_name}
    return str((await service.schedule_task({**named, **config})).unwrap()["task_id"])


async def one_in_every_status(service: SchedulerService) -> dict[str, str]:
    """Schedule and drive one task into each status; return their ids by status."""
    hourly: dict[str, Any] = {"recurring": True, "interval_type": "hours", "interval_value": 1}
    retrying: dict[str, Any] = {"max_retries": 3, "retry_delay": RETRY_DELAY, "retry_jitter": 0}
    ids = {
        "pending": await schedule(service, "waits", **hourly, tags=["a", "b"], parameters={"ä": [1, 2.5, None]}),
        "running": await schedule(service, "retries", "fail", schedule_time="now", **retrying),
        "paused": await schedule(service, "rests", cron="*/5 * * * *", timezone="Europe/Berlin"),
        "completed": await schedule(service, "is done", schedule_time="now"),
        "failed": await schedule(service, "is broken", "fail", schedule_time="now"),
        "cancelled": await schedule(service, "is not wanted", delay="1 day"),
    }
    (await service.pause_task(ids["paused"], "lunch")).unwrap()
    (await service.cancel_task(ids["cancelled"])).unwrap()
    await service.run_due()
    return ids


async def shown(service: SchedulerService) -> bytes:
    """Return all that lists tell, to the last byte."""
    tasks = (await service.list_tasks(limit=100)).unwrap()
    history = (await service.get_executions(limit=100)).unwrap()
    return repr((tasks, history)).encode()


async def states(service: SchedulerService, task_id: str) -> list[str]:
    """Return the states of a task's executions, oldest first."""
    rows = (await service.get_executions(task_id)).unwrap()["executions"]
    return [row["state"] for row in reversed(rows)]


async def test_a_restart_changes_no_byte_of_what_is_shown(life: Life, clock: FakeClock) -> None:
    async with life() as app_context:
        service = service_of(app_context)
        ids = await one_in_every_status(service)
        statuses = {status: (await service.get_task(ids[status])).unwrap()["status"] for status in ids}
        before = await shown(service)

    clock.advance(1)
    async with life() as app_context:
        after = await shown(service_of(app_context))

    assert statuses == {status: status for status in ids}
    assert after == before


async def test_a_retry_that_waits_survives_a_restart_and_runs_at_its_time(life: Life, clock: FakeClock) -> None:
    async with life() as app_context:
        ids = await one_in_every_status(service_of(app_context))

    async with life() as app_context:
        service = service_of(app_context)
        clock.advance(RETRY_DELAY - 1)
        await service.run_due()
        too_early = await states(service, ids["running"])
        clock.advance(1)
        await service.run_due()
        in_time = await states(service, ids["running"])

    assert too_early == ["failed", "pending"]
    assert in_time == ["failed", "failed", "pending"]


async def test_an_execution_that_waits_survives_a_restart_and_runs_once(life: Life, clock: FakeClock) -> None:
    async with life() as app_context:
        service = service_of(app_context)
        task_id = await schedule(service, "asked for", delay="1 day")
        asked = (await service.execute_task(task_id)).unwrap()["execution_id"]

    async with life() as app_context:
        service = service_of(app_context)
        waiting = (await service.get_execution(asked)).unwrap()["state"]
        await service.run_due()
        ran = (await service.get_execution(asked)).unwrap()

    assert waiting == "pending"
    assert (ran["state"], ran["attempt"], ran["origin"]) == ("succeeded", 1, "manual")


async def test_what_became_due_while_nothing_ran_is_done_after_the_restart(life: Life, clock: FakeClock) -> None:
    async with life() as app_context:
        service = service_of(app_context)
        ids = await one_in_every_status(service)
        later = await schedule(service, "later", delay=HOUR)

    clock.advance(3 * HOUR)
    async with life() as app_context:
        service = service_of(app_context)
        await service.run_due()
        ran = [await states(service, each) for each in (later, ids["pending"])]
        rested = [await states(service, ids[status]) for status in ("paused", "cancelled")]
        (row,) = (await service.get_executions(ids["pending"])).unwrap()["executions"]

    assert ran == [["succeeded"], ["succeeded"]]
    assert rested == [[], []]
    assert row["missed_count"] == 2
