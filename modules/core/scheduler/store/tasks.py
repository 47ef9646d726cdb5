"""Tasks in the database: find, insert, change by compare-and-set."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import ColumnElement, Connection, Row, Select, exists, func, literal_column, select, tuple_, update

from framework.database import change_rows, for_update, read_moment, run, skip_locked
from modules.core.scheduler.tables import events, executions, pauses
from modules.core.scheduler.task import Status

AT_ONCE = 1_000  # tasks of a statement: what is done with them takes less time than a transaction may stand still
T = TypeVar("T")
Key = tuple[str, str]  # a module's id, and the key within it
COLUMNS = tuple(column.name for column in events.columns)
MOVE_COLUMNS = (("id", "text"), ("nominal", "moment"), ("following", "moment"), ("started", "int"))
# `status || ''`: else PostgreSQL may look the ids up among all that are and were due, dead rows and all.
MOVE_ON = """
    UPDATE scheduler_events SET next_execution = given.following, execution_count = given.started, updated_at = :now
    FROM given
    WHERE scheduler_events.id = given.id AND next_execution = given.nominal AND status || '' = 'pending'
    RETURNING scheduler_events.id"""
GO_ON_COLUMNS = (
    ("id", "text"),
    ("following", "moment"),
    ("expected_for", "moment"),
    ("expected_at", "moment"),
    ("declared_by", "text"),
    ("declared_as", "text"),
)
GO_ON = """
    UPDATE scheduler_events SET status = 'pending', status_reason = NULL, next_execution = given.following,
        expected_for = given.expected_for, expected_at = given.expected_at, declared_by = given.declared_by,
        declared_as = given.declared_as, revision = scheduler_events.revision + 1, updated_at = :now, changed_at = :now
    FROM given WHERE scheduler_events.id = given.id"""
DUE = """
    SELECT id, name, module_id, function_name, trigger, recurring, next_execution, execution_count, max_executions,
        status, priority, queue, overlap, max_instances, concurrency_key, policies
    FROM scheduler_events
    WHERE status = 'pending' AND next_execution <= :now
        AND NOT EXISTS (SELECT 1 FROM scheduler_pauses WHERE scope IN ('*', scheduler_events.module_id))
    ORDER BY next_execution LIMIT :most FOR UPDATE OF scheduler_events SKIP LOCKED"""
DUE_SINCE = DUE.replace("next_execution <= :now", "next_execution <= :now AND next_execution >= :since")
COUNT_STARTED = """
    UPDATE scheduler_events SET execution_count = given.started, updated_at = :now,
        next_execution = CASE WHEN given.started >= max_executions THEN NULL ELSE next_execution END
    FROM given WHERE scheduler_events.id = given.id"""
NEXT_DUE = """
    SELECT next_execution FROM scheduler_events
    WHERE status = 'pending' AND next_execution > :now
        AND NOT EXISTS (SELECT 1 FROM scheduler_pauses WHERE scope IN ('*', scheduler_events.module_id))
    ORDER BY next_execution LIMIT 1"""
RAN = frozenset({"last_execution", "last_error"})
not_held = ~exists().where(pauses.c.scope.in_(["*", events.c.module_id]))
# Written out rather than bound, for a planner uses a partial index only where it sees that the condition holds.
is_pending = events.c.status == literal_column("'pending'")
open_states: list[ColumnElement[str]] = [literal_column("'pending'"), literal_column("'running'")]
is_far_off = (executions.c.origin == "shift") & (executions.c.line == "later") & (executions.c.attempt == 1)
is_open = exists().where(
    (executions.c.event_id == events.c.id) & executions.c.state.in_(open_states) & ~is_far_off
)  # what was moved to another time is not shown as running until then


class Move(NamedTuple):
    """A fired task: the nominal time that it was due at, its following one, and how many have started by now."""

    id: str
    nominal: datetime
    following: datetime | None
    started: int


def find(c: Connection, task_id: str) -> Row[Any] | None:
    """Return the task, or None."""
    return c.execute(select(events).where(events.c.id == task_id)).one_or_none()


def count_made_by(c: Connection, who: str, most: int) -> int:
    """Return how many pending and paused tasks an operator has made, counted no further than `most`."""
    living = events.c.status.in_([Status.PENDING, Status.PAUSED])
    made = select(events.c.id).where(events.c.created_by == who, living).limit(most)
    return c.execute(select(func.count()).select_from(made.subquery())).scalar_one()


def lock(c: Connection, task_id: str) -> Row[Any] | None:
    """Return the task, locked until the transaction ends, or None. A task is locked before its executions change."""
    return c.execute(for_update(select(events).where(events.c.id == task_id))).one_or_none()


def of_ids(c: Connection, ids: Collection[str]) -> Sequence[Row[Any]]:
    """Return the `id`, `trigger` and `policies` of some tasks."""
    query: Select[Any] = select(events.c.id, events.c.trigger, events.c.policies)
    return c.execute(query.where(events.c.id.in_(ids))).all()


def lock_free(c: Connection, ids: Collection[str]) -> Sequence[Row[Any]]:
    """Return those of the tasks that nobody else holds locked, with `id`, `name` and `module_id`, locked."""
    query: Select[Any] = select(events.c.id, events.c.name, events.c.module_id)
    return c.execute(skip_locked(query.where(events.c.id.in_(ids)))).all()


def lock_by_key(c: Connection, module_id: str, key: str) -> Row[Any] | None:
    """Return the module's task of this key, locked until the transaction ends, or None."""
    return c.execute(
        for_update(select(events).where(events.c.module_id == module_id, events.c.key == key))
    ).one_or_none()


