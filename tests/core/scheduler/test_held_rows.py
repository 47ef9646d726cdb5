"""Rows that are held come back: all of them, and none is hidden behind others whose time has not come."""

from __future__ import annotations

from collections import Counter
from typing import Any

from nodes import Stuck, until

from modules.core.scheduler.firing import fire_due

BUSY = 510  # more than an upkeep takes at once
LOST = 1_200
UPKEEP = 16.0  # seconds, more than a quarter of the lease


async def add_many(node: Any, function_name: str, count: int, **config: Any) -> None:
    given = {"module_id": "acme.test", "function_name": function_name, "schedule_time": "now", **config}
    (await node.scheduler.schedule_tasks([{"name": f"task {n}", **given} for n in range(count)])).unwrap()


async def held(node: Any) -> Counter[str | None]:
    """Return how many executions wait, by the reason."""
    query = "SELECT reason, count(*) FROM scheduler_executions WHERE state = 'pending' AND line = 'held' GROUP BY 1"
    rows = await node.app_context.database.read(lambda c: c.exec_driver_sql(query).all())
    return Counter(dict(rows))


async def test_a_row_that_nobody_woke_comes_back_though_many_wait_for_another_limit(start_node: Any) -> None:
    node, stuck = await start_node(), Stuck()
    node.register("work", stuck.run)
    await add_many(node, "work", BUSY + 1, concurrency_key="busy", priority=9)
    while (await held(node))["LIMIT"] < BUSY:
        await node.scheduler.turn()
    task_id = await node.add(concurrency_key="idle")
    await node.app_context.database.write(lambda c: fire_due(c, node.clock.now(), 10))
    (row,) = await node.history(task_id)
    await node.damage_execution(row["id"], line="held", reason="LIMIT")

    await node.scheduler.turn()
    before = await node.states(task_id)
    node.clock.advance(UPKEEP)

    async def has_run() -> bool:
        await node.scheduler.turn()
        return await node.states(task_id) == ["succeeded"]

    await until(has_run)

    assert before == ["pending"]
    assert (await held(node))["LIMIT"] == BUSY


async def test_however_many_wait_for_a_function_all_of_them_run_once_it_is_there(start_node: Any) -> None:
    other, node = await start_node(), await start_node(max_concurrent_tasks=500)
    other.register("elsewhere", lambda: None)
    await add_many(other, "elsewhere", LOST)
    await node.scheduler.run_due()
    before = await held(node)

    node.register("elsewhere", note := Noted())
    await node.scheduler.run_due()

    assert before == {"FUNCTION_NOT_REGISTERED": LOST}
    assert await held(node) == {}
    assert note.times == LOST


class Noted:
    """A function that counts."""

    def __init__(self) -> None:
        self.times = 0

    async def __call__(self) -> None:
        """Count one more."""
        self.times += 1
