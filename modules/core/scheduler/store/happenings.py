"""What has happened lately: short looks by small indexes, for those who watch. First what is new, then its rows."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, or_, select

from framework.clock import id_at
from modules.core.scheduler.cleanup_tables import cleanup_reports
from modules.core.scheduler.live_tables import log_lines
from modules.core.scheduler.store.executions import is_running
from modules.core.scheduler.tables import events, executions, nodes, pauses

TASK_COLUMNS: tuple[str, ...] = (
    "id",
    "name",
    "module_id",
    "status",
    "status_reason",
    "next_execution",
    "created_at",
    "changed_at",
)
EXECUTION_COLUMNS: tuple[str, ...] = (
    "id",
    "event_id",
    "scheduled_for",
    "attempt",
    "state",
    "reason",
    "origin",
    "queue",
    "node_id",
)
EXECUTION_COLUMNS += ("start_time", "end_time", "timed_out_at", "cancel_requested_at", "success", "error")
EXECUTION_COLUMNS += ("retries_used", "created_at")


def created_tasks(c: Connection, since: datetime, limit: int) -> Sequence[Row[Any]]:
    """Return `(moment, id)` of tasks that were created later than the moment."""
    order = (events.c.created_at, events.c.id)
    query: Select[Any] = select(*order)
    return c.execute(query.where(events.c.created_at > since).order_by(*order).limit(limit)).all()


def changed_tasks(c: Connection, since: datetime, limit: int) -> Sequence[Row[Any]]:
    """Return `(moment, id)` of tasks that were changed later, other than by running."""
    order = (events.c.changed_at, events.c.id)
    query: Select[Any] = select(*order)
    return c.execute(query.where(events.c.changed_at > since).order_by(*order).limit(limit)).all()


def ended_executions(c: Connection, since: datetime, limit: int) -> Sequence[Row[Any]]:
    """Return `(moment, id)` of executions that ended later, those that never ran among them."""
    order = (executions.c.end_time, executions.c.id)
    query: Select[Any] = select(*order)
    return c.execute(query.where(executions.c.end_time > since).order_by(*order).limit(limit)).all()


def new_executions(c: Connection, since: datetime, limit: int) -> Sequence[str]:
    """Return the ids of executions whose rows were made later."""
    later = executions.c.id > id_at(since)
    return c.execute(select(executions.c.id).where(later).order_by(executions.c.id).limit(limit)).scalars().all()


def running(c: Connection, limit: int) -> Sequence[Row[Any]]:
    """Return of executions that run what changes meanwhile: progress, and whether they are asked to stop."""
    told = ("id", "event_id", "start_time", "progress", "cancel_requested_at", "timed_out_at")
    return c.execute(select(*(executions.c[name] for name in told)).where(is_running).limit(limit)).all()


def tasks_of(c: Connection, ids: Collection[str]) -> Sequence[Row[Any]]:
    """Return tasks as they are."""
    return c.execute(select(*(events.c[name] for name in TASK_COLUMNS)).where(events.c.id.in_(ids))).all()


def executions_of(c: Connection, ids: Collection[str]) -> Sequence[Row[Any]]:
    """Return executions as they are, with their task's name and module, oldest first."""
    columns = [executions.c[name] for name in EXECUTION_COLUMNS]
    query: Select[Any] = select(*columns, events.c.name, events.c.module_id, events.c.status.label("task_status"))
    query = query.join_from(executions, events, events.c.id == executions.c.event_id)
    return c.execute(query.where(executions.c.id.in_(ids)).order_by(executions.c.id)).all()


def lines_behind(c: Connection, numbers: Mapping[str, int], limit: int) -> Sequence[Row[Any]]:
    """Return the log lines of each of these executions behind its number."""
    each = [and_(log_lines.c.execution_id == of, log_lines.c.number > after) for of, after in numbers.items()]
    order = (log_lines.c.execution_id, log_lines.c.number)
    return c.execute(select(log_lines).where(or_(*each)).order_by(*order).limit(limit)).all()


def reports(c: Connection, since: datetime, limit: int) -> Sequence[Row[Any]]:
    """Return the reports of cleanups that were written later."""
    later = cleanup_reports.c.id > id_at(since)
    return c.execute(select(cleanup_reports).where(later).order_by(cleanup_reports.c.id).limit(limit)).all()


def living(c: Connection) -> Sequence[Row[Any]]:
    """Return the nodes: id, host, process, start, and since when one drains."""
    told = ("id", "host", "pid", "started_at", "draining_since")
    return c.execute(select(*(nodes.c[name] for name in told))).all()


def held(c: Connection) -> Sequence[Row[Any]]:
    """Return what operators hold back."""
    return c.execute(select(pauses)).all()
