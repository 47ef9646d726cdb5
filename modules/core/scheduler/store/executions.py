"""Executions in the database: insert, claim, end under fencing, find what is lost, list by pages."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, bindparam, exists, func, insert, literal_column, or_, select, true, update

from framework.database import insert_ignore, skip_locked
from modules.core.scheduler.execution import Reason, State
from modules.core.scheduler.store.tasks import not_held
from modules.core.scheduler.tables import events, executions, nodes
from modules.core.scheduler.task import Status

log = logging.getLogger(__name__)

MICROSECOND = timedelta(microseconds=1)
# Written out rather than bound, for a planner uses a partial index only where it sees that the condition holds.
is_pending = executions.c.state == literal_column("'pending'")
is_running = executions.c.state == literal_column("'running'")
is_open = executions.c.state.in_([literal_column("'pending'"), literal_column("'running'")])


def add(c: Connection, values: Mapping[str, Any]) -> bool:
    """Insert one row; False when the occurrence (and attempt) or the open key is there already."""
    return c.execute(insert_ignore(executions).values(values)).rowcount == 1


def add_all(c: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows that cannot be there yet."""
    if rows:
        c.execute(insert(executions), list(rows))


def find(c: Connection, execution_id: str) -> Row[Any] | None:
    """Return the execution, or None."""
    return c.execute(select(executions).where(executions.c.id == execution_id)).one_or_none()


def open_of(c: Connection, event_id: str) -> Sequence[Row[Any]]:
    """Return a task's open executions, oldest occurrence first."""
    query = select(executions).where(executions.c.event_id == event_id, is_open)
    return c.execute(query.order_by(executions.c.scheduled_for, executions.c.attempt)).all()


def has_open(c: Connection, event_ids: Collection[str]) -> set[str]:
    """Return which of these tasks have an open execution."""
    query = select(executions.c.event_id).where(executions.c.event_id.in_(event_ids), is_open)
    return set(c.execute(query.distinct()).scalars())


def without_function(c: Connection, event_ids: Collection[str]) -> set[str]:
    """Return which of these tasks wait for a function that no node here has."""
    stuck = is_pending & (executions.c.reason == Reason.FUNCTION_NOT_REGISTERED)
    return set(c.execute(select(executions.c.event_id).where(executions.c.event_id.in_(event_ids), stuck)).scalars())


def last_of(c: Connection, event_id: str) -> Row[Any] | None:
    """Return the newest row of a task's history."""
    query = select(executions).where(executions.c.event_id == event_id)
    newest = (executions.c.created_at.desc(), executions.c.attempt.desc(), executions.c.id.desc())
    return c.execute(query.order_by(*newest).limit(1)).one_or_none()


def free_moment(c: Connection, task: Row[Any], now: datetime) -> datetime:
    """Return a `scheduled_for` from now on that the task has not used and will not: the key of an unscheduled run."""
    taken = (executions.c.event_id == task.id) & (executions.c.scheduled_for >= now)
    last = c.execute(select(func.max(executions.c.scheduled_for)).where(taken)).scalar()
    moment = now if last is None else last + MICROSECOND
    return moment + MICROSECOND if moment == task.next_execution else moment


def claimable(
    c: Connection, now: datetime, functions: Collection[str], limit: int, crashes_below: int | None
) -> Sequence[Row[Any]]:
    """Return due rows that may start, with what their task says, highest priority first, locked against other nodes."""
    taken = executions.alias("taken")
    keys = select(func.count()).where(taken.c.event_id == executions.c.event_id, taken.c.open_key.is_not(None))
    task_columns = [events.c.name, events.c.module_id, events.c.function_name, events.c.parameters, events.c.policies]
    query = (
        select(executions, *task_columns, events.c.delivery)
        .join(events, events.c.id == executions.c.event_id)
        .where(
            is_pending,
            executions.c.due_at <= now,
            executions.c.function_key.in_(functions),
            or_(events.c.status != Status.PAUSED, executions.c.origin == "manual"),
            not_held,
            or_(executions.c.slots.is_(None), keys.scalar_subquery() < executions.c.slots),
            true() if crashes_below is None else executions.c.crashes < crashes_below,
        )
        .order_by(executions.c.priority.desc(), executions.c.due_at, executions.c.id)
        .limit(limit)
    )
    return c.execute(skip_locked(query, of=executions)).all()


def open_keys(c: Connection, event_ids: Collection[str]) -> set[str]:
    """Return the open keys that these tasks' executions hold."""
    held = executions.c.event_id.in_(event_ids) & executions.c.open_key.is_not(None)
    return set(c.execute(select(executions.c.open_key).where(held)).scalars())


def start(c: Connection, claims: Sequence[Mapping[str, Any]], node_id: str, session_id: str, now: datetime) -> None:
    """Make claimed rows running; each claim has `row_id` and the `open_key` it holds from now on."""
    statement = (
        update(executions)
        .where(executions.c.id == bindparam("row_id"), is_pending)
        .values(
            state=State.RUNNING,
            reason=None,
            node_id=node_id,
            start_time=now,
            trace_session_id=session_id,
            open_key=bindparam("open_key"),
        )
    )
    if claims:
        c.execute(statement, list(claims))


