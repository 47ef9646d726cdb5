"""The line of pending executions in the database: who starts, who waits for a time, who is held and why."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, case, exists, func, literal_column, select, update

from framework.database import change_rows, run, skip_locked
from modules.core.scheduler.execution import Line, Reason
from modules.core.scheduler.store.candidates import in_line
from modules.core.scheduler.store.executions import is_held, is_open, is_pending, is_running, let_next
from modules.core.scheduler.tables import events, executions, pauses
from modules.core.scheduler.task import Status

HELD_AT_ONCE = 5_000  # rows whose function nobody has
is_ready = is_pending & (executions.c.line == literal_column("'ready'"))
WAITED = """
        waited_for = CASE WHEN due_at <= :full_at THEN coalesce(waited_for || ' ', '') || CAST(:full_of AS text)
            ELSE waited_for END"""
START = f"""
    UPDATE scheduler_executions SET state = 'running', reason = NULL, node_id = :node_id, start_time = :now,
        trace_session_id = :session_id,{WAITED}
    WHERE id IN (:ids) AND state || '' = 'pending'"""
TAKE_KEYS = f"""
    UPDATE scheduler_executions SET state = 'running', reason = NULL, node_id = :node_id, start_time = :now,
        trace_session_id = :session_id, open_key = given.open_key,{WAITED}
    FROM given WHERE scheduler_executions.id = given.id AND state || '' = 'pending'"""
PUT_OFF = """
    UPDATE scheduler_executions SET line = 'later', due_at = given.until, reason = :reason,
        waited_for = CASE WHEN ' ' || waited_for || ' ' LIKE '% ' || CAST(:reason AS text) || ' %' THEN waited_for
            ELSE coalesce(waited_for || ' ', '') || CAST(:reason AS text) END
    FROM given WHERE scheduler_executions.id = given.id AND state || '' = 'pending'"""
PROMOTE = """
    UPDATE scheduler_executions SET line = 'ready', reason = NULL WHERE id IN (
        SELECT id FROM scheduler_executions
        WHERE state = 'pending' AND line = 'later' AND due_at <= :now FOR UPDATE SKIP LOCKED)"""
PROMOTE_SINCE = PROMOTE.replace("due_at <= :now", "due_at <= :now AND due_at >= :since")


def start(c: Connection, ids: Sequence[str], **of: Any) -> None:
    """Make claimed rows running: `node_id`, `session_id`, `now`.

    Those that were due at `full_at` have waited for what the node was `full_of` then.
    """
    run(c, START, ids=ids, **of)


def start_with_keys(c: Connection, keys: Mapping[str, str], **of: Any) -> None:
    """Make claimed rows running, each with the open key that it holds from now on; the rest as in `start`."""
    columns = (("id", "text"), ("open_key", "text"))
    change_rows(c, TAKE_KEYS, columns, list(keys.items()), **of)


def hold(c: Connection, ids: Collection[str], reason: Reason) -> None:
    """Take rows out of line until what holds them is over."""
    if ids:
        held = update(executions).where(executions.c.id.in_(ids), is_pending)
        c.execute(held.values(_held_for_now(reason)))


def _held_for_now(reason: Reason) -> dict[str, Any]:
    """Return the values of a row that is held, with the reason among those that it remembers, once."""
    before = executions.c.waited_for
    longer = func.coalesce(before + " ", "") + reason.value
    waited_for = case(((" " + before + " ").contains(f" {reason.value} "), before), else_=longer)
    return {"line": Line.HELD, "reason": reason, "waited_for": waited_for}


def make_known(c: Connection, limit_keys: Collection[str]) -> None:
    """Let those that hold a key of their task alone say so, for now others wait until they have ended."""
    theirs = executions.c.event_id.in_(limit_keys) & is_open & executions.c.open_key.is_not(None)
    unknown = skip_locked(select(executions.c.id).where(theirs, executions.c.limit_key.is_(None)))
    ids = c.execute(unknown).scalars().all()
    if ids:
        c.execute(update(executions).where(executions.c.id.in_(ids)).values(limit_key=executions.c.event_id))


def put_off(c: Connection, until: Sequence[tuple[str, datetime]], reason: Reason) -> None:
    """Let rows wait, each until its time."""
    change_rows(c, PUT_OFF, (("id", "text"), ("until", "moment")), until, reason=reason.value)


def promote(c: Connection, now: datetime, since: datetime | None = None) -> None:
    """Put those in line whose time has come, with a moment those that it has come for since then."""
    if since is None:
        run(c, PROMOTE, now=now)
    else:
        run(c, PROMOTE_SINCE, now=now, since=since)


def hold_tasks(c: Connection, event_ids: Collection[str]) -> None:
    """Hold the rows of paused tasks, but for those that were asked for by hand."""
    mine = executions.c.event_id.in_(event_ids) & is_ready & (executions.c.origin != "manual")
    c.execute(update(executions).where(mine).values(_held_for_now(Reason.TASK_PAUSED)))


def release_tasks(c: Connection, event_ids: Collection[str]) -> None:
    """Put the rows of tasks back in line that were held because these were paused."""
    mine = executions.c.event_id.in_(event_ids) & _held_for(Reason.TASK_PAUSED) & is_open
    c.execute(update(executions).where(mine).values(line=Line.READY, reason=None))


def hold_unknown(c: Connection, functions: Collection[str]) -> None:
    """Hold rows whose function no node has, wherever they stand; of many, some at each call."""
    for queue, waiting in in_line(c).items():
        if unknown := waiting.keys() - set(functions):
            theirs = is_ready & (executions.c.queue == queue) & executions.c.function_key.in_(unknown)
            some = skip_locked(select(executions.c.id).where(theirs).limit(HELD_AT_ONCE))
            hold(c, c.execute(some).scalars().all(), Reason.FUNCTION_NOT_REGISTERED)


def release_over(c: Connection, functions: Collection[str], limit: int) -> bool:
    """Put rows back in line for which what held them is over; True when there may be more than `limit` of a kind.

    Of those before a limit, the first of each tries again: a wake-up that was lost is made up for here.
    """
    known = _held_for(Reason.FUNCTION_NOT_REGISTERED) & executions.c.function_key.in_(functions)
    is_paused = exists().where(events.c.id == executions.c.event_id, events.c.status == Status.PAUSED)
    resumed = _held_for(Reason.TASK_PAUSED) & ~is_paused
    is_full = False
    for over in (known, resumed, _is_free()):
        first = c.execute(select(executions.c.id).where(over).order_by(executions.c.rank).limit(limit)).scalars().all()
        release(c, first)
        is_full |= len(first) == limit
    keys = select(executions.c.limit_key).where(_held_for(Reason.LIMIT)).distinct()
    let_next(c, c.execute(keys).scalars().all())
    return is_full


def release_unpaused(c: Connection) -> None:
    """Put rows back in line that were held because their module was, where nothing holds it any more."""
    release(c, c.execute(select(executions.c.id).where(_is_free())).scalars().all())


def release(c: Connection, ids: Collection[str]) -> None:
    """Put held rows back in line."""
    if ids:  # chosen apart: in one statement, a planner without statistics has taken seconds for it
        held = update(executions).where(executions.c.id.in_(ids), is_held)
        c.execute(held.values(line=Line.READY, reason=None))


def running_keys(c: Connection, limit_keys: Collection[str]) -> set[str]:
    """Return the open keys held under these limits, also by rows of a task that share theirs with no other."""
    theirs = executions.c.limit_key.in_(limit_keys) | executions.c.event_id.in_(limit_keys)
    held = theirs & is_open & executions.c.open_key.is_not(None)
    return set(c.execute(select(executions.c.open_key).where(held)).scalars())


def started_since(c: Connection, limit_key: str, since: datetime, limit: int) -> Sequence[datetime]:
    """Return when the newest `limit` executions under this limit started, newest first, after the moment."""
    recent = (executions.c.limit_key == limit_key) & (executions.c.start_time > since)
    newest = select(executions.c.start_time).where(recent).order_by(executions.c.start_time.desc()).limit(limit)
    return c.execute(newest).scalars().all()


def running_by_queue(c: Connection) -> dict[str, int]:
    """Return how many executions run on all nodes, by queue."""
    query = select(executions.c.queue, func.count()).where(is_running).group_by(executions.c.queue)
    return {row[0]: row[1] for row in c.execute(query)}


def _held_for(reason: Reason) -> ColumnElement[bool]:
    return is_held & (executions.c.reason == reason.value)


def _is_free() -> ColumnElement[bool]:
    mine = select(events.c.module_id).where(events.c.id == executions.c.event_id)
    of_module = mine.correlate(executions).scalar_subquery()
    return _held_for(Reason.PAUSED) & ~exists().where(pauses.c.scope.in_(["*", of_module])).correlate(executions)
