"""Deleting the scheduler's own past: what could go is read by pages, each verb deletes a few rows and says how many."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, Select, Table, delete, exists, func, select, tuple_

from framework.database import skip_locked
from modules.core.scheduler.cleanup_tables import cleanup_days, cleanup_plans, cleanup_reports, cleanups
from modules.core.scheduler.policies import policies_of
from modules.core.scheduler.store import log_lines
from modules.core.scheduler.tables import events, executions
from modules.core.scheduler.task import Status

ENDED = (Status.COMPLETED, Status.FAILED, Status.CANCELLED)

is_closed = executions.c.end_time.is_not(None)


def ended_page(c: Connection, before: datetime, after: tuple[Any, ...] | None, limit: int) -> Sequence[Row[Any]]:
    """Return `(end_time, id, state)` of executions that ended before the moment, oldest first, after the last one."""
    order = (executions.c.end_time, executions.c.id)
    query: Select[Any] = select(*order, executions.c.state).where(executions.c.end_time < before)
    if after is not None:
        query = query.where(tuple_(*order) > tuple_(*after))
    return c.execute(query.order_by(*order).limit(limit)).all()


def task_page(c: Connection, after: tuple[Any, ...] | None, limit: int) -> Sequence[Row[Any]]:
    """Return `(event_id, scheduled_for, attempt, id, state, end_time)`, task by task, the newest of each first."""
    order = (executions.c.event_id, executions.c.scheduled_for, executions.c.attempt)
    query: Select[Any] = select(*order, executions.c.id, executions.c.state, executions.c.end_time)
    if after is not None:
        query = query.where(tuple_(*order) < tuple_(*after))
    return c.execute(query.order_by(*(column.desc() for column in order)).limit(limit)).all()


def delete_executions(c: Connection, ids: Collection[str], now: datetime) -> int:
    """Delete these executions with their log lines, unless they are open or a rate limit still counts them."""
    counted = _counted(c, ids, now)
    free = [each for each in ids if each not in counted]
    gone = delete(executions).where(executions.c.id.in_(free), is_closed).returning(executions.c.id)
    deleted = list(c.execute(gone).scalars())
    log_lines.remove(c, deleted)
    return len(deleted)


def count_executions(c: Connection, ids: Collection[str], now: datetime) -> int:
    """Return how many of these, all of them closed, `delete_executions` would delete."""
    return len(ids) - len(_counted(c, ids, now))


def _counted(c: Connection, ids: Collection[str], now: datetime) -> set[str]:
    """Return those that started within the period of their task's rate limit."""
    started = executions.c.id.in_(ids) & executions.c.limit_key.is_not(None) & executions.c.start_time.is_not(None)
    columns = (executions.c.id, executions.c.start_time, events.c.policies)
    query = select(*columns).join(events, events.c.id == executions.c.event_id).where(started)
    return {row.id for row in c.execute(query) if row.start_time > now - _period(row.policies)}


def _period(policies: str) -> timedelta:
    try:
        rate = policies_of(policies).rate_limit
    except ValueError:  # damaged: nothing of the task runs until it is mended
        rate = None
    return timedelta(seconds=0 if rate is None else rate[1])


def done_page(c: Connection, before: datetime, after: str, limit: int) -> tuple[list[str], str | None]:
    """Look at tasks in the order of their ids: those made at run time that ended before, and where to go on."""
    columns = (events.c.id, events.c.status, events.c.owner, events.c.updated_at)
    rows = c.execute(select(*columns).where(events.c.id > after).order_by(events.c.id).limit(limit)).all()
    over = [row.id for row in rows if row.status in ENDED and row.owner == "runtime" and row.updated_at < before]
    return over, rows[-1].id if len(rows) == limit else None


def without_history(ids: Collection[str], before: datetime) -> Select[tuple[str]]:
    """Select those of the tasks that are still over, without any history, and no cleanup's."""
    is_done = events.c.status.in_(ENDED) & (events.c.owner == "runtime") & (events.c.updated_at < before)
    has_history = exists().where(executions.c.event_id == events.c.id)
    is_cleanup = exists().where(cleanups.c.task_id == events.c.id)
    return select(events.c.id).where(events.c.id.in_(ids), is_done, ~has_history, ~is_cleanup)


def delete_tasks(c: Connection, ids: Collection[str], before: datetime) -> int:
    """Delete ended tasks without history that were made at run time and last changed before the moment."""
    return _delete(c, events, skip_locked(without_history(ids, before), of=events))


def count_tasks(c: Connection, ids: Collection[str], before: datetime) -> int:
    """Return how many tasks `delete_tasks` would delete."""
    return len(c.execute(without_history(ids, before)).all())


def count_reports(c: Connection, before: datetime) -> int:
    """Return how many reports and plans of cleanups are older than the moment."""
    reports = select(func.count()).where(cleanup_reports.c.started_at < before)
    plans = select(func.count()).where(cleanup_plans.c.created_at < before)
    return c.execute(reports).scalar_one() + c.execute(plans).scalar_one()


def delete_reports(c: Connection, before: datetime, limit: int) -> int:
    """Delete reports of cleanups older than the moment."""
    old = select(cleanup_reports.c.id).where(cleanup_reports.c.started_at < before)
    return _delete(c, cleanup_reports, old.order_by(cleanup_reports.c.started_at).limit(limit))


def delete_days(c: Connection, before: str) -> int:
    """Delete the totals of days before this one (`YYYY-MM-DD`)."""
    return c.execute(delete(cleanup_days).where(cleanup_days.c.day < before)).rowcount


def delete_plans(c: Connection, before: datetime, limit: int) -> int:
    """Delete plans of cleanups that are older than the moment."""
    old = cleanup_plans.c.created_at < before
    return _delete(c, cleanup_plans, select(cleanup_plans.c.id).where(old).limit(limit))


def _delete(c: Connection, table: Table, ids: Select[tuple[str]]) -> int:
    chosen = list(c.execute(ids).scalars())
    return c.execute(delete(table).where(table.c.id.in_(chosen))).rowcount if chosen else 0
