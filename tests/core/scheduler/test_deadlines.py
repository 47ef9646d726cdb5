"""What should have succeeded by a time, and has not, is told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

only_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
HOUR, DAY = 3_600.0, 86_400.0


def fail() -> None:
    raise ValueError("no luck")


async def overdue(node: Any, seconds: float = 0.0, *, runs: bool = True) -> int:
    """Let time pass and look; return how often anything has been found overdue."""
    node.clock.advance(seconds)
    if runs:
        await node.scheduler.run_due()
    await node.scheduler.lookout.look()
    return int(node.scheduler.lookout._runner.tally.overdue)


async def test_a_run_that_has_not_succeeded_in_time_is_overdue_once_for_each_occurrence(node: Any) -> None:
    node.register("fail", fail)
    await node.add_every(DAY, "fail", expected_by="1 hour")
    await node.scheduler.run_due()

    assert await overdue(node, DAY + 60) == 0
    assert await overdue(node, HOUR) == 1
    assert await overdue(node, HOUR) == 1
    assert await overdue(node, DAY - HOUR) == 2


async def test_a_run_that_succeeds_in_time_is_not_overdue(node: Any) -> None:
    await node.add_every(DAY, expected_by="1 hour")

    assert [await overdue(node, DAY / 2) for _ in range(8)] == [0] * 8


@only_sqlite
async def test_a_success_that_comes_too_late_does_not_count(node: Any) -> None:
    await node.add(delay=60, expected_by="1 hour")

    assert await overdue(node, 2 * HOUR) == 1
    assert len(node.runs) == 1


async def test_a_one_time_task_that_nobody_carries_out_is_overdue(node: Any) -> None:
    await node.add(delay=60, expected_by="1 hour")

    assert await overdue(node, 60 + HOUR - 1, runs=False) == 0
    assert await overdue(node, 1, runs=False) == 1
    assert await overdue(node, DAY, runs=False) == 1


async def test_after_a_week_without_a_node_only_one_is_told(node: Any) -> None:
    await node.add_every(DAY, expected_by=HOUR)

    assert await overdue(node, 7 * DAY + 2 * HOUR, runs=False) == 1
    assert await overdue(node) == 1
    assert await overdue(node, 22.5 * HOUR) == 1
    assert await overdue(node, HOUR) == 1


async def test_by_a_time_of_the_day_in_the_zone_of_the_task(node: Any) -> None:
    config = {"cron": "0 2 * * *", "timezone": "Europe/Berlin", "expected_by": "06:30"}
    task_id = await node.add(**config)
    first = (await node.task(task_id))["next_execution"]
    until_first = (first - node.clock.now()).total_seconds()
    deadline = until_first + 4.5 * HOUR

    assert (await node.task(task_id))["expected_at"] - first == timedelta(hours=4.5)
    assert await overdue(node, deadline - 1, runs=False) == 0
    assert await overdue(node, 1, runs=False) == 1
    assert await overdue(node, DAY - HOUR) == 1


async def test_who_is_stopped_on_purpose_is_not_overdue(node: Any) -> None:
    paused = await node.add_every(DAY, name="paused", expected_by=HOUR)
    cancelled = await node.add_every(DAY, name="cancelled", expected_by=HOUR)
    skipped = await node.add_every(DAY, name="skipped", expected_by=HOUR)
    await node.add_every(DAY, name="last", expected_by=HOUR, max_executions=1)
    await node.scheduler.pause_task(paused)
    await node.scheduler.cancel_task(cancelled)
    await node.scheduler.run_due()
    await node.scheduler.skip_next(skipped)
    node.clock.advance(DAY + HOUR / 2)
    await node.scheduler.resume_task(paused)
    await node.scheduler.run_due()

    assert await overdue(node, HOUR) == 0
    assert await overdue(node, 23 * HOUR) == 0


@only_sqlite
async def test_nothing_is_overdue_while_everything_is_held_back(node: Any) -> None:
    await node.add_every(DAY, expected_by=HOUR)
    await node.scheduler.pause_all("a move")

    assert await overdue(node, DAY + 2 * HOUR) == 0


async def test_an_edit_changes_what_is_expected(node: Any) -> None:
    node.register("fail", fail)
    loosened = await node.add_every(DAY, "fail", expected_by=HOUR)
    tightened = await node.add_every(DAY, "fail", name="tightened")
    await node.scheduler.run_due()
    await node.scheduler.update_task(loosened, {"expected_by": None})
    await node.scheduler.update_task(tightened, {"expected_by": 60})

    assert await overdue(node, DAY + 61) == 1
    assert (await node.task(tightened))["policies"]["expected_by"] == 60


async def test_it_is_looked_at_by_one_node_alone(start_node: Any) -> None:
    node, other = await start_node(), await start_node()
    await node.add(expected_by=1, paused=False)

    found = [await overdue(each, 1, runs=False) for each in (node, other)]

    assert found == [1, 0]


@only_sqlite
@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"trigger": {"type": "event", "event": "paid"}}, "this needs a trigger that has times of its own"),
        ({"interval_type": "hours", "interval_value": 1, "after_end": True}, "this needs a trigger that has times"),
        ({"delay": 1, "expected_by": "noon"}, ""),
        ({"delay": 1, "expected_by": 0}, "a run needs some time to succeed in"),
        ({"delay": 1, "expected_by": "24:00"}, ""),
    ],
)
async def test_an_expectation_that_cannot_be_is_refused(node: Any, config: dict[str, Any], message: str) -> None:
    named = {"name": "n", "module_id": "acme.test", "function_name": "note", "expected_by": "1h", **config}
    refused = await node.scheduler.schedule_task(named)

    (problem,) = refused.error.details["problems"]
    assert problem["field"].startswith("expected_by")
    assert message in problem["message"]


@only_sqlite
async def test_a_tick_looks_as_well(node: Any) -> None:
    await node.add(schedule_time=node.clock.now() + timedelta(hours=1), expected_by=60)
    await node.scheduler.pause_queue("default")
    node.clock.advance(2 * HOUR)

    await node.scheduler.tick()

    assert node.scheduler.lookout._runner.tally.overdue == 1
