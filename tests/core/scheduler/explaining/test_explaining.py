"""Explain: what of a task, its pauses and the nodes stands between it and its start."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from explaining import explained, gate, started
from nodes import Stuck

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


async def test_nothing_in_the_way_means_that_the_next_turn_starts_it(start_node: Any) -> None:
    node = await started(start_node)
    task_id = await node.add()

    told = await explained(node, task_id)
    await node.scheduler.turn()

    assert (told["answer"], told["blocked_by"]) == ("may_start", None)
    assert told["verdict"] == "Nothing stands in its way: a node starts it at its next turn."
    assert (await node.states(task_id)) == ["running"]


async def test_a_task_waits_for_its_next_time(start_node: Any) -> None:
    node = await started(start_node)
    task_id = await node.add_every(3600)

    told = await explained(node, task_id)

    assert (told["answer"], told["blocked_by"]) == ("waits", "schedule")
    assert told["verdict"] == "It waits: its next time is Mon 2026-01-05 13:00:00 UTC, in 1h."
    assert gate(told, "schedule")["details"]["next_execution"] == node.clock.now() + timedelta(hours=1)


async def test_a_task_that_waits_for_an_event_says_for_which(start_node: Any) -> None:
    node = await started(start_node)
    task_id = await node.add(trigger={"type": "event", "event": "order.paid"})

    assert (await explained(node, task_id))["verdict"] == "It waits: the event 'order.paid' sets it off."


async def hold_task(node: Any, task_id: str) -> None:
    await node.scheduler.pause_task(task_id, "too loud")


async def hold_module(node: Any, task_id: str) -> None:
    await node.scheduler.pause_all("too loud", module_id="acme.test")


async def hold_all(node: Any, task_id: str) -> None:
    await node.scheduler.pause_all("too loud")


async def hold_queue(node: Any, task_id: str) -> None:
    await node.scheduler.pause_queue("default", "too loud")


HOLDS = {
    "the task is paused: too loud": hold_task,
    "module 'acme.test' is paused since Mon 2026-01-05 12:00:00 UTC, for 0s: too loud": hold_module,
    "everything is paused since Mon 2026-01-05 12:00:00 UTC, for 0s: too loud": hold_all,
    "queue 'default' is paused since Mon 2026-01-05 12:00:00 UTC, for 0s: too loud": hold_queue,
}


@pytest.mark.parametrize("text", HOLDS)
async def test_a_pause_says_what_is_paused_since_when_and_why(start_node: Any, text: str) -> None:
    node = await started(start_node)
    task_id = await node.add()
    await HOLDS[text](node, task_id)

    told = [await explained(node, task_id)]
    await node.scheduler.turn()
    told.append(await explained(node, task_id))

    assert [(each["blocked_by"], each["verdict"]) for each in told] == [("paused", f"It waits: {text}.")] * 2
    assert await node.states(task_id) == ["pending"]


async def test_a_run_by_hand_does_not_wait_for_the_pause_of_its_task(start_node: Any) -> None:
    node = await started(start_node)
    task_id = await node.add_every(3600, paused=True)
    await node.scheduler.execute_task(task_id)

    told = await explained(node, task_id)

    assert (told["answer"], gate(told, "paused")["passes"]) == ("may_start", True)


async def test_where_no_node_ever_started_that_is_in_the_way(start_node: Any) -> None:
    node = await start_node()
    task_id = await node.add()

    told = await explained(node, task_id)

    assert (told["blocked_by"], told["verdict"]) == ("node", "It waits: no node is alive.")
    assert gate(told, "function")["passes"] is None


async def test_a_silent_node_is_named_with_the_end_of_its_lease(start_node: Any) -> None:
    node = await start_node(lease="1 hour")
    await node.scheduler.turn()
    task_id = await node.add(delay=7200)
    node.clock.advance(7200)

    told = await explained(node, task_id)

    assert (told["answer"], told["blocked_by"]) == ("waits", "node")
    assert "ran out at Mon 2026-01-05 13:00:00 UTC" in told["verdict"]
    assert [each["id"] for each in gate(told, "node")["details"]["silent"]] == [node.scheduler._runner.node_id]


async def test_a_function_that_no_node_has_is_named(start_node: Any) -> None:
    node = await started(start_node)
    gone = Stuck()
    node.register("gone", gone.run)
    task_id = await node.add("gone", delay=3600)
    node.scheduler.functions._functions.pop(("acme.test", "gone"))
    node.scheduler.functions._keys -= {"acme.test:gone"}
    node.clock.advance(3600)

    told = [await explained(node, task_id)]
    await node.scheduler.turn()
    told.append(await explained(node, task_id))

    text = "It waits: the living node does not have the function acme.test:gone; its module may not be listed."
    assert [(each["blocked_by"], each["verdict"]) for each in told] == [("function", text)] * 2
    assert (gate(told[1], "held")["passes"], await node.reasons(task_id)) == (None, ["FUNCTION_NOT_REGISTERED"])


async def test_a_queue_that_no_node_serves_is_named(start_node: Any) -> None:
    node = await started(start_node, queues={"default": 2})
    task_id = await node.add(queue="mail")

    told = await explained(node, task_id)
    await node.scheduler.turn()

    assert told["blocked_by"] == "queue"
    assert told["verdict"] == "It waits: no living node serves queue 'mail'; they serve default."
    assert await node.states(task_id) == ["pending"]


async def test_a_node_that_drains_is_named(start_node: Any) -> None:
    node = await started(start_node)
    task_id = await node.add()
    await node.scheduler.drain_node(node.scheduler._runner.node_id)

    told = await explained(node, task_id)
    await node.scheduler.turn()

    assert (told["blocked_by"], await node.states(task_id)) == ("draining", ["pending"])
    assert told["verdict"].startswith("It waits: every node that could run it is draining: ")
