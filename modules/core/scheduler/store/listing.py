"""Executions by pages: each list is a walk along an index, from the newest back, and no longer than a bound."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Row, exists, func, literal_column, select, tuple_, union_all

from modules.core.scheduler.execution import OPEN, State
from modules.core.scheduler.store.executions import is_open
from modules.core.scheduler.tables import events, executions

STATES = frozenset(state.value for state in State)
FREQUENT = OPEN | {State.SUCCEEDED}  # no index has those of such a state in order
LOOKED_AT = 10_000  # rows that one page goes through where no index leads to what is asked for


class Wanted(NamedTuple):
    """Which executions: of one task or of all, in one state or in any, and ended from `since` on, before `until`.

    Of one module, and with `is_last` only the last attempt of each occurrence.
    """

    event_id: str | None = None
    state: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    module_id: str | None = None
    is_last: bool = False

    @property
    def by_end(self) -> bool:
        """Whether they are listed by when they ended, which leaves out what is open; else by when they were made."""
        ended = self.state is not None and self.state not in OPEN
        return self.event_id is None and (ended or self.since is not None or self.until is not None)

    @property
    def fits_nothing(self) -> bool:
        """Whether no execution can be of this kind: there is no such state, or it is open and ended at once."""
        if self.state is None:
            return False
        is_windowed = self.since is not None or self.until is not None
        return self.state not in STATES or (self.state in OPEN and is_windowed)


def page(
    c: Connection, wanted: Wanted, *, limit: int, after: tuple[Any, ...] | None
) -> tuple[Sequence[Row[Any]], tuple[Any, ...] | None]:
    """Return executions with their task's name, newest first; and where the look for them ended, None: nowhere.

    Of one task by (scheduled_for, attempt); of all by (end_time, id) where `wanted.by_end`, else by id. `after` is
    where to begin, in the same terms, and so is where the look ended: behind 10,000 rows of which few were wanted.
    """
    if wanted.fits_nothing:
        return [], None
    order, (conditions, edge) = _order(wanted), _bounded(c, wanted, after)
    # Not the column itself: with the statistics of an ANALYZE, SQLite may begin with all tasks and look for the runs of
    # each, rather than walk the index in order.
    task_id = func.coalesce(executions.c.event_id, executions.c.event_id)
    query = select(executions, events.c.name).join(events, events.c.id == task_id).where(*conditions)
    return c.execute(query.order_by(*(column.desc() for column in order)).limit(limit)).all(), edge


def count(c: Connection, wanted: Wanted, most: int) -> tuple[int, bool]:
    """Return how many there are, counted no further than `most`, and whether there may be more."""
    if wanted.fits_nothing:
        return 0, False
    conditions, edge = _bounded(c, wanted, None)
    found = select(executions.c.id).where(*conditions).limit(most + 1)
    number = c.execute(select(func.count()).select_from(found.subquery())).scalar_one()
    return min(number, most), number > most or edge is not None


def attempts(c: Connection, event_id: str, scheduled_for: datetime, most: int) -> Sequence[Row[Any]]:
    """Return `(id, state, attempt, due_at, start_time, end_time)` of an occurrence's attempts, the newest first."""
    names = ("id", "state", "attempt", "due_at", "start_time", "end_time")
    mine = (executions.c.event_id == event_id) & (executions.c.scheduled_for == scheduled_for)
    query = select(*(executions.c[name] for name in names)).where(mine)
    return c.execute(query.order_by(executions.c.attempt.desc()).limit(most)).all()


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


def _bounded(
    c: Connection, wanted: Wanted, after: tuple[Any, ...] | None
) -> tuple[list[ColumnElement[bool]], tuple[Any, ...] | None]:
    """Return the conditions, and where they end before all is seen: the walk along the index may meet few that fit."""
    order, walked, sparse = _order(wanted), _walked(wanted), _sparse(wanted)
    if wanted.event_id is None and wanted.state in OPEN:
        few = _open_ids(c, wanted.state)
        if len(few) <= LOOKED_AT:
            return [executions.c.id.in_([each for each in few if after is None or each < after[0]]), *sparse], None
    if after is not None:
        walked.append(tuple_(*order) < tuple_(*after))
    if not sparse:
        return walked, None
    newest = select(*order).where(*walked).order_by(*(column.desc() for column in order))
    last = c.execute(newest.offset(LOOKED_AT - 1).limit(1)).one_or_none()
    if last is None:
        return walked + sparse, None
    return [*walked, *sparse, tuple_(*order) >= tuple_(*last)], tuple(last)


def _open_ids(c: Connection, state: str) -> Sequence[str]:
    """Return the ids of what waits or runs, one more than are looked at, where there are so many; in no order.

    Apart from the page: SQLite would rather walk all that has ended, to have the newest first.
    """
    return c.execute(select(executions.c.id).where(is_open, _in_state(state)).limit(LOOKED_AT + 1)).scalars().all()


def _order(wanted: Wanted) -> list[ColumnElement[Any]]:
    if wanted.event_id is not None:
        return [executions.c.scheduled_for, executions.c.attempt]
    return [executions.c.end_time, executions.c.id] if wanted.by_end else [executions.c.id]


def _walked(wanted: Wanted) -> list[ColumnElement[bool]]:
    """Return what holds for all rows of the part of an index that is walked."""
    if wanted.event_id is not None:
        return [executions.c.event_id == wanted.event_id]
    conditions: list[ColumnElement[bool]] = []
    if wanted.state is not None and wanted.state not in FREQUENT:
        conditions.append(_in_state(wanted.state))
    if wanted.by_end:
        conditions.append(executions.c.end_time.is_not(None))
    return conditions + _ended_within(wanted)


def _sparse(wanted: Wanted) -> list[ColumnElement[bool]]:
    """Return what may hold for few of them."""
    conditions: list[ColumnElement[bool]] = []
    if wanted.state is not None and (wanted.event_id is not None or wanted.state in FREQUENT):
        conditions.append(_in_state(wanted.state))
    if wanted.event_id is not None:
        conditions += _ended_within(wanted)
    if wanted.module_id is not None:
        mine = f"{wanted.module_id}:"
        conditions.append(func.substr(executions.c.function_key, 1, len(mine)) == mine)
    if wanted.is_last:
        later = executions.alias("later")
        same = (later.c.event_id == executions.c.event_id) & (later.c.scheduled_for == executions.c.scheduled_for)
        conditions.append(~exists().where(same, later.c.attempt > executions.c.attempt))
    return conditions


def _in_state(state: str) -> ColumnElement[bool]:
    # Written out rather than bound, for a planner uses a partial index only where it sees that the condition holds.
    return executions.c.state == literal_column(f"'{state}'")


def _ended_within(wanted: Wanted) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.since is not None:
        conditions.append(executions.c.end_time >= wanted.since)
    if wanted.until is not None:
        conditions.append(executions.c.end_time < wanted.until)
    return conditions
