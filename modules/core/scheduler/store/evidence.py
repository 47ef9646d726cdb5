"""What explains an execution, read from the database: each read is bounded, however much is stored."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, literal_column, select, tuple_

from modules.core.scheduler.store.executions import is_aside, is_open, is_pending, is_running
from modules.core.scheduler.store.line import is_ready
from modules.core.scheduler.store.tasks import is_pending as is_waiting
from modules.core.scheduler.store.tasks import not_held
from modules.core.scheduler.tables import events, executions

IN_VIEW = 257  # rows before one in line that are looked at: as many as a turn claims at once, and one more
OPEN_IN_VIEW = 1_000  # open executions of one task
LOOKED_AT = 1_000  # rows of a task's history, for those that started at a moment
NEAR = 20  # rows of a task's history beside a moment
HOLDERS = 50  # that are named
LINED = (
    executions.c.id,
    executions.c.event_id,
    executions.c.queue,
    executions.c.rank,
    executions.c.function_key,
    executions.c.limit_key,
    executions.c.slots,
    executions.c.crashes,
    executions.c.origin,
    events.c.name,
    events.c.module_id,
    events.c.status.label("task_status"),
    events.c.policies,
)
is_later = is_pending & (executions.c.line == literal_column("'later'"))


def opened(c: Connection, task_id: str) -> Sequence[Row[Any]]:
    """Return the open executions of a task, at most `OPEN_IN_VIEW`."""
    mine = select(executions).where(executions.c.event_id == task_id, is_open).limit(OPEN_IN_VIEW)
    return c.execute(mine).all()


def before(c: Connection, queue: str, rank: float, row_id: str, now: datetime) -> list[Row[Any]]:
    """Return who stands before a place in the line of a queue, first to last: in line, or there at the next turn."""
    earlier = tuple_(executions.c.rank, executions.c.id) < (rank, row_id)
    joined = select(*LINED).join(events, events.c.id == executions.c.event_id)
    order = (executions.c.rank, executions.c.id)
    ready = joined.where(is_ready, executions.c.queue == queue, earlier).order_by(*order).limit(IN_VIEW)
    mine = is_later & (executions.c.due_at <= now) & (executions.c.queue == queue)
    later = joined.where(mine, earlier).order_by(executions.c.due_at).limit(IN_VIEW)
    rows = [*c.execute(ready), *c.execute(later)]
    return sorted(rows, key=lambda row: (row.rank, row.id))[:IN_VIEW]


def in_other_queues(c: Connection, queue: str, now: datetime) -> int:
    """Return how many are in line in other queues, or there at the next turn, each way counted to `IN_VIEW`."""
    total = 0
    sides = [is_ready & (executions.c.queue < queue), is_ready & (executions.c.queue > queue)]
    for other in (*sides, is_later & (executions.c.due_at <= now) & (executions.c.queue != queue)):
        seen = select(executions.c.id).where(other).limit(IN_VIEW).subquery()
        total += c.execute(select(func.count()).select_from(seen)).scalar_one()
    return total


def due(c: Connection, now: datetime) -> Sequence[Row[Any]]:
    """Return the tasks whose time has come and that nobody holds back, longest due first."""
    ready = select(events).where(is_waiting, events.c.next_execution <= now, not_held)
    return c.execute(ready.order_by(events.c.next_execution).limit(IN_VIEW)).all()


def usage(c: Connection) -> Sequence[Any]:
    """Return how many executions run, and the most crashes of one, for each node and queue in which any does."""
    most = func.max(executions.c.crashes).label("crashes")
    query = select(executions.c.node_id, executions.c.queue, func.count().label("running"), most)
    return c.execute(query.where(is_running).group_by(executions.c.node_id, executions.c.queue)).all()


def running_on(c: Connection, node_ids: Collection[str]) -> Sequence[Any]:
    """Return what has been running longest on these nodes."""
    query = select(executions.c.id, executions.c.node_id, executions.c.start_time, events.c.name)
    query = query.join(events, events.c.id == executions.c.event_id)
    theirs = query.where(is_running, executions.c.node_id.in_(node_ids))
    return c.execute(theirs.order_by(executions.c.start_time).limit(HOLDERS)).all()


def sharing(c: Connection, limit_key: str) -> Sequence[Row[Any]]:
    """Return open executions that share a limit, also those of a task that shares its own with no other."""
    theirs = (executions.c.limit_key == limit_key) | (executions.c.event_id == limit_key)
    query = select(executions, events.c.name).join(events, events.c.id == executions.c.event_id)
    return c.execute(query.where(theirs, is_open, ~is_aside).limit(OPEN_IN_VIEW)).all()


def within(c: Connection, task_id: str, first: datetime, stop: datetime) -> Sequence[Row[Any]]:
    """Return a task's rows whose nominal time lies in `[first, stop)`, oldest first."""
    when = executions.c.scheduled_for
    mine = select(executions).where(executions.c.event_id == task_id, when >= first, when < stop)
    return c.execute(mine.order_by(when, executions.c.attempt).limit(HOLDERS)).all()


def at_work(c: Connection, task_id: str, first: datetime, stop: datetime) -> Sequence[Row[Any]]:
    """Return a task's rows that started in `[first, stop)`, or had started and not ended, oldest first.

    It looks at the newest `LOOKED_AT` whose nominal time is before `stop`.
    """
    order = (executions.c.scheduled_for.desc(), executions.c.attempt.desc())
    mine = select(executions).where(executions.c.event_id == task_id, executions.c.scheduled_for < stop)
    seen = mine.order_by(*order).limit(LOOKED_AT).subquery()
    goes_on = seen.c.end_time.is_(None) | (seen.c.end_time > first)
    theirs = select(seen).where(seen.c.start_time < stop, goes_on | (seen.c.start_time >= first))
    return c.execute(
        theirs.where(seen.c.origin != "operator", seen.c.state != "pending").order_by(seen.c.start_time).limit(HOLDERS)
    ).all()


def following(c: Connection, task_id: str, moment: datetime) -> Sequence[Row[Any]]:
    """Return the next rows of a task whose nominal time is the moment or later, nearest first."""
    when = executions.c.scheduled_for
    mine = select(executions).where(executions.c.event_id == task_id, when >= moment)
    return c.execute(mine.order_by(when, executions.c.attempt).limit(NEAR)).all()


def preceding(c: Connection, task_id: str, moment: datetime | None = None) -> Sequence[Row[Any]]:
    """Return the rows of a task whose nominal time is the moment or earlier (None: any), nearest first."""
    when = executions.c.scheduled_for
    mine = select(executions).where(executions.c.event_id == task_id)
    mine = mine if moment is None else mine.where(when <= moment)
    return c.execute(mine.order_by(when.desc(), executions.c.attempt.desc()).limit(NEAR)).all()


def started_under(c: Connection, limit_key: str, moment: datetime) -> Sequence[Row[Any]]:
    """Return the newest executions under a limit that had started by a moment."""
    mine = select(executions).where(executions.c.limit_key == limit_key, executions.c.start_time <= moment)
    return c.execute(mine.order_by(executions.c.start_time.desc()).limit(NEAR)).all()
