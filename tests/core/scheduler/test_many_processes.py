"""Several processes on one database, some of them killed: nothing is lost, nothing is completed twice."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Collection
from pathlib import Path
from typing import Any

import pytest
from nodes import until
from processes import ROOT

PROCESSES = 4
MANY = 5
KILLS = 3
TASKS = 300
MORE = 300
OPEN = ("pending", "running")

WORKER = """
import asyncio, sys
from framework import Application
from framework.clock import SystemClock
from modules.core.scheduler import ExecutionContext

async def work(context: ExecutionContext):
    print(context.execution_id, flush=True)
    await SystemClock().sleep(float(sys.argv[3]))
    return context.execution_id

async def main():
    own = {"lease": 8, "poll_interval": 0.2, "max_concurrent_tasks": 5}
    tables = {"framework": {"database_url": sys.argv[1], "data_dir": sys.argv[2]}, "core.scheduler": own}
    async with Application(modules=["core.scheduler"], settings=tables) as app_context:
        app_context.get_service("core.scheduler.service").register_function("acme.test", "work", work)
        print("ready", flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)

asyncio.run(main())
"""


class Workers:
    """Processes that carry out tasks; every line that one prints is an execution that it has begun."""

    def __init__(self, url: str, folder: Path) -> None:
        self._command = [sys.executable, "-c", WORKER, url, str(folder)]
        self.seconds = 0.1  # that each execution takes
        self._readers: list[asyncio.Task[None]] = []
        self.living: list[asyncio.subprocess.Process] = []
        self.begun: list[str] = []
        self.busiest: asyncio.subprocess.Process | None = None
        self.progress = asyncio.Condition()

    async def start(self) -> None:
        """Start one more."""
        process = await asyncio.create_subprocess_exec(
            *self._command,
            str(self.seconds),
            env={"PYTHONPATH": str(ROOT), "PATH": ""},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self.living.append(process)
        self._readers.append(asyncio.create_task(self._read(process)))

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        async for line in process.stdout:
            if line != b"ready\n":
                async with self.progress:
                    self.begun.append(line.decode().strip())
                    self.busiest = process
                    self.progress.notify_all()

    async def have_begun(self, count: int) -> None:
        """Wait until so many executions have begun."""
        async with self.progress:
            await self.progress.wait_for(lambda: len(self.begun) >= count)

    async def kill_one(self) -> None:
        """Kill the one that began the latest execution, in the midst of it."""
        victim = self.busiest
        assert victim is not None
        self.living.remove(victim)
        victim.kill()
        await victim.wait()

    async def stop(self) -> None:
        """Let all of them stop gracefully."""
        for process in self.living:
            assert process.stdin is not None
            process.stdin.write(b"stop\n")
        for process in self.living:
            assert await process.wait() == 0
        await asyncio.gather(*self._readers)


@pytest.fixture
async def workers(database_url: str, tmp_path: Path) -> AsyncIterator[Workers]:
    """No process yet; all are gone after the test."""
    workers = Workers(database_url, tmp_path / "workers")
    yield workers
    for process in workers.living:
        if process.returncode is None:
            process.kill()
            await process.wait()
    await asyncio.gather(*workers._readers)


async def schedule(node: Any, count: int = TASKS) -> list[str]:
    """Schedule many one-time tasks that are due at once, and return their ids."""
    node.register("work", lambda: None)
    config = {"module_id": "acme.test", "function_name": "work", "schedule_time": "2026-01-01T00:00:00+00:00"}
    configs = [{"name": f"task {number}", **config} for number in range(count)]
    return [task["task_id"] for task in (await node.scheduler.schedule_tasks(configs)).unwrap()]


async def all_ended(node: Any, workers: Workers, count: int = TASKS) -> None:
    """Wait until no task is open."""
    await workers.have_begun(count)

    async def none_is_open() -> bool:
        pages = [await node.scheduler.list_tasks(recurring=False, status=each, limit=1) for each in OPEN]
        return not any(page.unwrap()["tasks"] for page in pages)

    await until(none_is_open)


async def started_rows(node: Any, tasks: Collection[str]) -> list[dict[str, Any]]:
    """Return every execution of these tasks that has begun."""
    rows, cursor = [], None
    while True:
        page = (await node.scheduler.get_executions(limit=500, cursor=cursor)).unwrap()
        rows += [row for row in page["executions"] if row["start_time"] is not None and row["task_id"] in tasks]
        if (cursor := page["next_cursor"]) is None:
            return rows


@pytest.mark.slow
async def test_many_processes_of_one_host_carry_each_task_and_each_occurrence_out_exactly_once(
    start_node: Any, workers: Workers
) -> None:
    node, workers.seconds = await start_node(), 0.01
    ids = await schedule(node, MORE)
    wanted = {*ids, await node.add_every(0.5, "work")}

    for _ in range(MANY):
        await workers.start()
    await all_ended(node, workers, MORE)
    await workers.stop()

    rows = await started_rows(node, wanted)
    runs = Counter((row["task_id"], row["scheduled_for"]) for row in rows)
    assert {row["state"] for row in rows} == {"succeeded"}
    assert sorted(workers.begun) == sorted(row["id"] for row in rows)
    assert set(runs.values()) == {1}
    assert {task_id for task_id, _ in runs} == wanted


@pytest.mark.slow
async def test_kills_lose_nothing_and_every_repeat_has_a_lost_run_before_it(start_node: Any, workers: Workers) -> None:
    node, chance = await start_node(), random.Random(7)
    ids = await schedule(node)

    for _ in range(PROCESSES):
        await workers.start()
    for _ in range(KILLS):
        await workers.have_begun(len(workers.begun) + chance.randrange(1, 60))
        await workers.kill_one()
        await workers.start()
    await all_ended(node, workers)
    await workers.stop()

    assert "lost" in await node.states()
    for task_id in ids:
        *earlier, last = await node.history(task_id)
        assert last["state"] == "succeeded"
        assert [row["state"] for row in earlier] == ["lost"] * len(earlier)
        assert [row["attempt"] for row in (*earlier, last)] == list(range(1, len(earlier) + 2))
    assert len(set(workers.begun)) == len(workers.begun)
    assert set(workers.begun) <= {row["id"] for task_id in ids for row in await node.history(task_id)}
