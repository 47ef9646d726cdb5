"""The line: a node claims what it can run; what must wait is out of it with a reason, and comes back by itself."""

from __future__ import annotations

from typing import Any

from nodes import Stuck
from sqlalchemy import func, select

from framework.testing.statements import seen_by
from modules.core.scheduler.store import nodes as store
from modules.core.scheduler.tables import executions

CROWD = 500


async def add_crowd(node: Any, function_name: str = "note", **config: Any) -> None:
    named = {"module_id": "acme.test", "function_name": function_name, "schedule_time": "now", "priority": 9}
    configs = [{"name": f"crowd {number}", **named, **config} for number in range(CROWD)]
    (await node.scheduler.schedule_tasks(configs)).unwrap()


async def places(node: Any) -> dict[str, int]:
    """Return how many pending executions stand in which place of the line."""
    query = select(executions.c.line, func.count()).where(executions.c.state == "pending").group_by(executions.c.line)
    return {row[0]: row[1] for row in await node.app_context.database.read(lambda c: c.execute(query).all())}


async def drain(node: Any, since: Any) -> None:
    node_id = (await node.scheduler.status()).unwrap()["node_id"]
    await node.app_context.database.write(lambda c: store.drain(c, node_id, since))


async def test_a_draining_node_claims_nothing_and_ends_what_it_runs(start_node: Any) -> None:
    node, peer, stuck = await start_node(), await start_node(), Stuck()
    node.register("work", stuck.run)
    begun = await node.add("work")
    await node.scheduler.turn()
    await drain(node, node.clock.now())
    fresh = await node.add()

    await node.scheduler.turn()
    left = await node.states(fresh)
    stuck.release.set()
    await node.scheduler.run_due()
    await peer.scheduler.run_due()

    assert left == ["pending"]
    assert await node.states(begun) == ["succeeded"]
    assert (len(node.runs), len(peer.runs)) == (0, 1)


async def test_a_node_that_drains_no_more_claims_again(node: Any) -> None:
    await node.scheduler.turn()
    await drain(node, node.clock.now())
    task_id = await node.add()
    await node.scheduler.run_due()

    await drain(node, None)
    await node.scheduler.run_due()

    assert await node.states(task_id) == ["succeeded"]


async def test_a_node_claims_only_functions_that_it_has(start_node: Any) -> None:
    node, richer = await start_node(), await start_node()
    richer.register("elsewhere", lambda: "elsewhere")
    await richer.scheduler.turn()
    task_id = await richer.add("elsewhere")

    await node.scheduler.run_due()
    left = await node.history(task_id)
    await richer.scheduler.run_due()

    assert [(row["state"], row["reason"]) for row in left] == [("pending", None)]
    assert await richer.states(task_id) == ["succeeded"]


async def test_what_no_node_can_run_is_shown_so_and_costs_no_turn(start_node: Any) -> None:
    node, richer = await start_node(), await start_node()
    richer.register("elsewhere", lambda: None)
    task_id = await richer.add("elsewhere")

    await node.scheduler.run_due()
    turned = await node.scheduler._runner._turn()

    assert await node.reasons(task_id) == ["FUNCTION_NOT_REGISTERED"]
    assert not turned.did_anything


async def test_it_is_back_in_line_as_soon_as_a_node_has_its_function(start_node: Any) -> None:
    node, richer = await start_node(), await start_node()
    richer.register("elsewhere", lambda: None)
    task_id = await richer.add("elsewhere")
    await node.scheduler.run_due()

    node.register("elsewhere", lambda: "here now")
    await node.scheduler.run_due()

    assert await node.states(task_id) == ["succeeded"]


async def test_five_hundred_that_nobody_can_run_do_not_hide_a_fresh_one(start_node: Any) -> None:
    node, richer = await start_node(), await start_node()
    richer.register("elsewhere", lambda: None)
    await add_crowd(richer, "elsewhere")
    fresh = await node.add()

    await node.scheduler.turn()

    assert await node.states(fresh) == ["running"]


