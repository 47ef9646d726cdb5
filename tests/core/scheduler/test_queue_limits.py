"""How many of a queue run at once on all nodes is what an operator has said, from the next turn on."""

from __future__ import annotations

from typing import Any

from nodes import Stuck, most_at_once, running


async def test_the_limit_of_a_queue_is_never_exceeded_on_all_nodes_together(start_node: Any) -> None:
    nodes = [await start_node() for _ in range(2)]
    stuck = [Stuck(), Stuck()]
    for node, function in zip(nodes, stuck, strict=True):
        node.register("work", function.run)
    await nodes[0].scheduler.limit_queue("mail", 3)
    for number in range(8):
        await nodes[0].add("work", name=f"task {number}", queue="mail")
    await nodes[0].add("work", name="beside")

    assert await most_at_once(nodes, stuck) == 4
    assert await nodes[0].states() == ["succeeded"] * 9


async def test_a_limit_of_a_queue_that_is_taken_back_holds_no_longer(start_node: Any) -> None:
    node, stuck = await start_node(), Stuck()
    node.register("work", stuck.run)
    await node.scheduler.limit_queue("default", 1)
    for number in range(3):
        await node.add("work", name=f"task {number}")

    at_once = []
    for limit in (2, 1, None):
        await node.scheduler.turn()
        at_once.append(await running(node))
        await node.scheduler.limit_queue("default", limit)
    await node.scheduler.turn()
    at_once.append(await running(node))
    stuck.release.set()
    await node.scheduler.run_due()

    assert at_once == [1, 2, 2, 3]


async def test_a_limit_of_a_queue_is_a_number_from_one_on(node: Any) -> None:
    limited = (await node.scheduler.limit_queue("mail", 3)).unwrap()
    refused = [(await node.scheduler.limit_queue("mail", limit)).error.code for limit in (0, -1, True, "3", 10**6)]
    listed = {each["name"]: each["limit"] for each in (await node.scheduler.list_queues()).unwrap()}
    unlimited = (await node.scheduler.limit_queue("mail", None)).unwrap()

    assert (limited["limit"], unlimited["limit"]) == (3, None)
    assert listed == {"default": None, "mail": 3}
    assert refused == ["INVALID_CONFIG"] * 5
