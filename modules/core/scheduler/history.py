"""The scheduler's own retention: its history stays bounded, in small batches that hold nobody up."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from sqlalchemy import Connection

from framework.clock import Clock
from framework.database import Database
from modules.core.scheduler.freezing import refuse_standstill
from modules.core.scheduler.settings import SchedulerSettings
from modules.core.scheduler.store import retention

BATCH = 500


async def prune(database: Database, clock: Clock, settings: SchedulerSettings) -> dict[str, int]:
    """Delete what is older than the settings keep; return how many `executions`, `tasks` and `reports` went.

    Open executions stay, and so do the tasks that code declares: their keys are what makes a restart change nothing.
    Where the settings ask for dry runs, nothing goes. `ResultError` where nothing may be deleted at all.
    """
    await database.read(lambda c: refuse_standstill(c, settings))
    if settings.housekeeper_dry_run:
        return {"executions": 0, "tasks": 0, "reports": 0}
    before = clock.now() - settings.keep_execution_history
    by_age = partial(retention.delete_executions, before=before, limit=BATCH)
    gone = await _in_batches(database, by_age)
    if settings.keep_executions_per_task is not None:
        gone += await _prune_by_count(database, settings.keep_executions_per_task)
    done = await _in_batches(database, partial(retention.delete_ended_tasks, before=before, limit=BATCH))
    reports = await _in_batches(database, partial(retention.delete_reports, before=before, limit=BATCH))
    reports += await _in_batches(database, partial(retention.delete_plans, before=before, limit=BATCH))
    return {"executions": gone, "tasks": done, "reports": reports}


async def _prune_by_count(database: Database, keep: int) -> int:
    deleted = 0
    for task_id in await database.read(partial(retention.crowded, keep=keep)):
        beyond = partial(retention.delete_beyond, event_id=task_id, keep=keep, limit=BATCH)
        deleted += await _in_batches(database, beyond)
    return deleted


async def _in_batches(database: Database, delete: Callable[[Connection], int]) -> int:
    deleted = 0
    while count := await database.write(delete):
        deleted += count
    return deleted
