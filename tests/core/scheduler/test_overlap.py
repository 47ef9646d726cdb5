"""Overlap: at most so many executions of a task are open at once, and what gives way is recorded."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

MINUTE = 60.0


class Gate:
    """A function that waits until the test lets it end, and counts how many run at once."""

    def __init__(self) -> None:
        self.opened = asyncio.Event()
        self.inside = 0
        self.most = 0
        self.started = 0

    async def wait(self) -> str:
        self.inside += 1
        self.started += 1
        self.most = max(self.most, self.inside)
        try:
            await self.opened.wait()
        finally:
            self.inside -= 1
        return "through"


@pytest.fixture
def gate(node: Any) -> Gate:
    gate = Gate()
    node.register("wait", gate.wait)
    return gate


async def turns(node: Any, minutes: int) -> None:
    for _ in range(minutes):
        node.clock.advance(MINUTE)
        await node.scheduler.turn()
        await asyncio.sleep(0)  # noqa: TID251  # lets started functions begin


async def test_skip_leaves_one_skipped_row_for_each_occurrence_that_finds_one_open(node: Any, gate: Gate) -> None:
    task_id = await node.add_every(MINUTE, "wait", overlap="skip")
    await turns(node, 3)

    gate.opened.set()
    await node.scheduler.run_due()

    assert await node.states(task_id) == ["succeeded", "skipped", "skipped"]
    assert await node.reasons(task_id) == [None, "OVERLAP", "OVERLAP"]
    assert gate.most == 1


async def test_skip_holds_while_the_function_runs_not_only_while_it_is_submitted(node: Any, gate: Gate) -> None:
    task_id = await node.add_every(MINUTE, "wait", overlap="skip")
    await turns(node, 1)

    refused = await node.scheduler.execute_task(task_id)
    gate.opened.set()
    await node.scheduler.run_due()

    assert refused.error.code == "OVERLAP"


async def test_queue_runs_them_one_after_another_first_in_first_out(node: Any, gate: Gate) -> None:
    task_id = await node.add_every(MINUTE, "wait", overlap="queue")
    await turns(node, 4)

    gate.opened.set()
    await node.scheduler.run_due()

    rows = sorted(await node.history(task_id), key=lambda row: row["id"])
    assert [row["state"] for row in rows] == ["succeeded"] * 4
    assert [row["scheduled_for"] for row in rows] == sorted(row["scheduled_for"] for row in rows)
    assert gate.most == 1


async def test_a_queue_is_bounded(node: Any, gate: Gate) -> None:
    task_id = await node.add_every(MINUTE, "wait", overlap="queue", max_queued=2)
    await turns(node, 5)

    gate.opened.set()
    await node.scheduler.run_due()

    assert sorted(await node.states(task_id)) == ["skipped", "skipped", "succeeded", "succeeded", "succeeded"]
    assert (await node.reasons(task_id)).count("QUEUE_FULL") == 2


async def test_allow_runs_them_side_by_side(node: Any, gate: Gate) -> None:
    await node.add_every(MINUTE, "wait", overlap="allow")
    await turns(node, 3)

    most = gate.most
    gate.opened.set()
    await node.scheduler.run_due()

    assert most == 3


async def test_replace_stops_the_running_one_and_starts_the_new_when_its_row_is_closed(node: Any, gate: Gate) -> None:
    task_id = await node.add_every(MINUTE, "wait", overlap="replace")
    await turns(node, 3)

    gate.opened.set()
    await node.scheduler.run_due()

    states = await node.states(task_id)
    assert states[-1] == "succeeded"
    assert set(states[:-1]) == {"cancelled"}
    assert await node.reasons(task_id) == ["REPLACED", "REPLACED", None]  # one that ran, and one that waited
    assert gate.most == 1


async def test_max_instances_is_the_number_of_places(node: Any, gate: Gate) -> None:
    task_id = await node.add_every(MINUTE, "wait", overlap="skip", max_instances=2)
    await turns(node, 4)

    most = gate.most
    gate.opened.set()
    await node.scheduler.run_due()

    assert most == 2
    assert (await node.states(task_id)).count("skipped") == 2


async def test_a_free_place_is_taken_from_live_rows_after_any_ending(node: Any) -> None:
    async def fail() -> None:
        raise RuntimeError("no")

    node.register("fail", fail)
    task_id = await node.add_every(MINUTE, "fail", overlap="skip")

    for _ in range(5):
        await node.pass_time(MINUTE)

    assert await node.states(task_id) == ["failed"] * 5


async def test_five_hundred_waiting_rows_of_one_task_do_not_stop_another(node: Any, gate: Gate) -> None:
    crowd = await node.add_every(1, "wait", overlap="queue", catch_up="all", catch_up_limit=500)
    await turns(node, 9)
    fresh = await node.add(delay=1)

    node.clock.advance(timedelta(seconds=2))
    await node.scheduler.turn()
    await node.scheduler.turn()
    states = await node.states(fresh)
    await node.scheduler.cancel_task(crowd)
    gate.opened.set()
    await node.scheduler.run_due()

    assert states in (["running"], ["succeeded"])


async def test_higher_priority_goes_first(node: Any, start_node: Any) -> None:
    for priority in (0, 5, -3, 9):
        await node.add(name=f"p{priority}", delay=1, priority=priority, parameters={"priority": priority})

    one_at_a_time = await start_node(max_concurrent_tasks=1)
    await one_at_a_time.pass_time(2)

    assert [run["priority"] for run in one_at_a_time.runs] == [9, 5, 0, -3]
