"""Executions in the database: insert, find, close, list by pages."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, case, exists, func, insert, literal_column, select, update

from framework.database import insert_rows, lock_names, run, skip_locked
from modules.core.scheduler.execution import Line, Reason, State
from modules.core.scheduler.tables import executions, nodes

log = logging.getLogger(__name__)

ASIDE = ("backfill", "shift")  # origins of what was ordered by hand: while it waits, it stands in nobody's way
PLACED = (
    "id",
    "event_id",
    "scheduled_for",
    "attempt",
    "state",
    "reason",
    "origin",
    "function_key",
    "queue",
    "priority",
    "line",
    "rank",
    "due_at",
    "limit_key",
    "slots",
    "open_key",
    "end_time",
    "success",
    "payload",
    "missed_count",
    "missed_since",
    "retries_used",
    "crashes",
    "traceparent",
    "created_at",
)
OPEN_OF = """
    SELECT id, event_id, open_key, state FROM scheduler_executions
    WHERE event_id IN (:event_ids) AND state IN ('pending', 'running')
        AND (state = 'running' OR origin NOT IN ('backfill', 'shift'))"""
CANCEL_REQUESTS = """
    SELECT id, reason FROM scheduler_executions
    WHERE state = 'running' AND cancel_requested_at IS NOT NULL AND node_id = :node_id"""
# Written out rather than bound, for a planner uses a partial index only where it sees that the condition holds.
is_pending = executions.c.state == literal_column("'pending'")
is_held = is_pending & (executions.c.line == literal_column("'held'"))
is_running = executions.c.state == literal_column("'running'")
is_aside = is_pending & executions.c.origin.in_(ASIDE)
is_open = executions.c.state.in_([literal_column("'pending'"), literal_column("'running'")])


def add(c: Connection, rows: Sequence[Mapping[str, Any]]) -> set[str]:
    """Insert rows, each with all columns of `PLACED`; return the ids of those that came in.

    A row stays out whose occurrence (and attempt) or open key is there already.
    """
    values = [tuple(map(row.__getitem__, PLACED)) for row in rows]
    ids = {row["id"] for row in rows}
    if insert_rows(c, executions, PLACED, values, ignore=True) == len(rows):
        return ids
    return set(c.execute(select(executions.c.id).where(executions.c.id.in_(ids))).scalars())


def add_record(c: Connection, row: Mapping[str, Any]) -> None:
    """Insert one row that has ended, with whatever columns it has."""
    c.execute(insert(executions).values(row))


def find(c: Connection, execution_id: str) -> Row[Any] | None:
    """Return the execution, or None."""
    return c.execute(select(executions).where(executions.c.id == execution_id)).one_or_none()


def open_of(c: Connection, event_id: str) -> Sequence[Row[Any]]:
    """Return a task's open executions, oldest occurrence first."""
    query = select(executions).where(executions.c.event_id == event_id, is_open)
    return c.execute(query.order_by(executions.c.scheduled_for, executions.c.attempt)).all()


def open_of_all(c: Connection, event_ids: Collection[str]) -> dict[str, list[Any]]:
    """Return the open executions of those of the tasks that have any: their id, event, key and state.

    What stands aside is left out.
    """
    opened: dict[str, list[Any]] = {}
    for row in run(c, OPEN_OF, event_ids=event_ids).rows:
        opened.setdefault(row.event_id, []).append(row)
    return opened


def open_sharing(c: Connection, limit_key: str) -> Sequence[Any]:
    """Return the open executions, of any task, that share this limit and do not stand aside, in the same way."""
    columns = (executions.c.id, executions.c.event_id, executions.c.open_key, executions.c.state)
    return c.execute(select(*columns).where(executions.c.limit_key == limit_key, is_open, ~is_aside)).all()


def stands_aside(row: Row[Any]) -> bool:
    """Whether an execution was ordered by hand and waits: it takes its place when claimed, and takes nobody's."""
    return row.state == State.PENDING and row.origin in ASIDE


def is_far_off(row: Row[Any]) -> bool:
    """Whether an execution waits for the time that it was moved to."""
    return bool(stands_aside(row) and row.line == Line.LATER and row.attempt == 1)


def holds(c: Connection, open_key: str | None) -> bool:
    """Tell whether an execution holds this key."""
    return open_key is not None and bool(c.execute(select(exists().where(executions.c.open_key == open_key))).scalar())


def has_open(c: Connection, event_ids: Collection[str]) -> set[str]:
    """Return which of these tasks have an open execution."""
    query = select(executions.c.event_id).where(executions.c.event_id.in_(event_ids), is_open)
    return set(c.execute(query.distinct()).scalars())


def waiting_reasons(c: Connection, event_ids: Collection[str]) -> dict[str, str]:
    """Return why pending executions of these tasks wait, where something holds them."""
    held = is_pending & executions.c.reason.is_not(None)
    query = select(executions.c.event_id, executions.c.reason).where(executions.c.event_id.in_(event_ids), held)
    return {row.event_id: row.reason for row in c.execute(query.order_by(executions.c.id.desc()))}


def last_of(c: Connection, event_id: str) -> Row[Any] | None:
    """Return the newest row of a task's history."""
    query = select(executions).where(executions.c.event_id == event_id)
    newest = (executions.c.created_at.desc(), executions.c.attempt.desc(), executions.c.id.desc())
    return c.execute(query.order_by(*newest).limit(1)).one_or_none()


