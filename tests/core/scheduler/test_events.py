"""Events: an emitted event sets off the tasks that wait for it, durably."""

from __future__ import annotations

from typing import Any

from modules.core.scheduler import ExecutionContext


async def test_an_emitted_event_sets_off_its_tasks_with_the_payload(node: Any) -> None:
    trigger = {"type": "event", "event": "order.paid", "where": {"country": "NL"}}
    payloads: list[Any] = []

    async def ship(context: ExecutionContext) -> None:
        payloads.append(context.payload)

    node.register("ship", ship)
    await node.add("ship", trigger=trigger)

    hit = (await node.scheduler.emit("order.paid", {"country": "NL", "id": 7})).unwrap()
    miss = (await node.scheduler.emit("order.paid", {"country": "BE"})).unwrap()
    other = (await node.scheduler.emit("order.lost")).unwrap()
    await node.scheduler.run_due()

    assert (hit, miss, other) == (1, 0, 0)
    assert payloads == [{"country": "NL", "id": 7}]


async def test_an_event_is_durable_across_a_restart(node: Any, start_node: Any) -> None:
    await node.add(trigger={"type": "event", "event": "x"})
    await node.scheduler.emit("x")

    other = await start_node()
    await other.scheduler.run_due()

    assert len(other.runs) == 1


async def test_an_event_task_ends_at_its_maximum(node: Any) -> None:
    task_id = await node.add(trigger={"type": "event", "event": "x"}, max_executions=1)

    counts = []
    for _ in range(2):
        counts.append((await node.scheduler.emit("x")).unwrap())
        await node.scheduler.run_due()

    assert counts == [1, 0]
    assert (await node.task(task_id))["status"] == "completed"
