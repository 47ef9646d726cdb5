"""Clock steps: a wall clock set forward or back repeats no occurrence and stops nobody."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import pytest
from nodes import Machine, until

from modules.core.scheduler import SchedulerService

MINUTE = 60.0
STEPS = 100
LARGEST_STEP = 300.0
ASLEEP = 20.0  # seconds: none of the scheduler's loops but the one that turns sleeps so long

HOUR = timedelta(hours=1)
YEAR = timedelta(days=365)


@pytest.fixture
async def node(start_node: Any) -> Any:
    """One scheduler that keeps its history for longer than any step."""
    return await start_node(keep_execution_history="1000 days")


async def moments(node: Any, task_id: str) -> list[Any]:
    """Return the nominal times of a task's executions in the order in which they were made."""
    return [row["scheduled_for"] for row in await node.history(task_id)]


@pytest.mark.parametrize("step", [HOUR, -HOUR, YEAR, -YEAR], ids=["+1 h", "-1 h", "+1 y", "-1 y"])
async def test_a_clock_that_is_set_repeats_nothing_and_the_scheduler_goes_on(node: Any, step: timedelta) -> None:
    task_id = await node.add_every(MINUTE)
    for _ in range(3):
        await node.pass_time(MINUTE)

    node.clock.step(step)
    await node.scheduler.run_due()
    at_once = await node.add()
    for _ in range(3):
        await node.pass_time(MINUTE)
    node.clock.step(-step)  # set right again
    for _ in range(3):
        await node.pass_time(MINUTE)

    ran = await moments(node, task_id)
    assert ran == sorted(set(ran))
    assert set(await node.states(task_id)) == {"succeeded"}
    assert await node.states(at_once) == ["succeeded"]


async def test_a_step_forward_is_one_merged_run(node: Any) -> None:
    task_id = await node.add_every(MINUTE)
    await node.pass_time(MINUTE)

    node.clock.step(YEAR)
    await node.scheduler.run_due()

    _, late = await node.history(task_id)
    assert late["missed_count"] == YEAR.total_seconds() / MINUTE - 1
    assert (await node.task(task_id))["next_execution"] - node.clock.now() == timedelta(seconds=MINUTE)


async def test_after_a_step_back_the_task_fires_at_its_next_time_and_not_before(node: Any) -> None:
    task_id = await node.add_every(MINUTE)
    await node.pass_time(MINUTE)
    following = (await node.task(task_id))["next_execution"]

    node.clock.step(-HOUR)
    await node.scheduler.run_due()
    await node.pass_time(HOUR.total_seconds())
    before = len(node.runs)
    await node.pass_time(MINUTE)

    assert before == 1
    assert (await moments(node, task_id))[1:] == [following]


async def test_a_hundred_random_steps_repeat_no_occurrence(node: Any) -> None:
    task_id, chance = await node.add_every(MINUTE), random.Random(438)
    latest = node.clock.now()

    for _ in range(STEPS):
        node.clock.step(timedelta(seconds=chance.uniform(-LARGEST_STEP, LARGEST_STEP)))
        await node.pass_time(chance.uniform(0, MINUTE))
        latest = max(latest, node.clock.now())
    node.clock.move_to(latest + timedelta(seconds=2 * MINUTE))
    counted = len(node.runs)
    await node.scheduler.run_due()

    ran = await moments(node, task_id)
    assert len(ran) > STEPS / 10
    assert ran == sorted(set(ran))
    assert set(await node.states(task_id)) == {"succeeded"}
    assert len(node.runs) == counted + 1 == len(ran)


async def test_a_loop_that_sleeps_notices_within_half_a_minute_that_the_clock_was_set(start_node: Any) -> None:
    node = await start_node(enabled=True, poll_interval="1 day", lease="1 day")
    task_id = await node.add_every(10 * HOUR.total_seconds())

    async def is_asleep() -> bool:
        long_ones = [when for when, _, future in node.clock._sleepers if not future.done()]
        return any(when - node.clock.monotonic() > ASLEEP for when in long_ones)

    async def has_run() -> bool:
        return "succeeded" in await node.states(task_id)

    await until(is_asleep)
    node.clock.step(10 * HOUR)
    unnoticed = await node.states(task_id)
    node.clock.advance(30)
    await until(has_run)

    assert unnoticed == []


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)  # on SQLite all share one machine's clock
async def test_a_node_whose_own_clock_is_set_goes_by_the_servers_as_before(started: Any) -> None:
    clock, runs = Machine(), []
    named = {"name": "note", "module_id": "acme.test", "function_name": "note"}
    async with started(clock=clock) as app_context:
        scheduler = app_context.get_service(SchedulerService)
        scheduler.register_function("acme.test", "note", lambda: runs.append(1))
        hourly = {**named, "recurring": True, "interval_type": "hours", "interval_value": 1}
        made = (await scheduler.schedule_task(hourly)).unwrap()

        for step in (YEAR, -YEAR):
            clock.ahead = step
            await scheduler.run_due()

        task = (await scheduler.get_task(made["task_id"])).unwrap()
    assert runs == []
    assert task["next_execution"] == made["next_execution"]
