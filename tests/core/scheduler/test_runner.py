"""The background loop, for real: it wakes when it should, and nothing that happens to it ends it."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from nodes import Stuck, ended, until
from processes import ROOT

from framework.clock import SystemClock
from modules.core.scheduler import ExecutionContext

LONG = "1 hour"  # a poll that never comes within a test: whatever runs, runs because the loop was woken


@pytest.fixture
def clock() -> SystemClock:
    """The real time."""
    return SystemClock()


@pytest.fixture
async def looping(start_node: Any) -> Any:
    """A scheduler whose loop runs."""
    return await start_node(enabled=True, poll_interval=LONG)


async def test_a_second_start_changes_nothing(looping: Any) -> None:
    before = {task for task in asyncio.all_tasks() if task.get_name().startswith("scheduler")}

    await looping.scheduler.start_background_processing()

    assert {task for task in asyncio.all_tasks() if task.get_name().startswith("scheduler")} == before
    assert looping.scheduler._runner.is_looping


async def test_a_scheduler_that_is_not_enabled_starts_nothing(start_node: Any) -> None:
    node = await start_node(enabled=False)

    await node.scheduler.start_background_processing()

    assert not node.scheduler._runner.is_looping
    assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("scheduler")]
    assert not [thread for thread in threading.enumerate() if thread.name == "scheduler-heartbeat"]


async def test_a_locked_database_stops_neither_the_loop_nor_an_ending(
    start_node: Any,
    sqlite_url: str,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    if database_url != sqlite_url:
        pytest.skip("only SQLite is locked as a whole")
    monkeypatch.setattr("framework.database.engines.BUSY_TIMEOUT", 0.05)
    node, stuck = await start_node(enabled=True), Stuck()
    node.register("work", stuck.run)
    task_id = await node.add("work")
    await stuck.started.wait()

    other = sqlite3.connect(str(node.app_context.database.path), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    stuck.release.set()
    await until(lambda: logged(caplog, "scheduler failed, attempt 2"))
    assert await node.states(task_id) == ["running"]
    other.execute("ROLLBACK")
    other.close()

    await ended(node, task_id)
    assert await node.states(task_id) == ["succeeded"]
    await ended(node, await node.add())


async def logged(caplog: pytest.LogCaptureFixture, words: str) -> bool:
    return any(words in message for message in caplog.messages)


class Worse(BaseException):
    """What no function should raise."""


@pytest.mark.parametrize(
    "error", [ValueError("no"), SystemExit(3), KeyboardInterrupt(), Worse(), asyncio.CancelledError()]
)
@pytest.mark.parametrize("in_thread", [False, True], ids=["async", "thread"])
async def test_whatever_a_function_raises_the_loop_goes_on(looping: Any, error: BaseException, in_thread: bool) -> None:
    async def raises() -> None:
        raise error

    def raises_in_a_thread() -> None:
        raise error

    looping.register("raises", raises_in_a_thread if in_thread else raises)
    failing = await looping.add("raises")
    await ended(looping, failing)
    healthy = await looping.add()
    await ended(looping, healthy)

    assert await looping.states(failing) == ["failed"]
    assert await looping.states(healthy) == ["succeeded"]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # counted in the process, not in the database
async def test_the_limit_is_never_exceeded_and_does_not_wear_away(start_node: Any) -> None:
    node, running, most, lock = await start_node(enabled=True, max_concurrent_tasks=4), 0, 0, threading.Lock()

    def fail(context: ExecutionContext) -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        try:
            raise LookupError(context.execution_id)
        finally:
            with lock:
                running -= 1

    node.register("fail", fail)
    failing = [await node.add("fail", name=f"task {number}", max_retries=1, retry_delay=0) for number in range(60)]
    for each in failing:
        await ended(node, each, runs=2)
    together = [Stuck() for _ in range(4)]
    for number, stuck in enumerate(together):
        node.register(f"together_{number}", stuck.run)
        await node.add(f"together_{number}")
    for stuck in together:
        await stuck.started.wait()

    assert most <= 4
    for stuck in together:
        stuck.release.set()


async def test_a_blocking_function_in_a_thread_does_not_delay_the_loop(looping: Any) -> None:
    freed = threading.Event()
    looping.register("blocking", lambda: freed.wait(60))
    blocking = await looping.add("blocking")

    await ended(looping, await looping.add(delay=0.05))

    assert await looping.states(blocking) == ["running"]
    freed.set()
    await ended(looping, blocking)


async def test_a_function_that_blocks_the_loop_for_longer_than_the_lease_does_not_make_its_node_look_dead(
    start_node: Any,
) -> None:
    node = await start_node(enabled=True, lease=1.2)

    async def rude() -> None:
        time.sleep(3)  # noqa: ASYNC251, TID251  # what must not be done, and is

    node.register("rude", rude)
    rude_task = await node.add("rude")
    before = (await node.scheduler.status()).unwrap()["node_id"]
    await ended(node, rude_task)

    assert await node.states(rude_task) == ["succeeded"]
    assert before in ((await node.scheduler.status()).unwrap()["node_id"], None)


async def test_a_peer_leaves_a_node_alone_whose_loop_is_blocked(start_node: Any, tmp_path: Path) -> None:
    node = await start_node(enabled=True, lease=1.2)
    watch = WATCH % (node.app_context.database.url.render_as_string(hide_password=False), str(tmp_path / "peer"))
    child = subprocess.Popen(  # noqa: ASYNC220  # nothing else runs in this loop meanwhile
        [sys.executable, "-c", watch], env={"PYTHONPATH": str(ROOT), "PATH": ""}, stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert child.stdout is not None
    ready = await asyncio.to_thread(child.stdout.readline)

    async def rude() -> str:
        return child.communicate("look\n")[0]  # blocks the loop while the peer looks for 3 seconds

    node.register("rude", rude)
    task_id = await node.add("rude")
    await ended(node, task_id)

    assert ready == "ready\n"
    assert [(row["state"], row["attempt"]) for row in await node.history(task_id)] == [("succeeded", 1)]
    assert (await node.history(task_id))[0]["result"] == "looked\n"


WATCH = """
import asyncio, sys
from framework import Application
from framework.clock import SystemClock

async def main():
    tables = {"framework": {"database_url": %r, "data_dir": %r}, "core.scheduler": {"enabled": False, "lease": 1.2}}
    async with Application(modules=["core.scheduler"], settings=tables) as app_context:
        scheduler, clock = app_context.get_service("core.scheduler.service"), SystemClock()
        await scheduler.run_due()
        print("ready", flush=True)
        sys.stdin.readline()
        end = clock.monotonic() + 3
        while clock.monotonic() < end:
            await scheduler.run_due()
            await clock.sleep(0.1)
        print("looked", flush=True)

asyncio.run(main())
"""
