"""What the banner of `run` tells of the scheduler: the zone, its tasks, what is held back, what comes next."""

from __future__ import annotations

from framework.context import AppContext
from framework.terminal import PROGRAM
from modules.core.scheduler.pages import MAX_LIMIT
from modules.core.scheduler.service import SchedulerService
from modules.core.scheduler.trigger_manager import TriggerManager


async def facts(app_context: AppContext) -> list[tuple[str, str]]:
    """Return `(label, text)` for each line; the scheduler takes its first turn before, where it is on."""
    scheduler = app_context.get_service(SchedulerService)
    if (await scheduler.status()).unwrap()["active"]:
        await scheduler.turn()  # only then is it known which of the due tasks find no function
    status = (await scheduler.status()).unwrap()
    told = [("zone", app_context.get_service(TriggerManager).timezone)]
    if not status["active"]:
        told.append(("scheduler", "off: CORE_SCHEDULER_ENABLED is false, so nothing is carried out here"))
    told.append(("tasks", await _tasks(scheduler)))
    told += [("held back", " ".join(filter(None, (held["scope"], held["reason"])))) for held in status["paused"]]
    if count := await _blocked(scheduler):
        whose = "1 task waits for a function that is" if count == 1 else f"{count} tasks wait for functions that are"
        told.append(("BLOCKED", f"{whose} not registered here: {PROGRAM} tasks list"))
    return told + [("next", f"{task['name']}, {task['schedule']}, {task['due']}") for task in status["upcoming"]]


async def _tasks(scheduler: SchedulerService) -> str:
    """Return how many tasks may still run, by status."""
    counted = []
    for status in ("pending", "running", "paused"):
        found = (await scheduler.count_tasks(status=status)).unwrap()
        if found["count"]:
            counted.append(f"{found['count']:,}{' or more' if found['is_cut'] else ''} {status}")
    return ", ".join(counted) or "none yet"


async def _blocked(scheduler: SchedulerService) -> int:
    """Return how many tasks wait for a function."""
    count, cursor = 0, None
    while True:
        page = (await scheduler.list_tasks(status="running", limit=MAX_LIMIT, cursor=cursor)).unwrap()
        count += sum(task["blocked_reason"] is not None for task in page["tasks"])
        cursor = page["next_cursor"]
        if cursor is None:
            return count
