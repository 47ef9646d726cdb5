"""Our server with its scheduler, to which tasks are given that are due at once; lists are asked for from outside."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.peers.peer import Order

STEP = 0.05  # seconds between two handfuls of tasks
TASK = {"name": "now", "module_id": "bench", "function_name": "note", "delay": 0}


async def serve(order: Order) -> None:
    """Serve once a line comes in, and tell the URL; between the next two, count how many executions a second run."""
    from framework import Application
    from framework.web.serving import serving
    from framework.web.sockets import listen

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
        "core.scheduler": {"max_concurrent_tasks": order.width},
    }
    async with (
        Application(modules=["core.scheduler"], settings=settings) as app_context,
        serving(app_context, listen("127.0.0.1", 0)) as served,
    ):
        scheduler = app_context.get_service("core.scheduler.service")
        scheduler.register_function("bench", "note", note)
        feeding = asyncio.create_task(_feed(scheduler, order.count))
        voice.write(json.dumps({"url": served}) + "\n")
        await asyncio.to_thread(sys.stdin.readline)
        before, began = done, time.perf_counter()
        await asyncio.to_thread(sys.stdin.readline)
        voice.write(json.dumps({"per second": (done - before) / (time.perf_counter() - began)}) + "\n")
        feeding.cancel()


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
