"""Executions by pages: each list is a walk along an index, from the newest back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Row, literal_column, select, tuple_, union_all

from modules.core.scheduler.execution import OPEN, State
from modules.core.scheduler.tables import events, executions

STATES = frozenset(state.value for state in State)


class Wanted(NamedTuple):
    """Which executions: of one task or of all, in one state or in any, and ended from `since` on, before `until`."""

    event_id: str | None = None
    state: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    @property
    def by_end(self) -> bool:
        """Whether they are listed by when they ended, which leaves out what is open; else by when they were made."""
        ended = self.state is not None and self.state not in OPEN
        return self.event_id is None and (ended or self.since is not None or self.until is not None)


def page(c: Connection, wanted: Wanted, *, limit: int, after: tuple[Any, ...] | None) -> Sequence[Row[Any]]:
    """Return executions with their task's name, newest first.

    Of one task by (scheduled_for, attempt); of all by (end_time, id) where `wanted.by_end`, else by id. `after` is
    where to begin, in the same terms.
    """
    if wanted.state is not None and wanted.state not in STATES:
        return []
    order = _order(wanted)
    conditions = _conditions(wanted)
    if after is not None:
        conditions.append(tuple_(*order) < tuple_(*after))
    query = select(executions, events.c.name).join(events, events.c.id == executions.c.event_id).where(*conditions)
    return c.execute(query.order_by(*(column.desc() for column in order)).limit(limit)).all()


def newest_of_each(c: Connection, event_ids: Sequence[str], most: int) -> Sequence[Row[Any]]:
    """Return `(id, event_id, state, scheduled_for, attempt, start_time, end_time)` of each task's newest executions.

    Of each task a walk along its part of the index, all of them in one statement; in no order.
    """
    names = ("id", "event_id", "state", "scheduled_for", "attempt", "start_time", "end_time")
    newest = (executions.c.scheduled_for.desc(), executions.c.attempt.desc())
    columns = [executions.c[name] for name in names]
    walks = [
        select(*columns).where(executions.c.event_id == event_id).order_by(*newest).limit(most).subquery()
        for event_id in event_ids
    ]
    return c.execute(union_all(*(select(walk) for walk in walks))).all() if walks else []


def _order(wanted: Wanted) -> list[ColumnElement[Any]]:
    if wanted.event_id is not None:
        return [executions.c.scheduled_for, executions.c.attempt]
    return [executions.c.end_time, executions.c.id] if wanted.by_end else [executions.c.id]


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.event_id is not None:
        conditions.append(executions.c.event_id == wanted.event_id)
    if wanted.state is not None:
        # Written out rather than bound, for a planner uses a partial index only where it sees that the condition holds.
        conditions.append(executions.c.state == literal_column(f"'{wanted.state}'"))
    if wanted.by_end:
        conditions.append(executions.c.end_time.is_not(None))
    if wanted.since is not None:
        conditions.append(executions.c.end_time >= wanted.since)
    if wanted.until is not None:
        conditions.append(executions.c.end_time < wanted.until)
    return conditions
