"""What an overview reads: counts and rows by an index, each no further than a bound."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, func, literal_column, select, union_all

from modules.core.scheduler.execution import Reason
from modules.core.scheduler.store.executions import is_held, is_running
from modules.core.scheduler.store.line import is_ready
from modules.core.scheduler.store.tasks import is_pending, not_held
from modules.core.scheduler.tables import events, executions

LOOKED_AT = 1_000  # rows of one kind
FAILED = ("failed", "timed_out", "lost")
READ = ("id", "event_id", "state", "reason", "origin", "scheduled_for", "attempt", "start_time", "end_time", "error")
is_paused = events.c.status == literal_column("'paused'")
_comes = is_pending & events.c.next_execution.is_not(None)
_read = [executions.c[name] for name in READ]


def counts(c: Connection, now: datetime, soon: datetime, most: int) -> Row[Any]:
    """Return how many there are, each counted up to `most`.

    `coming` are the pending tasks that have a next time, `due` those of them whose time has come, `soon` those whose
    time comes by then, `ready` the executions that could be claimed.
    """
    coming = select(events.c.next_execution.label("at")).where(_comes).order_by(events.c.next_execution).limit(most)
    first = coming.subquery()  # one walk for all three: those that come soonest are the first of those that come
    ready = select(executions.c.id).where(is_ready).limit(most).subquery()
    numbers = select(
        func.count().label("coming"),
        func.count(first.c.at).filter(first.c.at <= now).label("due"),
        func.count(first.c.at).filter(first.c.at <= soon).label("soon"),
        select(func.count()).select_from(ready).scalar_subquery().label("ready"),
    )
    return c.execute(numbers.select_from(first)).one()


def late_tasks(c: Connection, before: datetime) -> Sequence[Row[Any]]:
    """Return `(id, name, since)` of tasks that nobody holds back and that were due before, the longest due first."""
    late: Select[Any] = select(events.c.id, events.c.name, events.c.next_execution.label("since")).where(
        _comes, not_held
    )
    late = late.where(events.c.next_execution <= before)
    return c.execute(late.order_by(events.c.next_execution).limit(LOOKED_AT)).all()


def late_in_line(c: Connection, before: datetime) -> dict[str, datetime]:
    """Return since when an execution of a task is due, by the task's id: of the first in line, those due before."""
    first = select(executions.c.event_id, executions.c.due_at).where(is_ready)
    first = first.order_by(executions.c.queue, executions.c.rank, executions.c.id).limit(LOOKED_AT)
    since: dict[str, datetime] = {}
    for row in c.execute(first):
        if row.due_at <= before:
            since[row.event_id] = min(row.due_at, since.get(row.event_id, row.due_at))
    return since


def failed_since(c: Connection, since: datetime) -> dict[str, datetime]:
    """Return the tasks that have failed since, of the newest failures of each kind, and when last; the newest first."""
    walks = [_failed(state, since).subquery() for state in FAILED]
    found: dict[str, datetime] = {}
    for row in c.execute(union_all(*(select(walk) for walk in walks))):
        found[row.event_id] = max(row.end_time, found.get(row.event_id, row.end_time))
    return dict(sorted(found.items(), key=lambda each: each[1], reverse=True))


def _failed(state: str, since: datetime) -> Select[Any]:
    # Written out rather than bound, for a planner uses a partial index only where it sees that the condition holds.
    of_kind = (executions.c.state == literal_column(f"'{state}'")) & (executions.c.end_time >= since)
    query = select(executions.c.event_id, executions.c.end_time).where(of_kind)
    return query.order_by(executions.c.end_time.desc(), executions.c.id.desc()).limit(LOOKED_AT)


def newest_of(
    c: Connection, task_ids: Iterable[str], most: int, *, since: datetime | None = None
) -> dict[str, list[Row[Any]]]:
    """Return `READ` of the newest executions of each of these tasks, newest first: each one walk along an index."""
    found: dict[str, list[Row[Any]]] = {task_id: [] for task_id in task_ids}
    walks = [_newest(task_id, most, since) for task_id in found]
    for row in c.execute(union_all(*(select(walk.subquery()) for walk in walks))) if walks else ():
        found[row.event_id].append(row)
    return found


def _newest(task_id: str, most: int, since: datetime | None) -> Select[Any]:
    query: Select[Any] = select(*_read).where(executions.c.event_id == task_id)
    if since is not None:
        query = query.where(executions.c.scheduled_for >= since)
    return query.order_by(executions.c.scheduled_for.desc(), executions.c.attempt.desc()).limit(most)


def tasks_of(c: Connection, task_ids: Collection[str]) -> dict[str, Row[Any]]:
    """Return `(id, name, status, recurring, last_error)` of these tasks, by id."""
    columns = [events.c[name] for name in ("id", "name", "status", "recurring", "last_error")]
    if not task_ids:
        return {}
    return {row.id: row for row in c.execute(select(*columns).where(events.c.id.in_(list(task_ids))))}


def without_function(c: Connection) -> Sequence[Row[Any]]:
    """Return `(event_id, function_key, due_at)` of executions that wait for a function that no node has."""
    stuck = is_held & (executions.c.reason == Reason.FUNCTION_NOT_REGISTERED)
    columns = [executions.c[name] for name in ("event_id", "function_key", "due_at")]
    return c.execute(select(*columns).where(stuck).limit(LOOKED_AT)).all()


def paused(c: Connection, before: datetime, set_aside: Collection[str], limit: int) -> Sequence[Row[Any]]:
    """Return `(id, name, status_reason, since)` of tasks that are paused since before, or for one of these reasons.

    `since` is when they last changed; those for such a reason are of the last that were paused.
    """
    since = events.c.updated_at.label("since")
    columns = (events.c.id, events.c.name, events.c.status_reason, since)
    long = select(*columns).where(is_paused, events.c.updated_at <= before).order_by(since).limit(limit)
    last = select(*columns).where(is_paused).order_by(since.desc()).limit(LOOKED_AT).subquery()
    aside = select(last).where(last.c.status_reason.in_(list(set_aside))).limit(limit)
    return c.execute(union_all(select(aside.subquery()), select(long.subquery()))).all()


def expected_next(c: Connection, limit: int) -> Sequence[Row[Any]]:
    """Return the pending tasks that have a deadline, whose next deadline comes first."""
    query = select(events).where(events.c.expected_at.is_not(None), is_pending).order_by(events.c.expected_at)
    return c.execute(query.limit(limit)).all()


def ran_since(c: Connection, since: datetime) -> tuple[list[Row[Any]], bool]:
    """Return `(id, name)` of tasks that run now or have ended since, of the newest ends; and whether there are more."""
    ended = select(executions.c.event_id, executions.c.end_time).where(executions.c.end_time >= since)
    ended = ended.order_by(executions.c.end_time.desc(), executions.c.id.desc()).limit(LOOKED_AT)
    ids = [row.event_id for row in c.execute(ended)]
    running = select(executions.c.event_id).where(is_running).limit(LOOKED_AT)
    wanted = {*ids, *c.execute(running).scalars()}
    named = select(events.c.id, events.c.name).where(events.c.id.in_(wanted))
    return list(c.execute(named)), len(ids) == LOOKED_AT


def kept_since(c: Connection) -> datetime | None:
    """Return when the oldest execution that is kept ended."""
    ended = executions.c.end_time.is_not(None)
    return c.execute(select(executions.c.end_time).where(ended).order_by(executions.c.end_time).limit(1)).scalar()