def change(c: Connection, task_id: str, now: datetime, **values: Any) -> None:
    """Set columns of one task; those who watch are told of it, unless it only ran."""
    if not values.keys() <= RAN:
        values["changed_at"] = now
    c.execute(update(events).where(events.c.id == task_id).values(updated_at=now, **values))


def revise(c: Connection, task_id: str, now: datetime, **values: Any) -> None:
    """Set columns of one task because somebody wants it otherwise: it has another revision from then on."""
    change(c, task_id, now, revision=events.c.revision + 1, **values)


def revise_all(c: Connection, ids: Collection[str], now: datetime, **values: Any) -> None:
    """Set columns of some tasks to the same values, as `revise` does."""
    times = {"updated_at": now, "changed_at": now}
    c.execute(update(events).where(events.c.id.in_(ids)).values(revision=events.c.revision + 1, **times, **values))


def move_on(c: Connection, moves: Sequence[Move], now: datetime) -> int:
    """Move fired tasks on by compare-and-set; return how many were as they had been read."""
    return len(change_rows(c, MOVE_ON, MOVE_COLUMNS, moves, now=now))


def go_on(c: Connection, again: Sequence[Sequence[Any]], now: datetime) -> None:
    """Let paused tasks that are declared again go on; of each, the values of `GO_ON_COLUMNS`."""
    change_rows(c, GO_ON, GO_ON_COLUMNS, again, now=now)


def due(c: Connection, now: datetime, limit: int, since: datetime | None = None) -> Sequence[Any]:
    """Return what firing reads of tasks whose time has come and that nobody holds back, longest due first.

    With a moment, of those whose time has come since then.
    """
    text, of = (DUE, {}) if since is None else (DUE_SINCE, {"since": since})
    rows = run(c, text, now=now, most=limit, **of).rows
    return [row._replace(next_execution=read_moment(row.next_execution)) for row in rows]


def count_started(c: Connection, counts: Sequence[tuple[str, int]], now: datetime) -> None:
    """Set how many executions of tasks have started; one that is at its maximum has no next time any more."""
    if counts:
        change_rows(c, COUNT_STARTED, (("id", "text"), ("started", "int")), counts, now=now)


def declared(c: Connection, modules: Collection[str], *, locked: bool) -> Iterator[Sequence[Row[Any]]]:
    """Yield the tasks that these modules have declared in code, `AT_ONCE` at a time; locked in one order."""
    theirs = events.c.declared_by.in_(sorted(modules))
    found = c.execute(select(events.c.id).where(theirs).order_by(events.c.id)).scalars().all()
    for ids in in_parts(found):
        query = select(events).where(events.c.id.in_(ids), theirs).order_by(events.c.id)
        yield c.execute(for_update(query) if locked else query).all()


def of_keys(c: Connection, keys: Collection[Key], *, locked: bool) -> Sequence[Row[Any]]:
    """Return the tasks of these keys, `AT_ONCE` at most; locked in one order."""
    query = select(events).where(tuple_(events.c.module_id, events.c.key).in_(keys)).order_by(events.c.id)
    return c.execute(for_update(query) if locked else query).all()


def in_parts(of: Sequence[T]) -> Iterator[Sequence[T]]:
    """Yield the parts of a sequence that one statement is about."""
    return (of[start : start + AT_ONCE] for start in range(0, len(of), AT_ONCE))


def living(c: Connection, owner: str | None) -> Sequence[Row[Any]]:
    """Return the tasks, of one owner or of all, that are pending or paused, oldest first."""
    wanted: list[ColumnElement[bool]] = [events.c.status.in_([Status.PENDING, Status.PAUSED])]
    if owner is not None:
        wanted.append(events.c.owner == owner)
    return c.execute(select(events).where(*wanted).order_by(events.c.created_at, events.c.id)).all()


def waiting_for(c: Connection, event: str) -> Sequence[Row[Any]]:
    """Return the tasks that this event sets off."""
    ready = (events.c.event == event) & is_pending
    return c.execute(for_update(select(events).where(ready).order_by(events.c.id))).all()


def ready_among(c: Connection, ids: Collection[str]) -> Sequence[Row[Any]]:
    """Return those of the tasks that may be set off, locked."""
    return c.execute(for_update(select(events).where(events.c.id.in_(ids), is_pending).order_by(events.c.id))).all()


def next_due(c: Connection, now: datetime) -> datetime | None:
    """Return the next moment after now at which a task becomes due."""
    return read_moment(run(c, NEXT_DUE, now=now).scalar())


def first_due(c: Connection) -> datetime | None:
    """Return the earliest moment at which a task that nobody holds back is or becomes due."""
    is_waiting = is_pending & events.c.next_execution.is_not(None)
    query = select(events.c.next_execution).where(is_waiting, not_held)  # not the least: that would look at all of them
    return c.execute(query.order_by(events.c.next_execution).limit(1)).scalar()


def count_by_function(c: Connection) -> Sequence[Row[Any]]:
    """Return `(module_id, function_name, count)` of the functions that pending tasks run."""
    named = (events.c.module_id, events.c.function_name)
    counted = select(*named, func.count().label("count")).where(is_pending).group_by(*named)
    return c.execute(counted.order_by(*named)).all()


def upcoming(c: Connection, limit: int) -> Sequence[Row[Any]]:
    """Return the tasks that come next, soonest first."""
    is_waiting = is_pending & events.c.next_execution.is_not(None)
    return c.execute(select(events).where(is_waiting, not_held).order_by(events.c.next_execution).limit(limit)).all()
