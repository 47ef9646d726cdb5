"""What the tables know of single occurrences: their rows, which have an attempt, and moving one that waits."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, func, select, update

from modules.core.scheduler.execution import Line
from modules.core.scheduler.store.executions import is_pending
from modules.core.scheduler.tables import executions

MICROSECOND = timedelta(microseconds=1)
SECOND = timedelta(seconds=1)


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


def accounted_until(c: Connection, event_id: str, now: datetime) -> datetime:
    """Return the latest nominal time that a task has a row of, and not before now: one skipped or moved lies ahead."""
    newest = c.execute(select(func.max(executions.c.scheduled_for)).where(executions.c.event_id == event_id)).scalar()
    return now if newest is None else max(now, newest)


def move(c: Connection, execution_id: str, due_at: datetime, rank: float, line: Line) -> bool:
    """Let a pending execution wait for another time; False when it is not pending any more."""
    mine = (executions.c.id == execution_id) & is_pending
    moved = update(executions).where(mine).values(due_at=due_at, rank=rank, line=line, reason=None)
    return c.execute(moved).rowcount == 1


def free_moment(c: Connection, task: Row[Any], now: datetime) -> datetime:
    """Return a `scheduled_for` from now on that the task has not used and will not: the key of an unscheduled run."""
    return free_moments(c, [task], now)[task.id]


def free_moments(c: Connection, tasks: Sequence[Row[Any]], now: datetime) -> dict[str, datetime]:
    """Return what `free_moment` does for each of several tasks, by their ids."""
    near = executions.c.scheduled_for.between(now, now + SECOND)  # what was skipped or moved may lie far ahead
    event_id, latest = executions.c.event_id, func.max(executions.c.scheduled_for)
    taken = event_id.in_([task.id for task in tasks]) & near
    query = select(event_id, latest).where(taken).group_by(event_id)
    last: dict[str, datetime] = {row[0]: row[1] for row in c.execute(query)} if tasks else {}
    free = {task.id: last[task.id] + MICROSECOND if task.id in last else now for task in tasks}
    for task in tasks:  # what is due and not yet fired may be of this very moment
        if free[task.id] == task.next_execution or (free[task.id] == now and _is_due(task, now)):
            free[task.id] += MICROSECOND
    return free


def _is_due(task: Row[Any], now: datetime) -> bool:
    return task.next_execution is not None and task.next_execution <= now
