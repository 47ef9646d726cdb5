"""One occurrence at another time: it keeps its nominal time, and the others neither move nor give way to it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

HOUR = 3600.0


def hours(node: Any, count: float) -> Any:
    """Return a moment from the beginning of the test on."""
    return node.clock.now() + timedelta(hours=count)


@pytest.mark.parametrize("overlap", ["skip", "queue", "replace", "allow"])
async def test_those_between_its_time_and_its_new_one_run_as_ever(node: Any, overlap: str) -> None:
    task_id, start = await node.add_every(HOUR, overlap=overlap), node.clock.now()

    told = (await node.scheduler.shift_next(task_id, hours(node, 3.5))).unwrap()
    for _ in range(8):
        await node.pass_time(HOUR / 2)

    assert (told["scheduled_for"], told["due_at"]) == (hours(node, -3), hours(node, -0.5))
    rows = sorted(await node.history(task_id), key=lambda row: row["start_time"])
    assert [(row["scheduled_for"] - start) / timedelta(hours=1) for row in rows] == [2, 3, 1, 4]
    assert [(row["start_time"] - start) / timedelta(hours=1) for row in rows] == [2, 3, 3.5, 4]
    assert {row["state"] for row in rows} == {"succeeded"}
    assert [row["origin"] for row in rows] == ["schedule", "schedule", "shift", "schedule"]
    assert (await node.task(task_id))["execution_count"] == 4


async def test_it_waits_for_its_place_rather_than_be_left_out(node: Any) -> None:
    task_id = await node.add_every(HOUR)
    await node.scheduler.shift_next(task_id, hours(node, 2))

    await node.pass_time(2 * HOUR)

    assert await node.states(task_id) == ["succeeded", "succeeded"]


async def test_it_may_be_moved_to_an_earlier_time_and_at_once_where_that_has_passed(node: Any) -> None:
    sooner, at_once = await node.add_every(HOUR, name="sooner"), await node.add_every(HOUR, name="at once")

    await node.scheduler.shift_next(sooner, hours(node, 0.5))
    await node.scheduler.shift_next(at_once, hours(node, -5))
    await node.scheduler.run_due()
    first = [await node.states(sooner), await node.states(at_once)]
    await node.pass_time(HOUR / 2)

    assert first == [["pending"], ["succeeded"]]
    assert await node.states(sooner) == ["succeeded"]
    assert (await node.task(sooner))["next_execution"] == hours(node, 1.5)


async def test_while_it_waits_it_may_be_moved_again_and_its_task_is_not_shown_as_running(node: Any) -> None:
    task_id = await node.add_every(HOUR)
    moment = (await node.scheduler.shift_next(task_id, hours(node, 5))).unwrap()["scheduled_for"]
    shown = (await node.task(task_id))["status"]
    listed = (await node.scheduler.list_tasks(status="pending")).unwrap()["tasks"]

    again = (await node.scheduler.shift_next(task_id, hours(node, 1.5), moment)).unwrap()
    repeated = (await node.scheduler.shift_next(task_id, hours(node, 1.5), moment)).unwrap()
    await node.pass_time(1.5 * HOUR)
    too_late = await node.scheduler.shift_next(task_id, hours(node, 5), moment)

    assert (shown, task_id in [task["id"] for task in listed]) == ("pending", True)
    assert again == repeated
    assert moment in [row["scheduled_for"] for row in await node.history(task_id) if row["state"] == "succeeded"]
    assert too_late.error.message.endswith("is succeeded already")


async def test_run_now_is_not_refused_because_one_waits_for_another_time(node: Any) -> None:
    task_id = await node.add_every(HOUR)
    await node.scheduler.shift_next(task_id, hours(node, 5))

    assert (await node.scheduler.execute_task(task_id)).success


async def test_of_a_paused_task_it_is_held_and_runs_when_that_goes_on(node: Any) -> None:
    task_id = await node.add_every(HOUR)
    await node.scheduler.shift_next(task_id, hours(node, 1.5))
    await node.scheduler.pause_task(task_id)

    await node.pass_time(2 * HOUR)
    held = await node.reasons(task_id)
    await node.scheduler.resume_task(task_id)
    await node.scheduler.run_due()

    assert held == ["TASK_PAUSED"]
    assert await node.states(task_id) == ["succeeded", "skipped"]  # the second hour passed in the pause


async def test_the_last_one_counts_when_it_is_moved_and_its_task_ends_with_it(node: Any) -> None:
    task_id = await node.add_every(HOUR, max_executions=1)

    told = (await node.scheduler.shift_next(task_id, hours(node, 3))).unwrap()
    before = (await node.task(task_id))["status"]
    await node.pass_time(3 * HOUR)

    assert (told["next_execution"], told["upcoming"]) == (None, [])
    assert before == "pending"
    assert (await node.task(task_id))["status"] == "completed"
    assert await node.states(task_id) == ["succeeded"]


async def test_cancelling_the_task_ends_what_was_moved(node: Any) -> None:
    task_id = await node.add_every(HOUR)
    await node.scheduler.shift_next(task_id, hours(node, 3))

    await node.scheduler.cancel_task(task_id)

    assert await node.reasons(task_id) == ["TASK_CANCELLED"]


async def test_a_task_that_shares_its_limit_is_not_held_up_by_it(node: Any) -> None:
    shared = {"concurrency_key": "printer", "overlap": "skip"}
    moved = await node.add_every(HOUR, name="moved", **shared)
    other = await node.add_every(HOUR / 2, name="other", **shared)

    await node.scheduler.shift_next(moved, hours(node, 3.25))
    for _ in range(3):
        await node.pass_time(HOUR / 2)

    assert await node.states(other) == ["succeeded"] * 3
    assert "OVERLAP" not in await node.reasons(other)
