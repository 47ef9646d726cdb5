"""What the tables know of single occurrences: their rows, which have an attempt, and moving one that waits."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, select, update

from modules.core.scheduler.execution import Line
from modules.core.scheduler.store.executions import is_pending
from modules.core.scheduler.tables import executions


def rows_of(c: Connection, event_id: str, scheduled_for: datetime) -> Sequence[Row[Any]]:
    """Return the rows of an occurrence, the newest attempt first."""
    mine = (executions.c.event_id == event_id) & (executions.c.scheduled_for == scheduled_for)
    return c.execute(select(executions).where(mine).order_by(executions.c.attempt.desc())).all()


def standing_for(c: Connection, event_id: str, moment: datetime) -> Row[Any] | None:
    """Return the row that stands for an occurrence that was missed, or None."""
    stands = (executions.c.missed_since <= moment) & (executions.c.scheduled_for >= moment)
    query = select(executions).where(executions.c.event_id == event_id, stands)
    return c.execute(query.order_by(executions.c.scheduled_for).limit(1)).one_or_none()


def attempted(c: Connection, event_id: str, first: datetime, last: datetime) -> set[datetime]:
    """Return the nominal times from `first` to `last` of which there is an attempt, whatever came of it."""
    within = executions.c.scheduled_for.between(first, last) & (executions.c.attempt > 0)
    query = select(executions.c.scheduled_for).where(executions.c.event_id == event_id, within)
    return set(c.execute(query.distinct()).scalars())


def newest_moment(c: Connection, event_id: str) -> datetime | None:
    """Return the latest nominal time that a task has a row of."""
    return c.execute(select(func.max(executions.c.scheduled_for)).where(executions.c.event_id == event_id)).scalar()


def move(c: Connection, execution_id: str, due_at: datetime, rank: float, line: Line) -> bool:
    """Let a pending execution wait for another time; False when it is not pending any more."""
    mine = (executions.c.id == execution_id) & is_pending
    moved = update(executions).where(mine).values(due_at=due_at, rank=rank, line=line, reason=None)
    return c.execute(moved).rowcount == 1
