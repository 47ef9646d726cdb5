"""An application that has started, worked and stopped leaves no thread, no open file and no asyncio task behind."""

from __future__ import annotations

import asyncio
import gc
import threading
from pathlib import Path
from typing import Any

import pytest
from nodes import until

from framework import Application
from framework.clock import SystemClock
from modules.core.scheduler import SchedulerService

OPEN_FILES = Path("/proc/self/fd")
STARTS = 2
LOOKS = 10


def held() -> dict[str, int]:
    """Count what this process holds."""
    return {
        "threads": threading.active_count(),
        "files": sum(1 for _ in OPEN_FILES.iterdir()),
        "tasks": len(asyncio.all_tasks()),
    }


async def settled() -> dict[str, int]:
    """Count it once nothing changes any more: a thread that was told to end does so in a moment."""
    gc.collect()
    clock, last, same = SystemClock(), held(), 0
    while same < LOOKS:
        await clock.sleep(0.02)
        now = held()
        last, same = now, same + 1 if now == last else 0
    gc.collect()  # what the last thread left
    return held()


async def live(url: str, folder: Path) -> None:
    """Start an application, carry something out in a coroutine and in a thread, and stop it."""
    framework = {"database_url": url, "data_dir": str(folder)}
    async with Application(modules=["core.scheduler"], settings={"framework": framework}) as app_context:
        scheduler: Any = app_context.get_service(SchedulerService)
        done: set[str] = set()

        async def in_loop() -> None:
            done.add("loop")

        def in_thread() -> None:
            done.add("thread")

        for function in (in_loop, in_thread):
            scheduler.register_function("acme.test", function.__name__, function)
            task = {"name": function.__name__, "module_id": "acme.test", "function_name": function.__name__}
            (await scheduler.schedule_task({**task, "schedule_time": "now"})).unwrap()

        async def all_done() -> bool:
            return len(done) == 2

        await until(all_done)


@pytest.mark.skipif(not OPEN_FILES.exists(), reason="NOT TESTED HERE: open files are counted in /proc")
async def test_starts_and_stops_leave_nothing_behind(database_url: str, tmp_path: Path) -> None:
    await live(database_url, tmp_path)  # what is opened once for the life of a process is open now
    before = await settled()

    for _ in range(STARTS):
        await live(database_url, tmp_path)

    assert await settled() == before
