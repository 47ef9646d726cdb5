"""Nodes and queues as an operator sees them, drains them and holds them back."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from nodes import Stuck, kill, release_all

from framework.clock import SystemClock
from modules.core.scheduler.asking import wait_until_drained
from modules.core.scheduler.tables import profiles

MINUTE = 60.0


@pytest.fixture
def stuck() -> Iterator[Stuck]:
    """A function that does not end before it is released; in the end it is."""
    yield Stuck()
    release_all()


async def shown_node(node: Any, node_id: str) -> dict[str, Any]:
    nodes = (await node.scheduler.list_nodes()).unwrap()
    return next(each for each in nodes if each["id"] == node_id)


async def shown_queue(node: Any, name: str) -> dict[str, Any]:
    queues = (await node.scheduler.list_queues()).unwrap()
    return next(each for each in queues if each["name"] == name)


async def running_there(start_node: Any, stuck: Stuck) -> tuple[Any, str, str]:
    """Return a node that runs an execution, its id, and the task."""
    node = await start_node()
    node.register("stuck", stuck.run)
    task_id = await node.add("stuck")
    await node.scheduler.turn()
    await stuck.started.wait()
    return node, node.scheduler._runner.node_id, task_id


async def test_a_node_is_shown_with_what_it_is_has_and_does(start_node: Any, stuck: Stuck) -> None:
    node = await start_node(max_concurrent_tasks=7, queues={"mail": 2, "default": 5})
    node.register("stuck", stuck.run)
    await node.add("stuck")
    await node.scheduler.turn()

    (shown,) = (await node.scheduler.list_nodes()).unwrap()

    assert (shown["slots"], shown["queues"], shown["running"]) == (7, {"mail": 2, "default": 5}, 1)
    assert {"acme.test:note", "acme.test:stuck"} <= set(shown["functions"])
    assert (shown["alive"], shown["draining_since"], shown["version_differs"]) == (True, None, False)
    assert shown["version"]


async def test_status_tells_of_a_node_the_same_and_counts_its_functions(node: Any) -> None:
    await node.scheduler.turn()

    (listed,) = (await node.scheduler.list_nodes()).unwrap()
    (told,) = (await node.scheduler.status()).unwrap()["nodes"]

    assert told == listed | {"functions": len(listed["functions"])}


async def test_the_node_is_marked_whose_version_is_not_that_of_most(start_node: Any) -> None:
    nodes = [await start_node() for _ in range(3)]
    for each in nodes:
        await each.scheduler.turn()
    ids = [each.scheduler._runner.node_id for each in nodes]
    older = profiles.update().where(profiles.c.node_id == ids[1]).values(version="0.0.1")

    await nodes[0].app_context.database.write(lambda c: c.execute(older))

    shown = {each["id"]: each["version_differs"] for each in (await nodes[0].scheduler.list_nodes()).unwrap()}
    assert shown == {ids[0]: False, ids[1]: True, ids[2]: False}


async def test_a_draining_node_finishes_what_it_runs_and_claims_nothing_while_another_takes_over(
    start_node: Any, stuck: Stuck
) -> None:
    leaving, node_id, held = await running_there(start_node, stuck)
    staying = await start_node()

    (await leaving.scheduler.drain_node(node_id)).unwrap()
    fresh = await leaving.add()
    await leaving.scheduler.turn()
    left = await leaving.states(fresh)
    await staying.scheduler.run_due()
    stuck.release.set()
    await leaving.scheduler.run_due()

    assert left == ["pending"]
    assert (leaving.runs, staying.runs) == ([], [{}])
    assert await leaving.states(held) == ["succeeded"]


async def test_a_node_whose_drain_is_undone_claims_again(node: Any) -> None:
    await node.scheduler.turn()
    node_id = node.scheduler._runner.node_id
    drained = (await node.scheduler.drain_node(node_id)).unwrap()
    task_id = await node.add()
    await node.scheduler.run_due()
    before = await node.states(task_id)

    undone = (await node.scheduler.drain_node(node_id, undo=True)).unwrap()
    await node.scheduler.run_due()

    assert (drained["draining_since"], undone["draining_since"]) == (node.clock.now(), None)
    assert (before, await node.states(task_id)) == (["pending"], ["succeeded"])


async def test_a_draining_node_that_was_taken_for_dead_goes_on_draining(start_node: Any) -> None:
    slow, peer = await start_node(), await start_node()
    await slow.scheduler.turn()
    node_id = slow.scheduler._runner.node_id
    (await slow.scheduler.drain_node(node_id)).unwrap()
    await slow.scheduler.turn()

    slow.clock.advance(3_600)
    await peer.scheduler.turn()
    await peer.scheduler.turn()
    await slow.scheduler.run_due()
    shown = {each["id"]: each["draining_since"] for each in (await peer.scheduler.list_nodes()).unwrap()}

    assert node_id not in shown
    assert shown[slow.scheduler._runner.node_id] is not None


async def test_draining_a_draining_node_changes_nothing(node: Any) -> None:
    await node.scheduler.turn()
    node_id = node.scheduler._runner.node_id
    first = (await node.scheduler.drain_node(node_id)).unwrap()
    node.clock.advance(1)

    second = (await node.scheduler.drain_node(node_id)).unwrap()

    assert second["draining_since"] == first["draining_since"]


@pytest.mark.parametrize("node_id", ["nobody", "a\0b", "x" * 5_000])
async def test_a_node_that_is_not_there_cannot_be_drained(node: Any, node_id: str) -> None:
    refused = await node.scheduler.drain_node(node_id)

    assert refused.error.code == "NODE_NOT_FOUND"


async def test_waiting_for_a_drain_ends_when_the_node_runs_nothing(start_node: Any, stuck: Stuck) -> None:
    node, node_id, _ = await running_there(start_node, stuck)
    draining = (await node.scheduler.drain_node(node_id)).unwrap()
    told: list[str] = []
    waiting = asyncio.create_task(wait_until_drained(node.scheduler, SystemClock(), draining, told.append))
    await SystemClock().sleep(0)
    waited = not waiting.done()

    stuck.release.set()
    await node.scheduler.run_due()

    assert waited
    assert (await waiting).unwrap()["running"] == 0
    assert told == [f"waiting until node {node_id} runs nothing: 1 to go"]


async def test_waiting_for_a_drain_says_so_where_it_is_undone(start_node: Any, stuck: Stuck) -> None:
    node, node_id, _ = await running_there(start_node, stuck)
    draining = (await node.scheduler.drain_node(node_id)).unwrap()
    await node.scheduler.drain_node(node_id, undo=True)

    waited = await wait_until_drained(node.scheduler, SystemClock(), draining, lambda _: None)

    assert waited.error.code == "NODE_NOT_DRAINED"
    assert "somebody has undone the drain" in waited.error.message


async def test_waiting_for_a_drain_says_so_where_the_node_dies(start_node: Any, stuck: Stuck) -> None:
    node, node_id, _ = await running_there(start_node, stuck)
    draining = (await node.scheduler.drain_node(node_id)).unwrap()
    kill(node)
    node.clock.advance(10 * MINUTE)

    waited = await wait_until_drained(node.scheduler, SystemClock(), draining, lambda _: None)

    assert waited.error.code == "NODE_NOT_DRAINED"
    assert " died; " in waited.error.message


async def test_queues_are_counted_by_what_waits_and_runs_in_them(start_node: Any, stuck: Stuck) -> None:
    node = await start_node()
    node.register("stuck", stuck.run)
    await node.add("stuck", queue="mail")
    await node.scheduler.turn()
    await node.scheduler.drain_node(node.scheduler._runner.node_id)
    await node.add(queue="mail")
    await node.scheduler.turn()

    shown = await shown_queue(node, "mail")

    counts = {name: shown[name] for name in ("ready", "later", "held", "running", "nodes")}
    assert counts == {"ready": 1, "later": 0, "held": 0, "running": 1, "nodes": 0}
    assert [each["name"] for each in (await node.scheduler.list_queues()).unwrap()] == ["default", "mail"]


async def test_a_paused_queue_starts_nothing_until_it_is_resumed(node: Any) -> None:
    paused = (await node.scheduler.pause_queue("mail", "the server moves")).unwrap()
    waiting, beside = await node.add(queue="mail"), await node.add()
    await node.scheduler.run_due()
    before = await node.states(waiting)

    resumed = (await node.scheduler.resume_queue("mail")).unwrap()
    await node.scheduler.run_due()

    assert (paused["paused_since"], paused["reason"]) == (node.clock.now(), "the server moves")
    assert (resumed["paused_since"], resumed["ready"]) == (None, 1)
    assert (before, await node.states(beside)) == (["pending"], ["succeeded"])
    assert await node.states(waiting) == ["succeeded"]


async def test_what_runs_in_a_queue_that_is_paused_finishes(start_node: Any, stuck: Stuck) -> None:
    node, _, task_id = await running_there(start_node, stuck)

    await node.scheduler.pause_queue("default")
    stuck.release.set()
    await node.scheduler.run_due()

    assert await node.states(task_id) == ["succeeded"]


async def test_pausing_a_paused_queue_changes_only_the_reason(node: Any) -> None:
    first = (await node.scheduler.pause_queue("mail", "because")).unwrap()
    node.clock.advance(MINUTE)

    second = (await node.scheduler.pause_queue("mail", "still")).unwrap()

    assert (second["paused_since"], second["reason"]) == (first["paused_since"], "still")


async def test_a_name_that_no_queue_can_have_is_refused(node: Any) -> None:
    answers = [await node.scheduler.pause_queue("no such\0queue"), await node.scheduler.resume_queue("")]

    assert [answer.error.code for answer in answers] == ["INVALID_QUEUE", "INVALID_QUEUE"]
