"""Our server, our scheduler with tasks that are due at once, or both in one process; lists are asked from outside."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from benchmarks.peers.peer import Order

STEP = 0.05  # seconds between two handfuls of tasks
TASK = {"name": "now", "module_id": "bench", "function_name": "note", "schedule_time": "now"}


async def serve(order: Order) -> None:
    """Begin once a line comes in, and tell the URL; between the next two, count how many executions a second run.

    The role "web" serves only, "worker" executes only, and any other does both.
    """
    from framework import Application

    voice = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what a library prints must not come between
    voice.write(json.dumps({"ready": True}) + "\n")
    sys.stdin.readline()
    done = 0

    async def note(_parameters: dict[str, Any]) -> None:
        nonlocal done
        done += 1

    url = f"sqlite+aiosqlite:///{order.path}" if order.path else order.dsn
    folder = str(Path(order.path).parent) if order.path else "."
    framework = {"database_url": url, "data_dir": folder, "sqlite_synchronous": order.synchronous}
    settings: dict[str, Any] = {
        "framework": {**framework, "http_rate_limit": 0},
        "core.scheduler": {"max_concurrent_tasks": order.width, "enabled": order.role != "web"},
    }
    async with (
        Application(modules=["core.scheduler"], settings=settings) as app_context,
        _served(app_context, order.role) as served,
    ):
        scheduler = app_context.get_service("core.scheduler.service")
        scheduler.register_function("bench", "note", note)
        feeding = asyncio.create_task(_feed(scheduler, 0 if order.role == "web" else order.count))
        voice.write(json.dumps({"url": served}) + "\n")
        await asyncio.to_thread(sys.stdin.readline)
        before, began = done, time.perf_counter()
        await asyncio.to_thread(sys.stdin.readline)
        voice.write(json.dumps({"per second": (done - before) / (time.perf_counter() - began)}) + "\n")
        feeding.cancel()


@asynccontextmanager
async def _served(app_context: Any, role: str) -> AsyncIterator[str]:
    from framework.web.serving import serving
    from framework.web.sockets import listen

    if role == "worker":
        yield ""
    else:
        async with serving(app_context, listen("127.0.0.1", 0)) as url:
            yield url


async def _feed(scheduler: Any, rate: int) -> None:
    """Schedule so many tasks a second, each due at once."""
    began, given = time.perf_counter(), 0
    while True:
        owed = int((time.perf_counter() - began) * rate) - given
        if owed > 0:
            (await scheduler.schedule_tasks([TASK] * owed)).unwrap()
            given += owed
        await asyncio.sleep(STEP)


if __name__ == "__main__":
    asyncio.run(serve(Order(**json.loads(sys.argv[1]))))
