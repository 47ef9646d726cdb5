"""An end given by hand: the trigger keeps its phase, and the end can be taken away again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

HOUR = 3600.0


def hours(node: Any, count: float) -> Any:
    return node.clock.now() + timedelta(hours=count)


async def test_a_task_runs_until_its_end_which_counts_and_is_completed(node: Any) -> None:
    task_id, start = await node.add_every(HOUR), node.clock.now()

    told = (await node.scheduler.run_until(task_id, hours(node, 2))).unwrap()
    for _ in range(4):
        await node.pass_time(HOUR)

    assert told["upcoming"] == [start + timedelta(hours=1), start + timedelta(hours=2)]
    assert [row["scheduled_for"] for row in await node.history(task_id)] == told["upcoming"]
    assert (await node.task(task_id))["status"] == "completed"


async def test_taken_away_the_task_goes_on_in_phase(node: Any) -> None:
    task_id, start = await node.add_every(HOUR), node.clock.now()
    before = (await node.task(task_id))["trigger"]
    await node.scheduler.run_until(task_id, hours(node, 1))
    await node.pass_time(HOUR)
    ended = (await node.task(task_id))["status"]
    node.clock.advance(1.5 * HOUR)

    told = (await node.scheduler.run_until(task_id, None)).unwrap()

    task = await node.task(task_id)
    assert (ended, told["status"], task["trigger"]) == ("completed", "pending", before)
    assert told["next_execution"] == start + timedelta(hours=3)


async def test_an_end_of_the_triggers_own_stays_when_the_other_is_taken_away(node: Any) -> None:
    start = node.clock.now()
    task_id = await node.add_every(HOUR, end_date=start + timedelta(hours=3))

    await node.scheduler.run_until(task_id, hours(node, 1))
    told = (await node.scheduler.run_until(task_id, None)).unwrap()

    assert told["upcoming"] == [start + timedelta(hours=each) for each in (1, 2, 3)]


async def test_an_occurrence_that_is_due_is_not_lost_to_an_end(node: Any) -> None:
    task_id = await node.add_every(HOUR)
    node.clock.advance(HOUR)

    told = (await node.scheduler.run_until(task_id, hours(node, -3))).unwrap()
    await node.scheduler.run_due()

    assert told["next_execution"] is None
    assert await node.states(task_id) == ["succeeded"]
    assert (await node.task(task_id))["status"] == "completed"


async def test_the_end_is_part_of_what_any_of_several_does(node: Any) -> None:
    start = node.clock.now()
    parts = [{"type": "interval", "hours": 2}, {"type": "cron", "expression": "0 * * * *"}]
    task_id = await node.add(trigger={"type": "any", "triggers": parts})

    told = (await node.scheduler.run_until(task_id, hours(node, 2))).unwrap()

    assert told["upcoming"] == [start + timedelta(hours=1), start + timedelta(hours=2)]


async def test_a_skipped_occurrence_does_not_come_back_with_the_end_taken_away(node: Any) -> None:
    task_id, start = await node.add_every(HOUR), node.clock.now()
    await node.scheduler.run_until(task_id, hours(node, 1))
    await node.scheduler.skip_next(task_id)

    told = (await node.scheduler.run_until(task_id, None)).unwrap()

    assert told["next_execution"] == start + timedelta(hours=2)


async def test_a_paused_task_keeps_its_pause_and_ends_when_it_is_resumed_too_late(node: Any) -> None:
    task_id = await node.add_every(HOUR)
    await node.scheduler.pause_task(task_id)

    told = (await node.scheduler.run_until(task_id, hours(node, 1.5))).unwrap()
    node.clock.advance(2 * HOUR)
    resumed = (await node.scheduler.resume_task(task_id)).unwrap()

    assert told["status"] == "paused"
    assert (resumed["status"], resumed["next_execution"]) == ("completed", None)


async def test_the_end_outlives_an_edit_and_the_same_declaration_again(node: Any) -> None:
    config = {"key": "hourly", "start_date": node.clock.now()}
    task_id = await node.add_every(HOUR, **config)
    end = hours(node, 2)
    await node.scheduler.run_until(task_id, end)

    await node.scheduler.update_task(task_id, {"priority": 3})
    await node.add_every(HOUR, **config)

    trigger = (await node.task(task_id))["trigger"]
    assert (trigger["type"], trigger["end"]) == ("until", end.isoformat().replace("+00:00", "Z"))


async def test_what_has_no_times_that_could_end_is_refused(node: Any) -> None:
    waiting = await node.add(trigger={"type": "event", "event": "sale"})
    once = await node.add(delay="1 hour")
    cancelled = await node.add_every(HOUR)
    await node.scheduler.cancel_task(cancelled)

    refused = [await node.scheduler.run_until(each, hours(node, 1)) for each in (waiting, once, cancelled)]

    assert [answer.error.code for answer in refused] == ["INVALID_STATE"] * 3


async def test_an_end_of_several_triggers_is_kept_beneath_one_given_by_hand(node: Any) -> None:
    several = {"type": "any", "triggers": [{"type": "interval", "hours": 1}, {"type": "interval", "hours": 3}]}
    task_id, start = await node.add(trigger=several, end_date=hours(node, 2)), node.clock.now()

    await node.scheduler.run_until(task_id, hours(node, 1))
    await node.scheduler.run_until(task_id, None)
    for _ in range(4):
        await node.pass_time(HOUR)

    assert [row["scheduled_for"] for row in await node.history(task_id)] == [
        start + timedelta(hours=1),
        start + timedelta(hours=2),
    ]
    assert (await node.task(task_id))["status"] == "completed"
