"""Recovery: what a dead node ran is found and run again, and a node that is taken for dead writes nothing more."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from nodes import Stuck, freeze, kill, release_all
from processes import ROOT
from sqlalchemy import select

from modules.core.scheduler import ExecutionContext, process
from modules.core.scheduler.ending import Ending, record
from modules.core.scheduler.execution import Outcome, State
from modules.core.scheduler.store import nodes as node_rows
from modules.core.scheduler.tables import nodes as nodes_table

LEASE = 60.0


@pytest.fixture(autouse=True)
def _released_in_the_end(start_node: Any) -> Iterator[None]:
    yield
    release_all()


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
    task_id = await dying.add("work", delay=0)
    await begun(dying, task_id, stuck)

    kill(dying)
    await peer.pass_time(LEASE + 1)

    lost, again = await peer.history(task_id)
    assert (lost["state"], lost["reason"], lost["success"], lost["attempt"]) == ("lost", "NODE_LOST", False, 1)
    assert (again["state"], again["result"], again["attempt"]) == ("succeeded", "done by the peer", 2)
    assert contexts[0].idempotency_key == stuck.contexts[0].idempotency_key
    assert contexts[0].retries_used == 0
    assert (await peer.task(task_id))["status"] == "completed"


async def test_before_the_lease_has_run_out_nothing_is_taken(start_node: Any) -> None:
    frozen, peer, stuck = await start_node(), await start_node(), Stuck()
    frozen.register("work", stuck.run)
    task_id = await frozen.add("work", delay=0)
    await begun(frozen, task_id, stuck)

    freeze(frozen)
    await peer.pass_time(LEASE - 1)

    assert await peer.states(task_id) == ["running"]
    stuck.release.set()


async def test_what_a_living_peer_runs_is_left_alone_however_long_it_takes(start_node: Any) -> None:
    living, peer, stuck = await start_node(), await start_node(), Stuck()
    living.register("work", stuck.run)
    task_id = await living.add("work", delay=0, timeout="1 hour")
    await begun(living, task_id, stuck)

    for _ in range(10):
        await peer.pass_time(LEASE / 4)
        await living.scheduler.turn()
    stuck.release.set()
    await living.scheduler.run_due()

    assert await peer.states(task_id) == ["succeeded"]


async def test_the_ending_of_a_node_that_was_taken_for_dead_is_refused(start_node: Any) -> None:
    frozen, peer, stuck = await start_node(), await start_node(), Stuck()
    frozen.register("work", stuck.run)
    peer.register("work", lambda: "done by the peer")
    task_id = await frozen.add("work", delay=0)
    await begun(frozen, task_id, stuck)
    freeze(frozen)
    await peer.pass_time(LEASE + 1)
    before = await peer.history(task_id)

    stuck.release.set()
    await stuck.ended.wait()
    await frozen.scheduler.run_due()

    assert await peer.history(task_id) == before
    assert [row["result"] for row in before] == [None, "done by the peer"]
    assert (await peer.task(task_id))["status"] == "completed"


async def test_a_node_that_was_taken_for_dead_stops_its_run_and_goes_on_under_a_new_id(start_node: Any) -> None:
    frozen, peer, stuck = await start_node(), await start_node(), Stuck()
    frozen.register("work", stuck.run)
    task_id = await frozen.add("work", delay=0)
    await begun(frozen, task_id, stuck)
    old_id = (await frozen.scheduler.status()).unwrap()["node_id"]
    freeze(frozen)
    await peer.pass_time(LEASE + 1)

    await frozen.scheduler.turn()
    await stuck.ended.wait()
    other = await frozen.add(delay=0)
    stuck.release.set()
    await frozen.scheduler.run_due()

    assert stuck.contexts[0].cancelled
    assert await frozen.states(other) == ["succeeded"]
    assert await frozen.states(task_id) == ["lost", "succeeded"]
    assert (await frozen.scheduler.status()).unwrap()["node_id"] not in (old_id, None)


async def test_an_ending_is_refused_once_the_lease_has_run_out_even_if_nobody_noticed(start_node: Any) -> None:
    frozen, stuck = await start_node(), Stuck()
    frozen.register("work", stuck.run)
    task_id = await frozen.add("work", delay=0)
    await begun(frozen, task_id, stuck)
    freeze(frozen)
    (row,) = await frozen.history(task_id)
    node_id = (await frozen.scheduler.status()).unwrap()["node_id"]
    ending = Ending(row["id"], task_id, "work", Outcome(State.SUCCEEDED), None, None, 1.0)

    frozen.clock.advance(LEASE)
    refused = await frozen.app_context.database.write(lambda c: record(c, node_id, [ending], frozen.clock.now()))

    assert refused == [row["id"]]
    assert await frozen.history(task_id) == [row]
    stuck.release.set()


async def test_a_node_that_slept_past_its_lease_unnoticed_renews_it_and_ends_its_run(start_node: Any) -> None:
    frozen, stuck = await start_node(), Stuck()
    frozen.register("work", stuck.run)
    task_id = await frozen.add("work", delay=0)
    await begun(frozen, task_id, stuck)
    freeze(frozen)

    frozen.clock.advance(2 * LEASE)
    stuck.release.set()
    await frozen.scheduler.run_due()

    assert await frozen.states(task_id) == ["succeeded"]


async def test_at_most_once_never_runs_again(start_node: Any) -> None:
    dying, peer, stuck = await start_node(), await start_node(), Stuck()
    dying.register("work", stuck.run)
    peer.register("work", stuck.run)
    once = await dying.add("work", delay=0, delivery="at_most_once")
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
    task_id = await node.add("deadly", delay=0)

    for _ in range(2):
        await begun(node, task_id, deadly)
        kill(node)
        node.clock.advance(LEASE + 1)
    await node.scheduler.run_due()

    assert await node.states(task_id) == ["lost", "failed"]
    assert (await node.task(task_id))["status"] == "failed"


async def test_a_running_row_without_any_node_is_found(node: Any) -> None:
    task_id = await node.add(delay=0)
    await node.scheduler.run_due()
    (row,) = await node.history(task_id)
    await node.damage_execution(row["id"], state="running", node_id="nobody", end_time=None)

    await node.scheduler.run_due()

    assert await node.states(task_id) == ["lost", "succeeded"]


async def test_more_lost_rows_than_one_batch_are_all_found(node: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("modules.core.scheduler.recovery.BATCH", 3)
    ids = [await node.add(name=f"task {number}", delay=0) for number in range(10)]
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
    task_id = await node.add("failing", delay=0, max_retries=2, retry_delay=600, retry_backoff=1, retry_jitter=0)
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
    task_id = await node.add("work", delay=0, max_retries=1)
    await begun(node, task_id, stuck)

    kill(node)
    node.clock.advance(LEASE + 1)
    await begun(node, task_id, stuck)
    stuck.release.set()

    assert [(each.attempt, each.retries_used) for each in stuck.contexts] == [(1, 0), (2, 0)]


async def test_a_cancelled_task_is_not_run_again_after_its_node_died(start_node: Any) -> None:
    dying, peer, stuck = await start_node(), await start_node(), Stuck()
    dying.register("work", stuck.run)
    task_id = await dying.add("work", delay=0)
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
    task_id = await dying.add("work", delay=0)
    await begun(dying, task_id, stuck)
    kill(dying)
    stuck.release.set()

    peers[0].clock.advance(LEASE + 1)
    await asyncio.gather(*[peer.scheduler.run_due() for peer in peers])
    await peers[0].scheduler.run_due()

    assert await peers[0].states(task_id) == ["lost", "succeeded"]


CHILD = """
import json, sys
from modules.core.scheduler import process
print(json.dumps(process.identity()), flush=True)
sys.stdin.readline()
"""


async def running_on(node: Any, identity: dict[str, Any]) -> str:
    """Return the id of a task that runs on a node of this identity, whose lease holds for long."""
    now = node.clock.now()
    values = {"id": "elsewhere", "started_at": now, "lease_until": now + timedelta(days=1), **identity}
    await node.app_context.database.write(lambda c: node_rows.register(c, values))
    task_id: str = await node.add(delay=0)
    await node.scheduler.run_due()
    (row,) = await node.history(task_id)
    await node.damage_execution(row["id"], state="running", node_id="elsewhere", end_time=None)
    return task_id


async def test_a_process_of_this_host_that_is_gone_is_noticed_at_once(node: Any) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    child = subprocess.Popen(  # noqa: ASYNC220  # nothing else runs in this loop meanwhile
        [sys.executable, "-c", CHILD], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with child:
        assert child.stdout is not None
        task_id = await running_on(node, json.loads(child.stdout.readline()))
        await node.scheduler.run_due()
        assert await node.states(task_id) == ["running"]
        child.kill()

    await node.scheduler.run_due()

    assert await node.states(task_id) == ["lost", "succeeded"]


async def test_a_reused_process_id_does_not_hide_a_death(node: Any) -> None:
    task_id = await running_on(node, {**process.identity(), "process_started": "1"})

    await node.scheduler.run_due()

    assert await node.states(task_id) == ["lost", "succeeded"]


async def test_another_hosts_process_ids_mean_nothing_here(node: Any) -> None:
    task_id = await running_on(node, {"host": "another", "pid": 2**22 + 1, "process_started": "1"})

    await node.scheduler.run_due()

    assert await node.states(task_id) == ["running"]


async def test_the_id_of_a_node_is_new_for_every_start(start_node: Any) -> None:
    node, peer = await start_node(), await start_node()
    for each in (node, peer):
        await each.scheduler.run_due()
    kill(node)
    await node.scheduler.run_due()

    rows = await node.app_context.database.read(lambda c: c.execute(select(nodes_table)).all())

    assert len({row.id for row in rows}) == 3
    assert len({(row.host, row.pid, row.process_started) for row in rows}) == 1
