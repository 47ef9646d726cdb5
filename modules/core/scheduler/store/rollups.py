"""Sums over ended executions, by minutes, ten minutes and hours: what statistics read instead of the history."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, delete, or_, select, tuple_, update

from framework.database import for_update, insert_ignore, upsert
from modules.core.scheduler.live_tables import rollup_position, rollups
from modules.core.scheduler.tables import executions

KEPT = {60: timedelta(hours=2), 600: timedelta(hours=26), 3600: timedelta(days=8)}  # by the length of a step, seconds
SUMS = ("executions", "timed", "seconds", "longest", "late_seconds", "latest", "spread")
READ = ("end_time", "id", "state", "start_time", "due_at", "scheduled_for", "attempt", "origin", "created_at")
Position = tuple[datetime, str]


def position(c: Connection, *, locked: bool = False) -> Position | None:
    """Return the last execution that is in the sums, None before the first."""
    query = select(rollup_position)
    row = c.execute(for_update(query) if locked else query).one_or_none()
    return None if row is None else (row.end_time, row.execution_id)


def begin(c: Connection, at: Position) -> None:
    """Note from where on executions are summed up, unless that is known."""
    c.execute(insert_ignore(rollup_position).values(id=1, end_time=at[0], execution_id=at[1]))


def move(c: Connection, to: Position) -> None:
    """Note up to where they are."""
    c.execute(update(rollup_position).values(end_time=to[0], execution_id=to[1]))


def ended_behind(c: Connection, after: Position, before: datetime, limit: int) -> Sequence[Row[Any]]:
    """Return `READ` of executions that ended behind a position and before a moment, in order."""
    order = (executions.c.end_time, executions.c.id)
    query: Select[Any] = select(*(executions.c[name] for name in READ))
    behind = (tuple_(*order) > tuple_(*after)) & (executions.c.end_time < before)
    return c.execute(query.where(behind).order_by(*order).limit(limit)).all()


def newest_of(c: Connection, task_id: str, limit: int) -> Sequence[Row[Any]]:
    """Return `READ` of the newest executions of a task, the open ones among them."""
    query: Select[Any] = select(*(executions.c[name] for name in READ)).where(executions.c.event_id == task_id)
    newest = (executions.c.scheduled_for.desc(), executions.c.attempt.desc())
    return c.execute(query.order_by(*newest).limit(limit)).all()


def since(c: Connection, step: int, moment: datetime) -> Sequence[Row[Any]]:
    """Return the sums of this length that begin at a moment or later, in order."""
    wanted = (rollups.c.step == step) & (rollups.c.at >= moment)
    return c.execute(select(rollups).where(wanted).order_by(rollups.c.at, rollups.c.state)).all()


def among(c: Connection, moments: Collection[datetime]) -> Sequence[Row[Any]]:
    """Return the sums that begin at any of these moments."""
    return c.execute(select(rollups).where(rollups.c.step.in_(KEPT), rollups.c.at.in_(moments))).all()


def put(c: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write sums in place of those that were there."""
    c.execute(upsert(rollups, ["step", "at", "state"], SUMS), rows)


def forget(c: Connection, now: datetime) -> int:
    """Delete the sums that no statistics look at any more."""
    old = [and_(rollups.c.step == step, rollups.c.at < now - kept) for step, kept in KEPT.items()]
    return c.execute(delete(rollups).where(or_(*old))).rowcount
