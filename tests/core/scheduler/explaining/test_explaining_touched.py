"""Explain a pause within which something else was done to its task: the whole of it is told all the same."""

from __future__ import annotations

from typing import Any

import pytest
from declaring import Declaring
from explaining import answer, explained, started

from framework import Result
from modules.core.scheduler import declare_function, declare_task

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
HOUR = 3600.0
BEFORE = "paused from Mon 2026-01-05 12:00:00 UTC until Mon 2026-01-05 12:30:00 UTC: too loud"
AFTER = "paused from Mon 2026-01-05 12:30:00 UTC until Mon 2026-01-05 14:00:00 UTC: too loud"


async def bounded(node: Any, task_id: str) -> None:
    (await node.scheduler.run_until(task_id, "2026-02-01")).unwrap()


async def backfilled(node: Any, task_id: str) -> None:
    (await node.scheduler.backfill(task_id, "2026-01-05T12:10", "2026-01-05T12:10")).unwrap()


async def skipped(node: Any, task_id: str) -> None:
    (await node.scheduler.skip_next(task_id)).unwrap()


async def shifted(node: Any, task_id: str) -> None:
    (await node.scheduler.shift_next(task_id, "2026-01-05T15:30")).unwrap()


async def given_another_calendar(node: Any, task_id: str) -> None:
    node.scheduler.register_calendar("acme.test", "holidays", {"dates": ["12-24"]})
    assert (await node.scheduler.apply_calendars()).unwrap() == {"tasks": 1}


@pytest.mark.parametrize("deed", [bounded, backfilled, skipped, shifted, given_another_calendar])
async def test_what_is_done_to_a_paused_task_does_not_hide_its_pause(start_node: Any, deed: Any) -> None:
    node = await started(start_node)
    node.scheduler.register_calendar("acme.test", "holidays", {"dates": ["12-25"]})
    task_id = await node.add_every(HOUR / 6, calendars=["holidays"])
    (await node.scheduler.pause_task(task_id, "too loud")).unwrap()
    node.clock.advance(0.5 * HOUR)
    await deed(node, task_id)
    node.clock.advance(1.5 * HOUR)
    (await node.scheduler.resume_task(task_id)).unwrap()

    told = [await explained(node, task_id, at=f"2026-01-05T{at}") for at in ("12:20", "13:20")]

    assert [answer(each) for each in told] == [("did_not_run", "paused")] * 2
    assert BEFORE in told[0]["verdict"]
    assert AFTER in told[1]["verdict"]


async def test_retrying_within_a_pause_does_not_hide_it(start_node: Any) -> None:
    node = await started(start_node)
    node.register("fail", lambda: Result.error("NO", "no"))
    task_id = await node.add_every(HOUR / 3, "fail")
    await node.pass_time(HOUR / 3)
    (failed,) = await node.history(task_id)
    (await node.scheduler.pause_task(task_id, "too loud")).unwrap()
    node.clock.advance(0.5 * HOUR)
    (await node.scheduler.retry_execution(failed["id"])).unwrap()
    node.clock.advance(HOUR)
    (await node.scheduler.resume_task(task_id)).unwrap()

    told = await explained(node, task_id, at="2026-01-05T13:00")

    assert answer(told) == ("did_not_run", "paused")
    assert "paused from Mon 2026-01-05 12:20:00 UTC until Mon 2026-01-05 13:50:00 UTC: too loud" in told["verdict"]


async def test_a_paused_task_that_code_takes_over_was_paused_all_the_same(start_node: Any) -> None:
    def declare(app_context: Any) -> None:
        declare_function(app_context, "work", lambda: None)
        declare_task(app_context, {"name": "tidy", "function_name": "work", "delay": HOUR})

    node = await started(start_node)
    node.scheduler.register_function("acme.declaring", "work", lambda: None)
    named = {"name": "tidy", "key": "tidy", "module_id": "acme.declaring", "owner": "code"}
    task_id = await node.add("work", **named, delay=HOUR)
    (await node.scheduler.pause_task(task_id, "too loud")).unwrap()
    node.clock.advance(2 * HOUR)
    after = await start_node(modules=["core.scheduler", Declaring(declare)])
    node.clock.advance(HOUR)
    (await after.scheduler.resume_task(task_id)).unwrap()
    await after.scheduler.run_due()

    told = await explained(after, task_id, at="2026-01-05T13:00")

    assert answer(told) == ("ran", None)
    assert BEFORE.replace("12:30", "14:00") in told["verdict"]
    assert "paused from Mon 2026-01-05 14:00:00 UTC until Mon 2026-01-05 15:00:00 UTC: too loud" in told["verdict"]
