"""Recovery: what a dead node ran is found and run again, and a node that is taken for dead writes nothing more."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from nodes import Stuck, kill
from sqlalchemy import Connection

from modules.core.scheduler import ExecutionContext
from modules.core.scheduler.store import executions
from modules.core.scheduler.tables import executions as table

LEASE = 60.0


async def begun(node: Any, task_id: str, stuck: Stuck) -> None:
    """Let the node begin the task's function, which does not end."""
    stuck.started.clear()
    await node.scheduler.turn()
    await stuck.started.wait()
    assert (await node.states(task_id))[-1] == "running"


async def test_what_a_dead_node_ran_is_closed_as_lost_and_runs_again(start_node: Any) -> None:
    dying, peer, stuck, contexts = await start_node(), await start_node(), Stuck(), []
    dying.register("work", stuck.run)

    def work(context: ExecutionContext) -> str:
        contexts.append(context)
        return "done by the peer"

    peer.register("work", work)
    task_id = await dying.add("work")
    await begun(dying, task_id, stuck)

    kill(dying)
    await peer.pass_time(LEASE + 1)

    lost, again = await peer.history(task_id)
    assert (lost["state"], lost["reason"], lost["success"], lost["attempt"]) == ("lost", "NODE_LOST", False, 1)
    assert (again["state"], again["result"], again["attempt"]) == ("succeeded", "done by the peer", 2)
    assert contexts[0].idempotency_key == stuck.contexts[0].idempotency_key
    assert contexts[0].retries_used == 0
    assert (await peer.task(task_id))["status"] == "completed"


async def test_at_most_once_never_runs_again(start_node: Any) -> None:
    dying, peer, stuck = await start_node(), await start_node(), Stuck()
    dying.register("work", stuck.run)
    peer.register("work", stuck.run)
    once = await dying.add("work", delivery="at_most_once")
    await begun(dying, once, stuck)

    kill(dying)
    await peer.pass_time(LEASE + 1)

    assert await peer.states(once) == ["lost"]
    assert (await peer.task(once))["status"] == "failed"
    assert len(stuck.contexts) == 1


async def test_a_recurring_task_that_runs_at_most_once_goes_on_with_its_next_occurrence(start_node: Any) -> None:
    node, stuck = await start_node(), Stuck()
    node.register("work", stuck.run)
    task_id = await node.add_every(600, "work", delivery="at_most_once")
    node.clock.advance(600)
    await begun(node, task_id, stuck)

    kill(node)
    stuck.release.set()
    await node.pass_time(LEASE + 1)
    await node.pass_time(600)

    assert await node.states(task_id) == ["lost", "succeeded"]


async def test_a_run_that_keeps_killing_its_node_is_set_aside_and_others_go_on(start_node: Any) -> None:
    node, deadly = await start_node(), Stuck()
    node.register("deadly", deadly.run)
    task_id = await node.add_every(3600, "deadly")
    other = await node.add_every(3600)
    node.clock.advance(3600)

    for _ in range(3):
        await begun(node, task_id, deadly)
        kill(node)
        node.clock.advance(LEASE + 1)
    await node.scheduler.run_due()
    await node.pass_time(2 * 3600)

    assert await node.states(task_id) == ["lost", "lost", "failed"]
    assert (await node.reasons(task_id))[-1] == "CRASH_LIMIT"
    assert [row["attempt"] for row in await node.history(task_id)] == [1, 2, 3]
    task = await node.task(task_id)
    assert (task["status"], task["status_reason"]) == ("paused", "CRASH_LIMIT")
    assert (await node.states(other))[-1] == "succeeded"
    assert len(deadly.contexts) == 3


async def test_a_one_time_run_that_keeps_killing_its_node_has_failed(start_node: Any) -> None:
    node, deadly = await start_node(crash_limit=2), Stuck()
    node.register("deadly", deadly.run)
    task_id = await node.add("deadly")

    for _ in range(2):
        await begun(node, task_id, deadly)
        kill(node)
        node.clock.advance(LEASE + 1)
    await node.scheduler.run_due()

    assert await node.states(task_id) == ["lost", "failed"]
    assert (await node.task(task_id))["status"] == "failed"


