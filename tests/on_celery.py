"""A program for a process of its own: a how-to's function brings Celery's tasks under a scheduler's.

Arguments: the folder of Celery's packages, a folder to work in. The function's source comes from standard input.
Prints one JSON object: how each of the tasks ended.
"""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from typing import Any

sys.path.append(sys.argv[1])

from celery.contrib.testing.worker import start_worker  # type: ignore[import-not-found]  # from above

from framework import AppContext, Application
from framework.clock import SystemClock

MODULE = "acme.test"
held, go_on = threading.Event(), threading.Event()


def functions() -> dict[str, Any]:
    """Return the names of the how-to, with brokers in memory and little patience, and some tasks of Celery's."""
    source = sys.stdin.read().replace("redis://broker/0", "memory://").replace("redis://broker/1", "cache+memory://")
    names: dict[str, Any] = {}
    exec(source, names)  # our own document
    names |= {"LOOK": 0.02, "LONGEST_STOP": 0.2}
    celery = names["celery"]
    celery.conf.worker_hijack_root_logger = False

    @celery.task(name="add")
    def add(one: int, two: int) -> int:
        return one + two

    @celery.task(name="refuse")
    def refuse() -> None:
        raise ValueError("no such order")

    @celery.task(name="hold")
    def hold() -> str:
        held.set()
        go_on.wait(60)
        return "held"

    return names


async def ended(scheduler: Any, task_id: str) -> dict[str, Any]:
    """Wait until the task's execution has ended, and return it."""
    while True:
        (row, *_) = (await scheduler.get_executions(task_id)).unwrap()["executions"] or [{"end_time": None}]
        if row["end_time"] is not None:
            return {name: row[name] for name in ("state", "result", "error")}
        await SystemClock().sleep(0.02)


async def through(app_context: AppContext, names: dict[str, Any]) -> dict[str, Any]:
    """Send each of the tasks by way of the scheduler; cancel one before any worker takes it, and one behind another."""
    scheduler = app_context.get_service("core.scheduler.service")
    scheduler.register_function(MODULE, "on_celery", names["on_celery"])

    async def send(task: str, **arguments: Any) -> str:
        config = {
            "name": task,
            "module_id": MODULE,
            "function_name": "on_celery",
            "schedule_time": "now",
            "timeout": 60,
        }
        config["parameters"] = {"task": task, "arguments": arguments}
        return str((await scheduler.schedule_task(config)).unwrap()["task_id"])

    async def runs(task_id: str) -> bool:
        rows = (await scheduler.get_executions(task_id)).unwrap()["executions"]
        return bool(rows) and rows[0]["state"] == "running"

    told = {}
    unheard = await send("nobody")
    while not await runs(unheard):
        await SystemClock().sleep(0.02)
    (await scheduler.cancel_task(unheard, cancel_running=True)).unwrap()
    told["unheard"] = await ended(scheduler, unheard)
    names["LONGEST_STOP"] = 60.0
    with start_worker(names["celery"], pool="threads", concurrency=1, perform_ping_check=False):
        told["add"] = await ended(scheduler, await send("add", one=1, two=2))
        told["refuse"] = await ended(scheduler, await send("refuse"))
        holding = await send("hold")
        await asyncio.to_thread(held.wait, 60)
        behind = await send("add", one=3, two=4)
        while not await runs(behind):
            await SystemClock().sleep(0.02)
        (await scheduler.cancel_task(behind, cancel_running=True)).unwrap()
        told["behind"] = await ended(scheduler, behind)
        go_on.set()
        told["hold"] = await ended(scheduler, holding)
    return told


async def main() -> None:
    names = functions()
    framework = {"database_url": f"sqlite+aiosqlite:///{sys.argv[2]}/own.db", "data_dir": sys.argv[2]}
    async with Application(modules=["core.scheduler"], settings={"framework": framework}) as app_context:
        print(json.dumps(await through(app_context, names)), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
