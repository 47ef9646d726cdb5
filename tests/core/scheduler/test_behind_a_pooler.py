"""Nodes that reach PostgreSQL through a real PgBouncer in transaction mode, without notices: they only learn later."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from nodes import Stuck, begun, kill, until
from pooler import POOLED
from processes import ROOT
from sqlalchemy import text

from framework.database import Database

pytestmark = pytest.mark.postgres
LEASE = 60.0
POLL = 15.0
CONTRACT = ("test_fencing.py",)  # `make torture` takes more
SESSIONS = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
LISTENING = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query ILIKE '%LISTEN %'"
    " AND pid <> pg_backend_pid()"
)


@pytest.fixture
def database_url(pooled_url: str) -> str:
    """The way through the pooler."""
    return pooled_url


@pytest.fixture
async def pooled(start_node: Any) -> Any:
    """A node that is told of the pooler, driven by hand."""
    return await start_node(framework={"database_pooled": True}, notify=False)


async def peer_of(start_node: Any, **settings: Any) -> Any:
    return await start_node(framework={"database_pooled": True}, notify=False, **settings)


async def test_tasks_of_every_kind_are_stored_run_and_recorded(pooled: Any) -> None:
    once = await pooled.add(delay=1, parameters={"n": 1})
    often = await pooled.add_every(10)
    awaited = await pooled.add(trigger={"type": "event", "event": "arrived"})
    config = {"name": "one of many", "module_id": "acme.test", "function_name": "note", "delay": 5}
    (await pooled.scheduler.schedule_tasks([config] * 50)).unwrap()

    for _ in range(3):
        await pooled.pass_time(10)
        (await pooled.scheduler.emit("arrived")).unwrap()
    await pooled.scheduler.run_due()

    assert [len(await pooled.states(task)) for task in (once, often, awaited)] == [1, 3, 3]
    assert set(await pooled.states()) == {"succeeded"}
    assert len(await pooled.history()) == 57


async def test_what_waits_and_what_runs_is_cancelled(pooled: Any) -> None:
    stuck = Stuck()
    pooled.register("work", stuck.run)
    waiting, running = await pooled.add(delay="1 hour"), await pooled.add("work")
    await begun(pooled, stuck)

    (await pooled.scheduler.cancel_task(waiting)).unwrap()
    (await pooled.scheduler.cancel_task(running, cancel_running=True)).unwrap()
    await pooled.scheduler.run_due()

    assert await pooled.states(running) == ["cancelled"]
    assert [(await pooled.task(task))["status"] for task in (waiting, running)] == ["cancelled", "cancelled"]


async def test_what_a_killed_node_ran_is_run_again_by_its_peer(pooled: Any, start_node: Any) -> None:
    peer, stuck = await peer_of(start_node), Stuck()
    pooled.register("work", stuck.run)
    peer.register("work", lambda: "done by the peer")
    task_id = await pooled.add("work")
    await begun(pooled, stuck)

    kill(pooled)
    await peer.pass_time(LEASE + 1)

    assert await peer.states(task_id) == ["lost", "succeeded"]


async def test_a_loop_finds_by_its_poll_what_another_node_has_stored(pooled: Any, start_node: Any) -> None:
    looping = await peer_of(start_node, enabled=True, poll_interval=POLL)
    task_id = await pooled.add()

    async def has_ended() -> bool:
        pooled.clock.advance(1)
        return (await pooled.states(task_id)) == ["succeeded"]

    before = pooled.clock.now()
    await until(has_ended)

    assert len(looping.runs) == 1
    assert pooled.clock.now() - before <= timedelta(seconds=10 * POLL)


async def test_nobody_listens_and_few_sessions_serve_many_connections(
    pooled: Any, start_node: Any, postgres_url: str
) -> None:
    peers = [await peer_of(start_node, enabled=True) for _ in range(3)]
    for each in (pooled, *peers):
        await asyncio.gather(*(each.scheduler.list_tasks() for _ in range(4)))
        await each.add()
    direct = Database(postgres_url)
    counted = [
        await direct.read(lambda c, query=query: c.execute(query).scalar_one()) for query in (SESSIONS, LISTENING)
    ]
    await direct.close()

    assert 0 < counted[0] <= 5  # those of the pooler, and our own
    assert counted[1] == 0


async def test_cleanups_run_and_leave_their_report(pooled: Any) -> None:
    await pooled.add_every(60)
    for _ in range(5):
        await pooled.pass_time(60)
    pooled.clock.advance(timedelta(days=31))

    report = (await pooled.scheduler.run_cleanup("history")).unwrap()["total"]

    assert report["deleted"] == 5


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_the_contract_holds_behind_a_pooler_and_without_notices(tmp_path: Path, postgres_url: str) -> None:
    here = Path(__file__).parent
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "postgres and not slow"]
    child = await asyncio.create_subprocess_exec(
        *command, f"--basetemp={tmp_path / 'child'}", *(str(here / name) for name in CONTRACT),
        cwd=ROOT, env=environment(postgres_url), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    printed, _ = await child.communicate()

    assert child.returncode == 0, printed.decode()
    assert b" passed" in printed


def environment(server: str) -> dict[str, str]:
    """Return that of this process, with the server that it has, and the wish for a pooler."""
    return {**os.environ, "TEST_POSTGRES_URL": server, POOLED: "1"}