async def test_a_running_row_without_any_node_is_found(node: Any) -> None:
    task_id = await node.add()
    await node.scheduler.run_due()
    (row,) = await node.history(task_id)
    await node.damage_execution(row["id"], state="running", node_id="nobody", end_time=None)

    await node.scheduler.run_due()

    assert await node.states(task_id) == ["lost", "succeeded"]


async def test_more_lost_rows_than_one_batch_are_all_found(node: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("modules.core.scheduler.recovery.BATCH", 3)
    ids = [await node.add(name=f"task {number}") for number in range(10)]
    await node.scheduler.run_due()
    for row in await node.history():
        await node.damage_execution(row["id"], state="running", node_id="nobody", end_time=None)

    await node.scheduler.run_due()

    assert [await node.states(each) for each in ids] == [["lost", "succeeded"]] * 10


async def test_a_restart_while_a_retry_waits_does_not_use_up_an_attempt(node: Any) -> None:
    attempts = []

    def failing(context: ExecutionContext) -> None:
        attempts.append((context.attempt, context.retries_used))
        raise LookupError("not yet")

    node.register("failing", failing)
    task_id = await node.add("failing", max_retries=2, retry_delay=600, retry_backoff=1, retry_jitter=0)
    await node.scheduler.run_due()

    kill(node)
    await node.pass_time(300)
    assert await node.states(task_id) == ["failed", "pending"]
    kill(node)
    await node.pass_time(300)

    assert attempts == [(1, 0), (2, 1)]
    assert await node.states(task_id) == ["failed", "failed", "pending"]


async def test_a_lost_run_is_not_a_used_retry(node: Any) -> None:
    stuck = Stuck()
    node.register("work", stuck.run)
    task_id = await node.add("work", max_retries=1)
    await begun(node, task_id, stuck)

    kill(node)
    node.clock.advance(LEASE + 1)
    await begun(node, task_id, stuck)
    stuck.release.set()

    assert [(each.attempt, each.retries_used) for each in stuck.contexts] == [(1, 0), (2, 0)]


async def test_a_cancelled_task_is_not_run_again_after_its_node_died(start_node: Any) -> None:
    dying, peer, stuck = await start_node(), await start_node(), Stuck()
    dying.register("work", stuck.run)
    task_id = await dying.add("work")
    await begun(dying, task_id, stuck)
    kill(dying)

    (await peer.scheduler.cancel_task(task_id)).unwrap()
    await peer.pass_time(LEASE + 1)

    assert await peer.states(task_id) == ["lost"]
    assert (await peer.task(task_id))["status"] == "cancelled"


async def test_two_nodes_that_look_at_once_recover_a_run_once(start_node: Any) -> None:
    dying, *peers = [await start_node() for _ in range(3)]
    stuck = Stuck()
    for each in (dying, *peers):
        each.register("work", stuck.run)
    task_id = await dying.add("work")
    await begun(dying, task_id, stuck)
    kill(dying)
    stuck.release.set()

    peers[0].clock.advance(LEASE + 1)
    await asyncio.gather(*[peer.scheduler.run_due() for peer in peers])
    await peers[0].scheduler.run_due()

    assert await peers[0].states(task_id) == ["lost", "succeeded"]


async def test_a_run_that_ends_while_recovery_looks_stays_ended(node: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    task_id = await node.add()
    await node.scheduler.run_due()
    (row,) = await node.history(task_id)
    await node.damage_execution(row["id"], state="running", node_id="nobody", end_time=None)
    lost = executions.lost

    def look_before_it_ends(c: Connection, limit: int) -> Any:
        rows = lost(c, limit)
        ended = table.update().where(table.c.id == row["id"]).values(state="succeeded", end_time=node.clock.now())
        c.execute(ended)
        return rows

    monkeypatch.setattr(executions, "lost", look_before_it_ends)
    await node.scheduler.run_due()

    assert await node.states(task_id) == ["succeeded"]
