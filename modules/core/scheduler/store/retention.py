"""Deleting the scheduler's own past: each verb deletes one batch and returns how many rows it took."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, Select, Table, delete, exists, func, select

from framework.database import skip_locked
from modules.core.scheduler.cleanup_tables import cleanup_plans, cleanup_reports, cleanups
from modules.core.scheduler.tables import events, executions
from modules.core.scheduler.task import Status

ENDED = (Status.COMPLETED, Status.FAILED, Status.CANCELLED)


def delete_executions(c: Connection, before: datetime, limit: int) -> int:
    """Delete executions that ended before the moment."""
    return _delete(c, executions, select(executions.c.id).where(executions.c.end_time < before).limit(limit))


def crowded(c: Connection, keep: int) -> Sequence[str]:
    """Return the tasks with more than `keep` ended executions: one look at all of them, outside of any write."""
    ended = executions.c.end_time.is_not(None)
    query = select(executions.c.event_id).where(ended).group_by(executions.c.event_id)
    return c.execute(query.having(func.count() > keep)).scalars().all()


def delete_beyond(c: Connection, event_id: str, keep: int, limit: int) -> int:
    """Delete ended executions of a task beyond its newest `keep`."""
    ended = executions.c.end_time.is_not(None)
    of_task = select(executions.c.id).where(ended, executions.c.event_id == event_id)
    return _delete(c, executions, of_task.order_by(executions.c.id.desc()).limit(limit).offset(keep))


def delete_ended_tasks(c: Connection, before: datetime, limit: int) -> int:
    """Delete ended tasks without history that were made at run time and last changed before the moment."""
    has_history = exists().where(executions.c.event_id == events.c.id)
    is_done = events.c.status.in_(ENDED) & (events.c.owner == "runtime") & (events.c.updated_at < before)
    is_cleanup = exists().where(cleanups.c.task_id == events.c.id)
    over = select(events.c.id).where(is_done, ~has_history, ~is_cleanup).limit(limit)
    return _delete(c, events, skip_locked(over, of=events))


def delete_reports(c: Connection, before: datetime, limit: int) -> int:
    """Delete cleanup reports older than the moment."""
    return _delete(
        c, cleanup_reports, select(cleanup_reports.c.id).where(cleanup_reports.c.started_at < before).limit(limit)
    )


def delete_plans(c: Connection, before: datetime, limit: int) -> int:
    """Delete plans of cleanups that are older than the moment."""
    old = cleanup_plans.c.created_at < before
    return _delete(c, cleanup_plans, select(cleanup_plans.c.id).where(old).limit(limit))


def _delete(c: Connection, table: Table, ids: Select[tuple[str]]) -> int:
    chosen = list(c.execute(ids).scalars())
    return c.execute(delete(table).where(table.c.id.in_(chosen))).rowcount if chosen else 0
