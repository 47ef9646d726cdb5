"""Queues: lines beside each other, each with its slots on a node, each to be held back alone."""

from __future__ import annotations

from typing import Any

import pytest
from nodes import Stuck

from modules.core.scheduler import operating
from modules.core.scheduler.store import nodes as store


async def add_stuck(node: Any, queue: str, count: int) -> list[str]:
    """Schedule so many tasks of a queue whose functions do not end."""
    return [await node.add("work", name=f"{queue} {number}", queue=queue) for number in range(count)]


async def states_of(node: Any, tasks: list[str]) -> list[str]:
    return [state for task_id in tasks for state in await node.states(task_id)]


async def test_a_node_runs_of_each_queue_at_most_as_many_as_it_has_slots_for_it(start_node: Any) -> None:
    node = await start_node(queues={"mail": 2, "reports": 1}, max_concurrent_tasks=10)
    node.register("work", Stuck().run)
    mail, reports = await add_stuck(node, "mail", 4), await add_stuck(node, "reports", 3)

    await node.scheduler.turn()
    await node.scheduler.turn()

    assert sorted(await states_of(node, mail)) == ["pending", "pending", "running", "running"]
    assert sorted(await states_of(node, reports)) == ["pending", "pending", "running"]


async def test_all_queues_together_never_exceed_the_limit_of_the_node(start_node: Any) -> None:
    node = await start_node(queues={"mail": 3, "reports": 3}, max_concurrent_tasks=4)
    node.register("work", Stuck().run)
    tasks = await add_stuck(node, "mail", 3) + await add_stuck(node, "reports", 3)

    await node.scheduler.turn()

    assert (await states_of(node, tasks)).count("running") == 4


async def test_a_queue_that_no_setting_names_is_served_by_nodes_without_queues_alone(start_node: Any) -> None:
    special, plain = await start_node(queues={"mail": 5}), await start_node()
    task_id = await plain.add(queue="reports")

    await special.scheduler.run_due()
    left = await plain.states(task_id)
    await plain.scheduler.run_due()

    assert left == ["pending"]
    assert await plain.states(task_id) == ["succeeded"]


async def test_a_task_without_a_queue_stands_in_the_one_called_default(start_node: Any) -> None:
    node = await start_node(queues={"default": 1})
    task_id = await node.add()

    await node.scheduler.run_due()

    assert await node.states(task_id) == ["succeeded"]


async def test_a_crowded_queue_does_not_hold_up_another(start_node: Any) -> None:
    node = await start_node(queues={"mail": 1, "reports": 1})
    node.register("work", Stuck().run)
    await add_stuck(node, "mail", 300)
    await node.scheduler.turn()
    fresh = await node.add(queue="reports")

    await node.scheduler.turn()

    assert await node.states(fresh) == ["running"]


async def test_where_no_queues_are_named_every_queue_gets_its_turn(start_node: Any) -> None:
    node = await start_node(max_concurrent_tasks=1)
    for queue in ("a", "b", "c"):
        for number in range(5):
            await node.add(name=f"{queue} {number}", queue=queue, parameters={"queue": queue})

    for _ in range(3):
        await node.scheduler.turn()
        while node.scheduler._runner.running:
            await node.clock.sleep(0)

    assert {run["queue"] for run in node.runs} == {"a", "b", "c"}


async def test_a_paused_queue_waits_on_every_node_while_others_go_on(start_node: Any) -> None:
    node, peer = await start_node(), await start_node()
    held, free = await node.add(queue="mail"), await node.add(queue="reports")
    now = node.clock.now()
    await node.app_context.database.write(lambda c: store.hold(c, "queue:mail", "the server is down", now))

    await node.scheduler.run_due()
    await peer.scheduler.run_due()
    while_paused = await states_of(node, [held, free])
    await node.scheduler.resume_all(module_id="queue:mail")
    await peer.scheduler.run_due()

    assert while_paused == ["pending", "succeeded"]
    assert await node.states(held) == ["succeeded"]


async def test_a_retry_stays_in_the_queue_of_its_task(start_node: Any) -> None:
    node = await start_node(queues={"mail": 1})
    calls: list[str] = []

    async def fail_at_first() -> None:
        calls.append("call")
        if len(calls) == 1:
            raise LookupError("not yet")

    node.register("fail_at_first", fail_at_first)
    task_id = await node.add("fail_at_first", queue="mail", max_retries=1, retry_delay=1)

    await node.scheduler.run_due()
    await node.pass_time(2)

    assert await node.states(task_id) == ["failed", "succeeded"]


@pytest.mark.parametrize("queue", ["", "two words", "queue:x", "-", "x" * 101, 7])
async def test_a_queue_has_a_plain_name(node: Any, queue: Any) -> None:
    config = {"name": "n", "module_id": "acme.test", "function_name": "note", "schedule_time": "now", "queue": queue}

    refused = await node.scheduler.schedule_task(config)

    assert [problem["field"] for problem in refused.error.details["problems"]] == ["queue"]


async def test_what_waits_in_queues_is_counted_no_further_than_makes_sense(node: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(operating, "MOST_COUNTED", 3)
    await node.scheduler.turn()
    await node.scheduler.drain_node(node.scheduler._runner.node_id)
    for queue, number in (("few", 2), ("many", 5)):
        for _ in range(number):
            await node.add(queue=queue)
    await node.scheduler.turn()

    queues = (await node.scheduler.list_queues()).unwrap()

    shown = {each["name"]: (each["ready"], each["is_cut"]) for each in queues}
    assert (shown["few"], shown["many"]) == ((2, False), (3, True))