def close(c: Connection, row: Row[Any], now: datetime, state: State, reason: Reason, **values: Any) -> bool:
    """Close a row that nobody runs (any more), by compare-and-set on its state and node."""
    unmoved = (executions.c.id == row.id) & (executions.c.state == row.state)
    unmoved &= executions.c.node_id.is_(None) if row.node_id is None else executions.c.node_id == row.node_id
    closed = {"state": state, "reason": reason, "end_time": now, "open_key": None, **values}
    if c.execute(update(executions).where(unmoved).values(closed)).rowcount != 1:
        return False
    if row.limit_key is not None:
        let_next(c, [row.limit_key])
    return True


def close_missed(c: Connection, event_ids: Collection[str], before: datetime, now: datetime) -> Sequence[Row[Any]]:
    """Close as missed what waits of tasks that have ended, for a time before a moment; return these rows as they were.

    Only first attempts by the schedule, and neither what waits for a moment to come nor what others have locked.
    """
    theirs = executions.c.event_id.in_(event_ids) & is_pending & (executions.c.line != literal_column("'later'"))
    late = theirs & (executions.c.origin == "schedule") & (executions.c.attempt == 1)
    columns = [executions.c[name] for name in ("id", "event_id", "limit_key", "line", "missed_count")]
    query: Select[Any] = select(*columns).where(late, executions.c.scheduled_for < before)
    rows: Sequence[Row[Any]] = c.execute(skip_locked(query)).all()
    recorded = executions.alias()
    same = (recorded.c.event_id == executions.c.event_id) & (recorded.c.scheduled_for == executions.c.scheduled_for)
    is_recorded = exists().where(same, recorded.c.attempt == 0)
    closed = {
        "state": State.MISSED,
        "reason": Reason.ENDED,
        "end_time": now,
        "open_key": None,
        "attempt": case((is_recorded, executions.c.attempt), else_=0),
        "missed_count": executions.c.missed_count + 1,
        "missed_since": func.coalesce(executions.c.missed_since, executions.c.scheduled_for),
    }
    if rows:
        c.execute(update(executions).where(executions.c.id.in_([row.id for row in rows])).values(closed))
    let_next(c, [row.limit_key for row in rows if row.line == Line.READY and row.limit_key is not None])
    return rows


def let_next(c: Connection, limit_keys: Iterable[str]) -> None:
    """Let the next in line try, once for each time that a limit is named: somebody has made room."""
    freed = Counter(limit_keys)
    lock_names(c, freed)  # a node that is about to hold a row for this limit has committed it by then
    for limit_key, places in freed.items():
        waiting = is_held & (executions.c.reason == Reason.LIMIT) & (executions.c.limit_key == limit_key)
        first = select(executions.c.id).where(waiting).order_by(executions.c.rank, executions.c.id).limit(places)
        c.execute(update(executions).where(executions.c.id.in_(first)).values(line=Line.READY, reason=None))


def running_on(c: Connection, node_id: str) -> Sequence[Row[Any]]:
    """Return what a node runs."""
    return c.execute(select(executions).where(is_running, executions.c.node_id == node_id)).all()


def close_damaged(c: Connection, execution_id: str, now: datetime, problem: str) -> str | None:
    """Close a row that cannot be handled as any other: it failed. Return its task, None where it was not open."""
    log.error("execution %s cannot be handled and is closed: %s", execution_id, problem)
    damaged = (executions.c.id == execution_id) & is_open
    closed = {"state": State.FAILED, "success": False, "reason": Reason.CORRUPT_DEFINITION, "end_time": now}
    values = {**closed, "open_key": None, "error": f"its row cannot be handled: {problem}"[:2_000]}
    return c.execute(update(executions).where(damaged).values(values).returning(executions.c.event_id)).scalar()


def lost(c: Connection, limit: int) -> Sequence[Row[Any]]:
    """Return running rows whose node is gone."""
    node_lives = exists().where(nodes.c.id == executions.c.node_id)
    return c.execute(select(executions).where(is_running, ~node_lives).limit(limit)).all()


def request_cancel(c: Connection, ids: Iterable[str], now: datetime, why: Reason | None = None) -> None:
    """Ask the nodes that run these executions to stop them; without a reason it is somebody's wish."""
    wanted = executions.c.id.in_(list(ids)) & is_running & executions.c.cancel_requested_at.is_(None)
    told = {} if why is None else {"reason": func.coalesce(executions.c.reason, why)}
    c.execute(update(executions).where(wanted).values(cancel_requested_at=now, **told))


def cancel_requests(c: Connection, node_id: str) -> dict[str, Reason]:
    """Return this node's running executions that are to end, each with why."""
    asked = run(c, CANCEL_REQUESTS, node_id=node_id).rows
    return {row.id: Reason.REPLACED if row.reason == Reason.REPLACED else Reason.CANCELLED_BY_REQUEST for row in asked}


def refer_to(c: Connection, event_id: str, function_key: str) -> None:
    """Let a task's pending executions wait for the function that it names now."""
    mine = (executions.c.event_id == event_id) & is_pending & (executions.c.function_key != function_key)
    c.execute(update(executions).where(mine).values(function_key=function_key))
    stuck = (executions.c.event_id == event_id) & is_held & (executions.c.reason == Reason.FUNCTION_NOT_REGISTERED)
    c.execute(update(executions).where(stuck).values(line=Line.READY, reason=None))


def count_running(c: Connection) -> int:
    """Return how many executions are running, on all nodes."""
    return c.execute(select(func.count()).where(is_running)).scalar_one()


def span(c: Connection) -> tuple[datetime | None, datetime | None]:
    """Return when the first and when the last of the executions that are kept ended."""
    first, last = (c.execute(select(which(executions.c.end_time))).scalar() for which in (func.min, func.max))
    return first, last
