"""The background loop, for real: it wakes when it should, and nothing that happens to it ends it."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from nodes import Stuck, release_all, until
from processes import ROOT

from framework.clock import SystemClock
from modules.core.scheduler import ExecutionContext
from modules.core.scheduler.firing import fire_due

LONG = "1 hour"  # a poll that never comes within a test: whatever runs, runs because the loop was woken


@pytest.fixture
def clock() -> SystemClock:
    """The real time."""
    return SystemClock()


@pytest.fixture(autouse=True)
def _released_in_the_end(start_node: Any) -> Iterator[None]:
    yield
    release_all()


@pytest.fixture
async def looping(start_node: Any) -> Any:
    """A scheduler whose loop runs."""
    return await start_node(enabled=True, poll_interval=LONG)


async def ended(node: Any, task_id: str, *, runs: int = 1) -> None:
    """Wait until so many executions of the task have ended."""

    async def have() -> bool:
        rows = await node.history(task_id)
        return sum(row["end_time"] is not None for row in rows) >= runs

    await until(have)


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


async def test_creating_wakes_the_loop(looping: Any) -> None:
    await ended(looping, await looping.add(delay=0))


async def test_enabling_wakes_the_loop(looping: Any) -> None:
    task_id = await looping.add(delay=0, paused=True)
    (await looping.scheduler.resume_task(task_id)).unwrap()

    await ended(looping, task_id)


async def test_updating_wakes_the_loop(looping: Any) -> None:
    task_id = await looping.add(delay="1 day")
    (await looping.scheduler.update_task(task_id, {"delay": 0})).unwrap()

    await ended(looping, task_id)


async def test_running_now_wakes_the_loop(looping: Any) -> None:
    task_id = await looping.add(delay="1 day")
    (await looping.scheduler.execute_task(task_id)).unwrap()

    await ended(looping, task_id)


async def test_an_event_wakes_the_loop(looping: Any) -> None:
    task_id = await looping.add(trigger={"type": "event", "event": "arrived"})
    (await looping.scheduler.emit("arrived")).unwrap()

    await ended(looping, task_id)


async def test_a_short_delay_is_not_rounded_up_to_the_poll(looping: Any) -> None:
    task_id = await looping.add(delay=0.3)
    await ended(looping, task_id)

    (row,) = await looping.history(task_id)
    assert timedelta(0) <= row["start_time"] - row["scheduled_for"] < timedelta(seconds=5)


async def test_an_interval_below_a_second_runs(looping: Any) -> None:
    task_id = await looping.add_every(0.2, max_executions=5)
    await ended(looping, task_id, runs=5)

    rows = await looping.history(task_id)
    assert [row["state"] for row in rows] == ["succeeded"] * 5
    assert len({row["scheduled_for"] for row in rows}) == 5


INSERT = """
import asyncio
from framework import Application

async def main():
    tables = {"framework": {"database_url": %r, "data_dir": %r}, "core.scheduler": {"enabled": False}}
    async with Application(modules=["core.scheduler"], settings=tables) as app_context:
        scheduler = app_context.get_service("core.scheduler.service")
        scheduler.register_function("acme.test", "note", lambda: None)
        config = {"name": "from afar", "module_id": "acme.test", "function_name": "note", "delay": 0}
        print((await scheduler.schedule_task(config)).unwrap()["task_id"])

asyncio.run(main())
"""


async def test_what_another_process_inserts_is_noticed_without_a_poll(
    start_node: Any, sqlite_url: str, tmp_path: Path, database_url: str
) -> None:
    if database_url != sqlite_url:
        pytest.skip("a look at the file's version is for SQLite; on PostgreSQL the poll notices it")
    node = await start_node(enabled=True, poll_interval=LONG, lease=LONG)
    program = INSERT % (database_url, str(tmp_path / "elsewhere"))

    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, stdout=subprocess.PIPE, env={"PYTHONPATH": str(ROOT), "PATH": ""}
    )
    printed, _ = await child.communicate()

    await ended(node, printed.decode().strip())
    assert len(node.runs) == 1


async def test_a_poll_notices_what_nothing_else_tells(start_node: Any) -> None:
    node, other = await start_node(enabled=True, poll_interval=0.2), await start_node(enabled=False)

    task_id = await other.add(delay=0)

    await ended(node, task_id)
    assert len(node.runs) == 1


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
    task_id = await node.add("work", delay=0)
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
    await ended(node, await node.add(delay=0))


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
    failing = await looping.add("raises", delay=0)
    await ended(looping, failing)
    healthy = await looping.add(delay=0)
    await ended(looping, healthy)

    assert await looping.states(failing) == ["failed"]
    assert await looping.states(healthy) == ["succeeded"]


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
    failing = [
        await node.add("fail", name=f"task {number}", delay=0, max_retries=1, retry_delay=0) for number in range(60)
    ]
    for each in failing:
        await ended(node, each, runs=2)
    together = [Stuck() for _ in range(4)]
    for number, stuck in enumerate(together):
        node.register(f"together_{number}", stuck.run)
        await node.add(f"together_{number}", delay=0)
    for stuck in together:
        await stuck.started.wait()

    assert most <= 4
    for stuck in together:
        stuck.release.set()


async def test_a_blocking_function_in_a_thread_does_not_delay_the_loop(looping: Any) -> None:
    freed = threading.Event()
    looping.register("blocking", lambda: freed.wait(60))
    blocking = await looping.add("blocking", delay=0)

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
    rude_task = await node.add("rude", delay=0)
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
    task_id = await node.add("rude", delay=0)
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


@pytest.fixture
async def richer(start_node: Any) -> Any:
    """A peer that does not run anything and has functions that the other does not have."""
    node = await start_node(enabled=False)
    node.register("elsewhere", lambda: "elsewhere")
    return node


async def test_a_function_is_claimed_as_soon_as_it_is_registered(start_node: Any, richer: Any) -> None:
    node = await start_node(enabled=True, poll_interval=0.2, lease=1.2)
    task_id = await richer.add("elsewhere", delay=0)

    await until(lambda: waits_for_its_function(node, task_id))
    node.register("elsewhere", lambda: "here now")
    await ended(node, task_id)

    (row,) = await node.history(task_id)
    assert (row["state"], row["reason"], row["result"]) == ("succeeded", None, "here now")


async def waits_for_its_function(node: Any, task_id: str) -> bool:
    rows = await node.history(task_id)
    return [(row["state"], row["reason"]) for row in rows] == [("pending", "FUNCTION_NOT_REGISTERED")]


async def test_five_hundred_rows_that_cannot_run_do_not_stop_a_fresh_one(start_node: Any, richer: Any) -> None:
    config = {"module_id": "acme.test", "function_name": "elsewhere", "delay": 0, "priority": 9}
    configs = [{"name": f"task {number}", **config} for number in range(500)]
    (await richer.scheduler.schedule_tasks(configs)).unwrap()
    await richer.app_context.database.write(lambda c: [fire_due(c, richer.clock.now(), 256) for _ in range(2)])
    node = await start_node(enabled=True, poll_interval=LONG)

    fresh = await node.add(delay=0)
    await ended(node, fresh)

    (row,) = await node.history(fresh)
    assert row["start_time"] - row["created_at"] < timedelta(seconds=2)
    assert await richer.states() == ["pending"] * 499 + ["succeeded"]
