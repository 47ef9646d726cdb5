"""What an operator asks from another process: a task by its name, how an execution ends, whether a node is drained."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any

from framework.clock import Clock
from framework.duration import in_words
from framework.result import Result
from modules.core.scheduler.client import SchedulerClient
from modules.core.scheduler.execution import Reason
from modules.core.scheduler.pages import MAX_LIMIT
from modules.core.scheduler.service import SchedulerService

Scheduler = SchedulerService | SchedulerClient
"""Whoever answers: the service on a database, or a server over HTTP."""

LOOKED_AT = 100  # executions of a task, the latest nominal times, of which the one that was made last is meant
POLL_SECONDS, FAR_SECONDS = 0.2, 1.0
NO_NODE = "no node is alive to run it, so it waits; start `chamberlain run`, or do it once with `chamberlain tick`"


async def find_task(scheduler: Scheduler, wanted: str) -> Result[dict[str, Any]]:
    """Return the task of this id, or the one of this name: `TASK_NOT_FOUND`, or `AMBIGUOUS_NAME` with their ids."""
    found = await scheduler.get_task(wanted)
    if found.error is None or found.error.code != "TASK_NOT_FOUND":
        return found
    ids = [task["id"] for task in await all_tasks(scheduler, search=wanted) if task["name"] == wanted]
    if not ids:
        return Result.error("TASK_NOT_FOUND", f"there is no task {wanted!r}; `chamberlain tasks list` shows them all")
    if len(ids) > 1:
        told = f"{len(ids)} tasks are called {wanted!r}; give an id: {', '.join(ids)}"
        return Result.error("AMBIGUOUS_NAME", told, {"ids": ids})
    return await scheduler.get_task(ids[0])


async def all_tasks(scheduler: Scheduler, **filters: Any) -> list[dict[str, Any]]:
    """Return all tasks that the filters of `list_tasks` choose, by as many pages as it takes."""
    found: list[dict[str, Any]] = []
    cursor = None
    while True:
        page = (await scheduler.list_tasks(**filters, limit=MAX_LIMIT, cursor=cursor)).unwrap()
        found += page["tasks"]
        cursor = page["next_cursor"]
        if cursor is None:
            return found


async def find_execution(scheduler: Scheduler, wanted: str) -> Result[dict[str, Any]]:
    """Return the execution of this id, or the latest one of the task of this id or name, with its `task_name`.

    `EXECUTION_NOT_FOUND`, or `AMBIGUOUS_NAME` where several tasks have the name.
    """
    found = await scheduler.get_execution(wanted)
    if found.error is None:
        task = await scheduler.get_task(found.data["task_id"])
        return Result.success({**found.data, "task_name": (task.data or {}).get("name", found.data["task_id"])})
    if found.error.code != "EXECUTION_NOT_FOUND":
        return found
    task = await find_task(scheduler, wanted)
    if task.error is not None:
        told = f"there is no execution and no task {wanted!r}; `chamberlain executions list` shows them all"
        return task if task.error.code != "TASK_NOT_FOUND" else Result.error("EXECUTION_NOT_FOUND", told)
    newest = (await scheduler.get_executions(task.data["id"], limit=LOOKED_AT)).unwrap()["executions"]
    if not newest:
        return Result.error("EXECUTION_NOT_FOUND", f"{task.data['name']} has no execution yet")
    return Result.success(max(newest, key=lambda each: str(each["id"])))  # not that of the latest nominal time


async def find_function(scheduler: Scheduler, wanted: str) -> Result[dict[str, Any]]:
    """Return the function `module:function`, or the one of this name: `FUNCTION_NOT_FOUND`, or `AMBIGUOUS_NAME`."""
    module, _, name = wanted.rpartition(":")
    functions = (await scheduler.list_functions()).unwrap()
    found = [each for each in functions if each["function_name"] == name and module in ("", each["module_id"])]
    if not found:
        told = f"no function {wanted!r} is known; `chamberlain functions list` shows them all"
        return Result.error("FUNCTION_NOT_FOUND", told)
    if len(found) > 1:
        named = [f"{each['module_id']}:{name}" for each in found]
        return Result.error("AMBIGUOUS_NAME", f"several functions are called {name!r}: {', '.join(named)}")
    return Result.success(found[0])


async def no_node_lives(scheduler: Scheduler) -> bool:
    """Tell whether every node is dead, or none was ever started."""
    status = (await scheduler.status()).unwrap()
    return not any(node["alive"] for node in status["nodes"])


async def wait_for(
    scheduler: Scheduler,
    clock: Clock,
    execution_id: str,
    patience: timedelta | None,
    tell: Callable[[str], None],
    look: Callable[[Mapping[str, Any]], Awaitable[None]] | None = None,
) -> Result[dict[str, Any]]:
    """Return the execution once it has ended, or why it is waited for no longer; `look` sees it until then.

    What stands in its way is told once. Without patience that ends the waiting, as `EXECUTION_HELD_UP`; with it, only
    the time does, as `STILL_OPEN`.
    """
    give_up = None if patience is None else clock.monotonic() + patience.total_seconds()
    told = None
    while True:
        execution = (await scheduler.get_execution(execution_id)).unwrap()
        if look is not None:
            await look(execution)
        if execution["end_time"] is not None:
            return Result.success(execution)
        obstacle = await _obstacle(scheduler, execution)
        if obstacle is not None and give_up is None:
            return Result.error("EXECUTION_HELD_UP", f"execution {execution_id} is {execution['state']}: {obstacle}")
        if obstacle is not None and obstacle != told:
            tell(obstacle)
            told = obstacle
        if patience is not None and give_up is not None and clock.monotonic() >= give_up:
            text = f"execution {execution_id} is still {execution['state']} after {in_words(patience)}; it goes on"
            return Result.error("STILL_OPEN", text)
        await clock.sleep(pause_of(scheduler))


def pause_of(scheduler: Scheduler) -> float:
    """Return how many seconds to leave between two looks: a server is asked less often than a database here."""
    return POLL_SECONDS if isinstance(scheduler, SchedulerService) else FAR_SECONDS


async def _obstacle(scheduler: Scheduler, execution: Mapping[str, Any]) -> str | None:
    if await no_node_lives(scheduler):
        return NO_NODE
    if execution["reason"] == Reason.FUNCTION_NOT_REGISTERED:
        return "no living node has its function; is its module listed?"
    return None


async def wait_until_drained(
    scheduler: Scheduler, clock: Clock, node: Mapping[str, Any], tell: Callable[[str], None]
) -> Result[dict[str, Any]]:
    """Return a draining node once it runs nothing, or has gone; what it waits for is told once.

    `NODE_NOT_DRAINED` where it has died meanwhile, or where somebody has let it claim again.
    """
    if node["running"]:
        tell(f"waiting until node {node['id']} runs nothing: {node['running']} to go")
    while True:
        found = [each for each in (await scheduler.list_nodes()).unwrap() if each["id"] == node["id"]]
        if not found:
            return Result.success({**node, "alive": False, "running": 0})
        if not found[0]["running"]:
            return Result.success(found[0])
        if not found[0]["alive"]:
            problem = "died; another node finds what it ran, once its lease is over"
        elif found[0]["draining_since"] is None:
            problem = "claims again: somebody has undone the drain"
        else:
            await clock.sleep(pause_of(scheduler))
            continue
        return Result.error("NODE_NOT_DRAINED", f"node {node['id']} {problem}")