def end(c: Connection, execution_id: str, node_id: str, now: datetime, **values: Any) -> bool:
    """Write an ending where the row is still running, mine, and my lease holds; False: refused, write nothing more."""
    lives = exists().where((nodes.c.id == node_id) & (nodes.c.lease_until > now))
    mine = (executions.c.id == execution_id) & is_running & (executions.c.node_id == node_id)
    statement = update(executions).where(mine, lives).values(end_time=now, open_key=None, **values)
    return c.execute(statement).rowcount == 1


def close(c: Connection, row: Row[Any], now: datetime, state: State, reason: Reason, **values: Any) -> bool:
    """Close a row that nobody runs (any more), by compare-and-set on its state and node."""
    unmoved = (executions.c.id == row.id) & (executions.c.state == row.state)
    unmoved &= executions.c.node_id.is_(None) if row.node_id is None else executions.c.node_id == row.node_id
    closed = {"state": state, "reason": reason, "end_time": now, "open_key": None, **values}
    return c.execute(update(executions).where(unmoved).values(closed)).rowcount == 1


def running_on(c: Connection, node_id: str) -> Sequence[Row[Any]]:
    """Return what a node runs."""
    return c.execute(select(executions).where(is_running, executions.c.node_id == node_id)).all()


def close_damaged(c: Connection, execution_id: str, now: datetime, problem: str) -> None:
    """Close a row that cannot be handled as any other: it failed, and nothing follows from it."""
    log.error("execution %s cannot be handled and is closed: %s", execution_id, problem)
    damaged = (executions.c.id == execution_id) & is_open
    closed = {"state": State.FAILED, "success": False, "reason": Reason.CORRUPT_DEFINITION, "end_time": now}
    values = {**closed, "open_key": None, "error": f"its row cannot be handled: {problem}"[:2_000]}
    c.execute(update(executions).where(damaged).values(values))


def lost(c: Connection, limit: int) -> Sequence[Row[Any]]:
    """Return running rows whose node is gone."""
    node_lives = exists().where(nodes.c.id == executions.c.node_id)
    return c.execute(select(executions).where(is_running, ~node_lives).limit(limit)).all()


def request_cancel(c: Connection, ids: Iterable[str], now: datetime) -> None:
    """Ask the nodes that run these executions to stop them."""
    wanted = executions.c.id.in_(list(ids)) & is_running & executions.c.cancel_requested_at.is_(None)
    c.execute(update(executions).where(wanted).values(cancel_requested_at=now))


def cancel_requests(c: Connection, node_id: str) -> list[str]:
    """Return this node's running executions that somebody wants to end."""
    asked = is_running & (executions.c.node_id == node_id) & executions.c.cancel_requested_at.is_not(None)
    return list(c.execute(select(executions.c.id).where(asked)).scalars())


def note(c: Connection, execution_id: str, node_id: str, **values: Any) -> None:
    """Set columns of a row that this node runs: progress, or that its time is up."""
    mine = (executions.c.id == execution_id) & is_running & (executions.c.node_id == node_id)
    c.execute(update(executions).where(mine).values(values))


def refer_to(c: Connection, event_id: str, function_key: str) -> None:
    """Let a task's pending executions wait for the function that it names now."""
    mine = (executions.c.event_id == event_id) & is_pending & (executions.c.function_key != function_key)
    c.execute(update(executions).where(mine).values(function_key=function_key, reason=None))


def mark_unknown_functions(c: Connection, now: datetime, functions: Collection[str], limit: int) -> int:
    """Say on due rows, that wait for a function this node does not have, why they wait; return how many."""
    stuck = is_pending & (executions.c.due_at <= now) & executions.c.reason.is_(None)
    waiting = select(executions.c.id).where(stuck, executions.c.function_key.not_in(functions)).limit(limit)
    ids = skip_locked(waiting)
    statement = update(executions).where(executions.c.id.in_(ids)).values(reason=Reason.FUNCTION_NOT_REGISTERED)
    return c.execute(statement).rowcount


def next_due(c: Connection, now: datetime) -> datetime | None:
    """Return the next moment after now at which a pending execution may start."""
    return c.execute(select(func.min(executions.c.due_at)).where(is_pending, executions.c.due_at > now)).scalar()


def count_running(c: Connection) -> int:
    """Return how many executions are running, on all nodes."""
    return c.execute(select(func.count()).where(is_running)).scalar_one()


def page(
    c: Connection, event_id: str | None, *, state: str | None, limit: int, after: str | None
) -> Sequence[Row[Any]]:
    """Return executions with their task's name, newest first, starting behind the id `after`; of one task or of all."""
    query = select(executions, events.c.name).join(events, events.c.id == executions.c.event_id)
    if event_id is not None:
        query = query.where(executions.c.event_id == event_id)
    if state is not None:
        query = query.where(executions.c.state == state)
    if after is not None:
        query = query.where(executions.c.id < after)
    return c.execute(query.order_by(executions.c.id.desc()).limit(limit)).all()
