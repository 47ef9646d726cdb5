"""What is expected of tasks, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, exists, or_, select, update

from framework.database import run, skip_locked
from modules.core.scheduler.execution import Reason, State
from modules.core.scheduler.tables import events, executions

ANY_DUE = "SELECT 1 FROM scheduler_events WHERE expected_at <= :now LIMIT 1"


def is_any_due(c: Connection, now: datetime) -> bool:
    """Tell whether it is time to look at any task."""
    return bool(run(c, ANY_DUE, now=now).rows)


def due(c: Connection, now: datetime, limit: int) -> Sequence[Row[Any]]:
    """Return the tasks that it is time to look at, locked, the longest due first."""
    is_time = events.c.expected_at <= now
    return c.execute(skip_locked(select(events).where(is_time).order_by(events.c.expected_at).limit(limit))).all()


def expect(c: Connection, task_id: str, values: Mapping[str, Any]) -> None:
    """Set `expected_for` and `expected_at` of a task."""
    c.execute(update(events).where(events.c.id == task_id).values(values))


def has_succeeded(c: Connection, task: Row[Any]) -> bool:
    """Tell whether what was expected, or a later occurrence in its place, succeeded in time."""
    succeeded = (executions.c.state == State.SUCCEEDED) & (executions.c.end_time <= task.expected_at)
    return _has(c, task, succeeded)


def was_put_off(c: Connection, task: Row[Any]) -> bool:
    """Tell whether somebody has left this occurrence out, or moved it."""
    by_hand = or_(executions.c.reason == Reason.SKIPPED_BY_REQUEST, executions.c.origin == "shift")
    return _has(c, task, (executions.c.scheduled_for == task.expected_for) & by_hand)


def has_come(c: Connection, task: Row[Any]) -> bool:
    """Tell whether there is any row of the time in question."""
    return _has(c, task, executions.c.id.is_not(None))


def _has(c: Connection, task: Row[Any], what: Any) -> bool:
    within = executions.c.scheduled_for.between(task.expected_for, task.expected_at)
    return bool(c.execute(select(exists().where(executions.c.event_id == task.id, within, what))).scalar())
