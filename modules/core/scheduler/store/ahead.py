"""What a look ahead reads: the tasks that come, how their last executions went, and what is open now."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, select, union_all

from modules.core.scheduler.execution import Line, Reason, State
from modules.core.scheduler.store.executions import is_open as execution_is_open
from modules.core.scheduler.store.tasks import is_open, is_pending, not_held
from modules.core.scheduler.tables import events, executions

LOOKED_AT = 100  # of a task's newest executions
AT_ONCE = 100  # tasks in one statement


def coming(c: Connection, until: datetime, limit: int) -> Sequence[Row[Any]]:
    """Return the tasks that nobody holds back and that come until then, soonest first."""
    is_coming = is_pending & (events.c.next_execution <= until)
    return c.execute(select(events).where(is_coming, not_held).order_by(events.c.next_execution).limit(limit)).all()


def pending(c: Connection, limit: int) -> Sequence[Row[Any]]:
    """Return pending tasks with `is_open`, newest first."""
    query = select(events, is_open.label("is_open")).where(is_pending)
    return c.execute(query.order_by(events.c.created_at.desc(), events.c.id.desc()).limit(limit)).all()


def succeeded(c: Connection, task_ids: Sequence[str], most: int) -> dict[str, list[float]]:
    """Return how many seconds the newest successes of each task took, of its last hundred executions."""
    took: dict[str, list[float]] = {task_id: [] for task_id in task_ids}
    for start in range(0, len(task_ids), AT_ONCE):
        walks = [_newest(task_id).subquery() for task_id in task_ids[start : start + AT_ONCE]]
        for row in c.execute(union_all(*(select(walk) for walk in walks))):
            ended = row.start_time is not None and row.end_time is not None
            if row.state == State.SUCCEEDED and ended and len(took[row.event_id]) < most:
                took[row.event_id].append((row.end_time - row.start_time).total_seconds())
    return took


def _newest(task_id: str) -> Select[Any]:
    columns = [executions.c[name] for name in ("event_id", "state", "start_time", "end_time")]
    query: Select[Any] = select(*columns).where(executions.c.event_id == task_id)
    return query.order_by(executions.c.scheduled_for.desc()).limit(LOOKED_AT)


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
    # An outer join, for the planner to begin with the few that are open, not with all tasks; every one has its task.
    of_tasks = (events.c[name] for name in theirs)
    query = select(*columns, *of_tasks).outerjoin(events, events.c.id == executions.c.event_id)
    may_start = (executions.c.line != Line.HELD) | (executions.c.reason == Reason.LIMIT)
    return c.execute(query.where(execution_is_open, may_start).order_by(executions.c.due_at).limit(limit)).all()
