"""Fencing: a node whose lease has run out, or that was taken for dead, writes nothing more; living ones are spared."""

from __future__ import annotations

from typing import Any

from nodes import Stuck, freeze

from modules.core.scheduler.ending import Ending, record
from modules.core.scheduler.execution import Outcome, State

LEASE = 60.0


async def begun(node: Any, task_id: str, stuck: Stuck) -> None:
    """Let the node begin the task's function, which does not end."""
    stuck.started.clear()
    await node.scheduler.turn()
    await stuck.started.wait()
    assert (await node.states(task_id))[-1] == "running"


async def test_before_the_lease_has_run_out_nothing_is_taken(start_node: Any) -> None:
    frozen, peer, stuck = await start_node(), await start_node(), Stuck()
    frozen.register("work", stuck.run)
    task_id = await frozen.add("work")
    await begun(frozen, task_id, stuck)

    freeze(frozen)
    await peer.pass_time(LEASE - 1)

    assert await peer.states(task_id) == ["running"]
    stuck.release.set()


async def test_what_a_living_peer_runs_is_left_alone_however_long_it_takes(start_node: Any) -> None:
    living, peer, stuck = await start_node(), await start_node(), Stuck()
    living.register("work", stuck.run)
    task_id = await living.add("work", timeout="1 hour")
    await begun(living, task_id, stuck)

    for _ in range(10):
        await peer.pass_time(LEASE / 4)
        await living.scheduler.turn()
    stuck.release.set()
    await living.scheduler.run_due()

    assert await peer.states(task_id) == ["succeeded"]


async def test_the_ending_of_a_node_that_was_taken_for_dead_is_refused(start_node: Any) -> None:
    frozen, peer, stuck = await start_node(), await start_node(), Stuck()
    frozen.register("work", stuck.run)
    peer.register("work", lambda: "done by the peer")
    task_id = await frozen.add("work")
    await begun(frozen, task_id, stuck)
    freeze(frozen)
    await peer.pass_time(LEASE + 1)
    before = await peer.history(task_id)

    stuck.release.set()
    await stuck.ended.wait()
    await frozen.scheduler.run_due()

    assert await peer.history(task_id) == before
    assert [row["result"] for row in before] == [None, "done by the peer"]
    assert (await peer.task(task_id))["status"] == "completed"


async def test_a_node_that_was_taken_for_dead_stops_its_run_and_goes_on_under_a_new_id(start_node: Any) -> None:
    frozen, peer, stuck = await start_node(), await start_node(), Stuck()
    frozen.register("work", stuck.run)
    task_id = await frozen.add("work")
    await begun(frozen, task_id, stuck)
    old_id = (await frozen.scheduler.status()).unwrap()["node_id"]
    freeze(frozen)
    await peer.pass_time(LEASE + 1)

    await frozen.scheduler.turn()
    await stuck.ended.wait()
    other = await frozen.add()
    stuck.release.set()
    await frozen.scheduler.run_due()

    assert stuck.contexts[0].cancelled
    assert await frozen.states(other) == ["succeeded"]
    assert await frozen.states(task_id) == ["lost", "succeeded"]
    assert (await frozen.scheduler.status()).unwrap()["node_id"] not in (old_id, None)


async def test_an_ending_is_refused_once_the_lease_has_run_out_even_if_nobody_noticed(start_node: Any) -> None:
    frozen, stuck = await start_node(), Stuck()
    frozen.register("work", stuck.run)
    task_id = await frozen.add("work")
    await begun(frozen, task_id, stuck)
    freeze(frozen)
    (row,) = await frozen.history(task_id)
    node_id = (await frozen.scheduler.status()).unwrap()["node_id"]
    ending = Ending(row["id"], task_id, "work", Outcome(State.SUCCEEDED), None, None, 1.0, row["start_time"])

    frozen.clock.advance(LEASE)
    refused = await frozen.app_context.database.write(lambda c: record(c, node_id, [ending], frozen.clock.now()))

    assert refused == [row["id"]]
    assert await frozen.history(task_id) == [row]
    stuck.release.set()


async def test_a_node_that_slept_past_its_lease_unnoticed_renews_it_and_ends_its_run(start_node: Any) -> None:
    frozen, stuck = await start_node(), Stuck()
    frozen.register("work", stuck.run)
    task_id = await frozen.add("work")
    await begun(frozen, task_id, stuck)
    freeze(frozen)

    frozen.clock.advance(2 * LEASE)
    stuck.release.set()
    await frozen.scheduler.run_due()

    assert await frozen.states(task_id) == ["succeeded"]
