"""What a look ahead reads: the tasks that come, how their last executions went, and what is open now."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from modules.core.scheduler.execution import Line, Reason, State
from modules.core.scheduler.store.executions import is_open as execution_is_open
from modules.core.scheduler.store.tasks import is_open, is_pending, not_held
from modules.core.scheduler.tables import events, executions

LOOKED_AT = 100  # of a task's newest executions


def coming(c: Connection, until: datetime, limit: int) -> Sequence[Row[Any]]:
    """Return the tasks that nobody holds back and that come until then, soonest first."""
    is_coming = is_pending & (events.c.next_execution <= until)
    return c.execute(select(events).where(is_coming, not_held).order_by(events.c.next_execution).limit(limit)).all()


def pending(c: Connection, limit: int) -> Sequence[Row[Any]]:
    """Return pending tasks with `is_open`, newest first."""
    query = select(events, is_open.label("is_open")).where(is_pending)
    return c.execute(query.order_by(events.c.created_at.desc(), events.c.id.desc()).limit(limit)).all()


def succeeded(c: Connection, task_id: str, most: int) -> list[float]:
    """Return how many seconds the newest successes of a task took, of its last hundred executions."""
    columns = (executions.c.state, executions.c.start_time, executions.c.end_time)
    query = select(*columns).where(executions.c.event_id == task_id)
    rows = c.execute(query.order_by(executions.c.scheduled_for.desc()).limit(LOOKED_AT))
    took = [
        (row.end_time - row.start_time).total_seconds()
        for row in rows
        if row.state == State.SUCCEEDED and row.start_time is not None and row.end_time is not None
    ]
    return took[:most]


def waiting(c: Connection, task_id: str, now: datetime, limit: int) -> Sequence[Row[Any]]:
    """Return `(scheduled_for, due_at, origin)` of a task's executions that wait for a time to come, soonest first."""
    columns = [executions.c[name] for name in ("scheduled_for", "due_at", "origin")]
    waits = (executions.c.state == State.PENDING) & (executions.c.due_at > now)
    theirs = executions.c.event_id == task_id
    return c.execute(select(*columns).where(theirs, waits).order_by(executions.c.due_at).limit(limit)).all()


def opened(c: Connection, limit: int) -> Sequence[Row[Any]]:
    """Return open executions that nothing but slots and limits holds, with what a look ahead needs of their tasks."""
    theirs = ("name", "module_id", "concurrency_key", "max_instances", "overlap")
    columns = [executions.c[name] for name in ("event_id", "state", "queue", "priority", "due_at", "start_time")]
    query = select(*columns, *(events.c[name] for name in theirs)).join(events, events.c.id == executions.c.event_id)
    may_start = (executions.c.line != Line.HELD) | (executions.c.reason == Reason.LIMIT)
    return c.execute(query.where(execution_is_open, may_start).order_by(executions.c.due_at).limit(limit)).all()
