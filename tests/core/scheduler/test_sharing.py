"""Limits that several tasks or nodes share: a concurrency key, a rate, and the number of runs on all nodes."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from nodes import Stuck, kill, most_at_once, running

from framework.testing.statements import seen_by

LEASE = 60.0


async def test_tasks_with_one_concurrency_key_share_its_places(node: Any) -> None:
    stuck = Stuck()
    node.register("work", stuck.run)
    for number in range(5):
        await node.add("work", name=f"task {number}", concurrency_key="printer", max_instances=2)

    for _ in range(3):
        await node.scheduler.turn()
    at_once = await running(node)
    reasons = set(await node.reasons())
    stuck.release.set()
    await node.scheduler.run_due()

    assert at_once == 2
    assert reasons == {None, "LIMIT"}
    assert await node.states() == ["succeeded"] * 5


async def test_a_shared_limit_holds_over_all_nodes(start_node: Any) -> None:
    nodes = [await start_node(), await start_node()]
    for node in nodes:
        node.register("work", Stuck().run)
    for number in range(4):
        await nodes[0].add("work", name=f"task {number}", concurrency_key="printer")

    for node in nodes * 3:
        await node.scheduler.turn()

    assert await running(nodes[0]) == 1


async def test_the_key_of_another_module_is_another_key(node: Any) -> None:
    stuck = Stuck()
    node.register("work", stuck.run)
    node.scheduler.register_function("acme.other", "work", stuck.run)
    await node.add("work", concurrency_key="printer")
    await node.add("work", module_id="acme.other", concurrency_key="printer")

    await node.scheduler.turn()

    assert await running(node) == 2


async def test_a_shared_limit_queues_unless_the_task_says_otherwise(node: Any) -> None:
    stuck = Stuck()
    node.register("work", stuck.run)
    first = await node.add("work", name="first", concurrency_key="printer")
    await node.scheduler.turn()
    queued = await node.add("work", name="queued", concurrency_key="printer")
    skipped = await node.add("work", name="skipped", concurrency_key="printer", overlap="skip")

    await node.scheduler.turn()
    meanwhile = [await node.states(task_id) for task_id in (first, queued, skipped)]
    stuck.release.set()
    await node.scheduler.run_due()

    assert meanwhile == [["running"], ["pending"], ["skipped"]]
    assert await node.states(queued) == ["succeeded"]


async def test_the_place_of_a_run_whose_node_died_is_free_once_it_is_closed(start_node: Any) -> None:
    dying, peer = await start_node(), await start_node()
    dying.register("work", Stuck().run)
    peer.register("work", lambda: "done")
    for number in range(3):
        await dying.add("work", name=f"task {number}", concurrency_key="printer", delivery="at_most_once")
    await dying.scheduler.turn()

    kill(dying)
    await peer.pass_time(1)
    before = sorted(await peer.states())
    await peer.pass_time(LEASE + 1)

    assert before == ["pending", "pending", "running"]
    assert sorted(await peer.states()) == ["lost", "succeeded", "succeeded"]


async def test_a_limit_of_one_task_is_free_again_whatever_way_its_run_ends(node: Any) -> None:
    stuck = Stuck()
    node.register("work", stuck.run)
    task_id = await node.add_every(60, "work", overlap="queue", timeout=90)
    for _ in range(4):
        node.clock.advance(60)
        await node.scheduler.turn()
        await node.clock.sleep(0)

    (first, *_) = await node.history(task_id)
    await node.scheduler.cancel_execution(first["id"])
    stuck.release.set()
    await node.scheduler.run_due()

    states = await node.states(task_id)
    assert states[-2:] == ["succeeded", "succeeded"]
    assert "pending" not in states


async def test_a_rate_lets_so_many_start_in_its_time_and_the_others_later(node: Any) -> None:
    for number in range(5):
        await node.add(name=f"task {number}", concurrency_key="api", overlap="allow", rate_limit="2/minute")

    started = []
    for _ in range(3):
        await node.scheduler.run_due()
        started.append(len(node.runs))
        node.clock.advance(60)

    assert started == [2, 4, 5]


async def test_what_a_rate_puts_off_says_so_and_until_when(node: Any) -> None:
    task_id = await node.add_every(1, rate_limit={"count": 1, "per": "1 hour"}, overlap="queue")
    for _ in range(2):
        await node.pass_time(1)

    waiting = (await node.history(task_id))[-1]

    assert (waiting["state"], waiting["reason"]) == ("pending", "RATE_LIMIT")
    rows = await node.history(task_id)
    await node.pass_time(3600)
    assert rows[0]["state"] == "succeeded"
    assert (await node.history(task_id))[1]["start_time"] >= rows[0]["start_time"] + timedelta(hours=1)


async def test_a_rate_holds_over_all_nodes(start_node: Any) -> None:
    nodes = [await start_node(), await start_node()]
    for number in range(4):
        await nodes[0].add(name=f"task {number}", concurrency_key="api", overlap="allow", rate_limit="3/hour")

    for node in nodes * 2:
        await node.scheduler.run_due()

    assert len(nodes[0].runs) + len(nodes[1].runs) == 3


async def test_a_rate_costs_no_turns_while_it_holds(start_node: Any) -> None:
    node = await start_node()
    for number in range(3):
        await node.add(name=f"task {number}", concurrency_key="api", overlap="allow", rate_limit="1/hour")
    await node.scheduler.run_due()

    turned = await node.scheduler._runner._turn()

    assert not turned.did_anything
    assert turned.next_due == node.clock.now() + timedelta(hours=1)


async def test_of_many_that_a_rate_puts_off_each_comes_back_when_it_may_start(node: Any) -> None:
    shared = {"module_id": "acme.test", "function_name": "note", "concurrency_key": "api", "overlap": "allow"}
    config = {**shared, "rate_limit": "2/minute", "schedule_time": "now"}
    (await node.scheduler.schedule_tasks([{"name": f"task {n}", **config} for n in range(200)])).unwrap()

    with seen_by(node.app_context.database) as seen:
        await node.scheduler.run_due()
    waiting = [row["due_at"] for row in await node.history() if row["state"] == "pending"]
    started = []
    for _ in range(5):
        await node.pass_time(60)
        started.append(len(node.runs))

    assert max(Counter(waiting).values()) <= 10
    assert len(seen.statements) < 100
    assert started == [4, 6, 8, 10, 12]


@pytest.mark.parametrize("rate", ["0/minute", "10", "ten/minute", "5/fortnight", {"count": True, "per": "1 hour"}, 7])
async def test_a_rate_that_means_nothing_is_refused(node: Any, rate: Any) -> None:
    config = {
        "name": "n",
        "module_id": "acme.test",
        "function_name": "note",
        "schedule_time": "now",
        "rate_limit": rate,
    }

    refused = await node.scheduler.schedule_task(config)

    assert [problem["field"] for problem in refused.error.details["problems"]] == ["rate_limit"]


@pytest.mark.parametrize("rate", ["10/minute", "100 per 2 hours", {"count": 3, "per": 90}, {"count": 3, "per": "90s"}])
async def test_a_rate_may_be_written_in_several_ways(node: Any, rate: Any) -> None:
    task_id = await node.add(rate_limit=rate)

    await node.scheduler.run_due()

    assert await node.states(task_id) == ["succeeded"]


async def test_the_limit_over_all_nodes_is_never_exceeded(start_node: Any) -> None:
    nodes = [await start_node(max_concurrent_everywhere=3) for _ in range(2)]
    stuck = [Stuck(), Stuck()]
    for node, function in zip(nodes, stuck, strict=True):
        node.register("work", function.run)
    for number in range(8):
        await nodes[0].add("work", name=f"task {number}")

    assert await most_at_once(nodes, stuck) == 3
    assert await nodes[0].states() == ["succeeded"] * 8


async def test_what_a_dead_node_ran_counts_no_longer_against_the_limit_over_all_nodes(start_node: Any) -> None:
    dying, peer = await start_node(max_concurrent_everywhere=1), await start_node(max_concurrent_everywhere=1)
    dying.register("work", Stuck().run)
    peer.register("work", lambda: "done")
    await dying.add("work")
    await dying.scheduler.turn()
    other = await peer.add()

    kill(dying)
    await peer.scheduler.turn()
    before = await peer.states(other)
    await peer.pass_time(LEASE + 1)

    assert before == ["pending"]
    assert await peer.states(other) == ["succeeded"]