async def test_five_hundred_of_paused_tasks_do_not_hide_a_fresh_one(node: Any) -> None:
    node.scheduler.register_function("acme.other", "other", lambda: None)
    await add_crowd(node, "other", module_id="acme.other")
    await node.scheduler.pause_all(module_id="acme.other")
    fresh = await node.add()

    await node.scheduler.turn()
    await node.scheduler.turn()

    assert await node.states(fresh) in (["running"], ["succeeded"])
    assert len(node.runs) == 1


async def test_five_hundred_before_a_full_limit_do_not_hide_a_fresh_one(node: Any) -> None:
    node.register("work", Stuck().run)
    await add_crowd(node, "work", concurrency_key="printer")
    fresh = await node.add()

    await node.scheduler.turn()
    await node.scheduler.turn()

    assert await node.states(fresh) in (["running"], ["succeeded"])
    assert len(node.runs) == 1


async def test_what_is_held_is_not_looked_at_again_turn_by_turn(node: Any) -> None:
    node.register("work", Stuck().run)
    await add_crowd(node, "work", concurrency_key="printer")
    for _ in range(4):
        await node.scheduler.turn()

    with seen_by(node.app_context.database) as seen:
        turned = await node.scheduler._runner._turn()

    assert not turned.did_anything
    assert len(seen.statements) < 15
    assert await places(node) == {"held": CROWD - 1}


async def test_what_a_paused_task_has_pending_says_so_and_comes_back_when_it_is_resumed(node: Any) -> None:
    stuck = Stuck()
    node.register("work", stuck.run)
    task_id = await node.add_every(60, "work", overlap="queue")
    for _ in range(2):
        node.clock.advance(60)
        await node.scheduler.turn()
    await node.scheduler.pause_task(task_id)
    stuck.release.set()
    await node.scheduler.run_due()
    held = (await node.history(task_id))[-1]

    await node.scheduler.resume_task(task_id)
    await node.scheduler.run_due()

    assert (held["state"], held["reason"]) == ("pending", "TASK_PAUSED")
    assert await node.states(task_id) == ["succeeded", "succeeded"]


async def test_what_a_paused_module_has_pending_says_so_and_comes_back_at_once(node: Any) -> None:
    task_id = await node.add()
    await node.scheduler.pause_all("not now", module_id="acme.test")
    await node.scheduler.run_due()
    held = await node.reasons(task_id)

    await node.scheduler.resume_all(module_id="acme.test")
    back = await places(node)
    await node.scheduler.run_due()

    assert (held, back) == (["PAUSED"], {"ready": 1})
    assert await node.states(task_id) == ["succeeded"]


async def test_a_run_by_hand_of_a_paused_task_does_not_wait(node: Any) -> None:
    task_id = await node.add_every(60)
    await node.scheduler.pause_task(task_id)

    await node.scheduler.execute_task(task_id)
    await node.scheduler.run_due()

    assert await node.states(task_id) == ["succeeded"]


async def test_whoever_makes_room_lets_exactly_the_next_one_try(node: Any) -> None:
    stuck = Stuck()
    node.register("work", stuck.run)
    first, *_ = [await node.add("work", name=f"task {number}", concurrency_key="printer") for number in range(4)]
    await node.scheduler.turn()
    await node.scheduler.turn()
    (running,) = await node.history(first)
    await node.scheduler.cancel_execution(running["id"])
    await node.scheduler.turn()
    await stuck.ended.wait()
    stuck.ended.clear()

    while (await node.states(first)) == ["running"]:
        await node.scheduler.turn()

    assert (await node.states()).count("running") == 1
    assert await places(node) == {"held": 2}


async def test_a_node_that_is_cut_off_makes_room_for_the_next_one_at_once(start_node: Any) -> None:
    leaving, peer = await start_node(), await start_node()
    for node in (leaving, peer):
        node.register("work", Stuck().run)
    shared = {"concurrency_key": "printer", "delivery": "at_most_once", "schedule_time": "now"}
    first, second = [await peer.add("work", name=f"task {number}", **shared) for number in range(2)]
    await leaving.scheduler.turn()
    await peer.scheduler.turn()
    held = await peer.reasons(second)

    leaving.scheduler.stop_now()
    await peer.scheduler.turn()

    assert held == ["LIMIT"]
    assert [await peer.states(task_id) for task_id in (first, second)] == [["cancelled"], ["running"]]
