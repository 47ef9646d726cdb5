"""Lines of functions: what waits for other nodes, or for nobody, neither hides anything nor costs a look."""

from __future__ import annotations

from typing import Any

from nodes import Stuck

from framework.testing.statements import seen_by

CROWD = 500


async def add_crowd(node: Any, function_name: str, count: int) -> None:
    config = {"name": "one of many", "module_id": "acme.test", "function_name": function_name, "schedule_time": "now"}
    (await node.scheduler.schedule_tasks([config | {"priority": 9}] * count)).unwrap()


async def test_a_row_that_nobody_can_run_is_shown_so_though_six_thousand_stand_before_it(start_node: Any) -> None:
    node, richer = await start_node(max_concurrent_tasks=1), await start_node()
    node.register("work", Stuck().run)
    richer.register("elsewhere", lambda: None)
    for _ in range(6):
        await add_crowd(node, "work", 1_000)
    task_id = await richer.add("elsewhere")

    for _ in range(3):
        node.clock.advance(20)
        await node.scheduler.turn()

    assert await node.reasons(task_id) == ["FUNCTION_NOT_REGISTERED"]


async def test_what_stands_there_for_another_node_is_not_even_looked_at(start_node: Any) -> None:
    node, richer = await start_node(), await start_node()
    richer.register("elsewhere", lambda: None)
    await richer.scheduler.turn()
    await add_crowd(richer, "elsewhere", CROWD)
    await node.scheduler.turn()
    fresh = [await node.add(name=f"fresh {number}", priority=number) for number in range(3)]

    with seen_by(node.app_context.database) as seen:
        await node.scheduler.turn()

    (looked_at,) = [given for text, given in seen.statements if "JOIN scheduler_events AS e" in text]
    ids = looked_at[0] if isinstance(looked_at[0], list) else looked_at[:-1]
    assert set(ids) == {row["id"] for task_id in fresh for row in await node.history(task_id)}
    assert [await node.states(task_id) for task_id in fresh] == [["running"]] * 3
