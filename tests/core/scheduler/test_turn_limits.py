"""How much runs at once and how long: also when turns meet, and when runs have crashed before."""

from __future__ import annotations

import asyncio
from typing import Any

from nodes import Stuck, ended

from modules.core.scheduler.firing import fire_due


async def test_two_turns_at_once_never_start_more_than_the_limit(start_node: Any) -> None:
    node, running, most = await start_node(max_concurrent_tasks=3), 0, 0

    async def count() -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        for _ in range(20):
            await node.clock.sleep(0)
        running -= 1

    node.register("count", count)
    for number in range(30):
        await node.add("count", name=f"task {number}")

    await asyncio.gather(*[node.scheduler.run_due() for _ in range(4)])

    assert await node.states() == ["succeeded"] * 30
    assert most == 3


async def test_run_due_ends_what_has_no_time_left(node: Any) -> None:
    stuck = Stuck()
    node.register("work", stuck.run)
    task_id = await node.add("work", timeout=30)

    running = asyncio.ensure_future(node.scheduler.run_due())
    await stuck.started.wait()
    while not running.done():
        node.clock.advance(1)
        await node.clock.sleep(0)

    assert await node.states(task_id) == ["timed_out"]


async def test_the_time_limit_of_the_last_of_many_that_start_at_once_is_seen_in_time(start_node: Any) -> None:
    node = await start_node(max_concurrent_tasks=100, poll_interval="1 hour")
    others, last = Stuck(), Stuck()
    node.register("work", others.run)
    node.register("last", last.run)
    named = {"module_id": "acme.test", "schedule_time": "now"}
    configs = [{"name": f"task {number}", "function_name": "work", **named} for number in range(69)]
    (await node.scheduler.schedule_tasks(configs)).unwrap()
    node.clock.advance(0.001)
    task_id = await node.add("last", timeout=2)

    running = asyncio.ensure_future(node.scheduler.run_due())
    await last.started.wait()
    for _ in range(20):
        await node.clock.sleep(0)
    node.clock.advance(2)
    await ended(node, task_id)
    others.release.set()
    await running

    assert await node.states(task_id) == ["timed_out"]
    assert len(others.contexts) == 69


async def test_runs_on_their_last_chance_are_tried_one_at_a_time_and_hide_no_others(start_node: Any) -> None:
    node, running, most = await start_node(crash_limit=2), 0, 0

    async def count() -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        for _ in range(20):
            await node.clock.sleep(0)
        running -= 1

    node.register("count", count)
    for number in range(12):
        await node.add("count", name=f"task {number}")
    await node.app_context.database.write(lambda c: fire_due(c, node.clock.now(), 100))
    for row in await node.history():
        await node.damage_execution(row["id"], crashes=1)
    fresh = await node.add()
    await node.scheduler.turn()
    await node.scheduler.turn()

    assert await node.states(fresh) != ["pending"]
    await node.scheduler.run_due()
    assert await node.states() == ["succeeded"] * 13
    assert most == 1
