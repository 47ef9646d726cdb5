"""Debounce: events that follow each other closely become one execution, after the last of them."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from nodes import Stuck, release_all

from modules.core.scheduler import ExecutionContext

SAVED = {"type": "event", "event": "saved", "debounce": "10s"}


async def test_events_within_the_time_become_one_execution_after_the_last(node: Any) -> None:
    contexts: list[ExecutionContext] = []

    async def index(context: ExecutionContext) -> None:
        contexts.append(context)

    node.register("index", index)
    first = node.clock.now()
    task_id = await node.add("index", trigger=SAVED)

    for version in range(3):
        assert (await node.scheduler.emit("saved", {"version": version})).data == 1
        await node.pass_time(6)
    (waiting,) = await node.history(task_id)
    await node.pass_time(4)

    assert (waiting["state"], waiting["reason"]) == ("pending", "DEBOUNCE")
    assert waiting["due_at"] == first + timedelta(seconds=22)
    assert await node.states(task_id) == ["succeeded"]
    (context,) = contexts
    assert context.payload == {"version": 2}
    assert (context.missed_count, context.missed_since) == (2, first)
    assert (await node.task(task_id))["execution_count"] == 1


async def test_the_longest_wait_is_bounded_where_that_is_wanted(node: Any) -> None:
    first = node.clock.now()
    task_id = await node.add(trigger={**SAVED, "debounce_max": "15s"})

    for _ in range(4):
        await node.scheduler.emit("saved")
        await node.pass_time(6)

    rows = await node.history(task_id)
    assert [row["due_at"] - first for row in rows] == [timedelta(seconds=15), timedelta(seconds=28)]
    assert [row["missed_count"] for row in rows] == [2, 0]
    assert [row["state"] for row in rows] == ["succeeded", "pending"]


async def test_what_comes_while_it_runs_is_done_afterwards_and_not_skipped(node: Any) -> None:
    stuck = Stuck()
    node.register("index", stuck.run)
    task_id = await node.add("index", trigger=SAVED)
    await node.scheduler.emit("saved")
    node.clock.advance(10)
    await node.scheduler.turn()
    await stuck.started.wait()

    await node.scheduler.emit("saved", {"late": True})
    node.clock.advance(10)
    await node.scheduler.turn()
    during = await node.states(task_id)
    release_all()
    await node.scheduler.run_due()

    assert during == ["running", "pending"]
    assert await node.states(task_id) == ["succeeded", "succeeded"]
    assert stuck.contexts[1].payload == {"late": True}


async def test_a_hundred_events_at_once_on_two_nodes_become_one_execution(start_node: Any) -> None:
    first, second = await start_node(), await start_node()
    task_id = await first.add(trigger=SAVED)

    emits = [node.scheduler.emit("saved", {"n": n}) for n in range(50) for node in (first, second)]
    answers = await asyncio.gather(*emits)
    await first.pass_time(10)
    await second.scheduler.run_due()

    assert [answer.data for answer in answers] == [1] * 100
    (row,) = await first.history(task_id)
    assert (row["state"], row["missed_count"]) == ("succeeded", 99)
    assert len(first.runs) + len(second.runs) == 1


async def test_the_wait_is_durable_and_a_cancelled_one_starts_anew(node: Any, start_node: Any) -> None:
    task_id = await node.add(trigger=SAVED)
    await node.scheduler.emit("saved", {"n": 1})
    (row,) = await node.history(task_id)
    await node.scheduler.cancel_execution(row["id"])
    await node.scheduler.emit("saved", {"n": 2})

    other = await start_node()
    await other.pass_time(10)

    assert await node.states(task_id) == ["cancelled", "succeeded"]
    assert [row["missed_count"] for row in await node.history(task_id)] == [0, 0]


async def test_events_that_no_execution_is_left_for_change_nothing(node: Any) -> None:
    task_id = await node.add(trigger=SAVED, max_executions=1)

    counts = [(await node.scheduler.emit("saved")).data for _ in range(2)]
    await node.pass_time(10)
    counts.append((await node.scheduler.emit("saved")).data)

    assert counts == [1, 1, 0]
    assert (await node.task(task_id))["status"] == "completed"


async def test_an_event_beside_a_time_sets_its_task_off_and_leaves_the_time_alone(node: Any) -> None:
    start = node.clock.now() + timedelta(hours=1)
    hourly = {"type": "interval", "hours": 1}
    task_id = await node.add(trigger={"type": "any", "triggers": [hourly, {"type": "event", "event": "saved"}]})

    emitted = await node.scheduler.emit("saved", {"n": 1})
    await node.scheduler.run_due()
    between = await node.task(task_id)
    await node.pass_time(3_600)
    await node.scheduler.emit("saved")
    await node.scheduler.run_due()

    assert emitted.data == 1
    assert (between["status"], between["next_execution"], between["execution_count"]) == ("pending", start, 1)
    assert [row["origin"] for row in await node.history(task_id)] == ["event", "schedule", "event"]
    assert len(node.runs) == 3


async def test_a_task_whose_times_are_over_still_waits_for_its_event_up_to_its_maximum(node: Any) -> None:
    once = {"type": "date", "run_date": node.clock.now() + timedelta(hours=1)}
    trigger = {"type": "any", "triggers": [once, {"type": "event", "event": "saved"}]}
    task_id = await node.add(trigger=trigger, max_executions=2)
    early = await node.add(trigger=trigger, max_executions=1)

    await node.scheduler.emit("saved")
    await node.scheduler.run_due()
    await node.pass_time(3_600)

    assert (await node.task(task_id))["status"] == "completed"
    assert await node.states(task_id) == ["succeeded", "succeeded"]
    task = await node.task(early)
    assert (task["status"], task["next_execution"]) == ("completed", None)
    assert await node.states(early) == ["succeeded"]


async def test_an_event_at_the_moment_at_which_an_occurrence_is_due_costs_neither_its_run(node: Any) -> None:
    every_minute = {"type": "interval", "minutes": 1}
    trigger = {"type": "any", "triggers": [every_minute, {"type": "event", "event": "saved"}]}
    task_id = await node.add(trigger=trigger, overlap="allow")
    node.clock.advance(180)

    await node.scheduler.emit("saved")
    await node.scheduler.run_due()

    assert sorted(row["origin"] for row in await node.history(task_id)) == ["event", "schedule"]
    assert await node.states(task_id) == ["succeeded", "succeeded"]
