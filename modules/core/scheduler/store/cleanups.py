"""Cleanups in the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, case, delete, func, insert, select, update

from modules.core.scheduler.cleanup_tables import cleanups
from modules.core.scheduler.execution import Line, Reason, State
from modules.core.scheduler.store import executions
from modules.core.scheduler.tables import events
from modules.core.scheduler.task import Status

CARRY_OUT = ("core.scheduler", "carry_out_cleanup")


def find(c: Connection, cleanup_id: str) -> Row[Any] | None:
    """Return the cleanup, or None."""
    return c.execute(select(cleanups).where(cleanups.c.id == cleanup_id)).one_or_none()


def find_type(c: Connection, module_id: str, cleanup_type: str) -> Row[Any] | None:
    """Return the module's cleanup of this type, or None."""
    same = (cleanups.c.module_id == module_id) & (cleanups.c.cleanup_type == cleanup_type)
    return c.execute(select(cleanups).where(same)).one_or_none()


def add(c: Connection, values: Mapping[str, Any]) -> None:
    """Insert one cleanup."""
    c.execute(insert(cleanups).values(values))


def change(c: Connection, cleanup_id: str, now: datetime, **values: Any) -> None:
    """Set columns of one cleanup."""
    c.execute(update(cleanups).where(cleanups.c.id == cleanup_id).values(updated_at=now, **values))


def has_run(c: Connection, row: Row[Any], now: datetime, *, started_at: datetime, cursor: str | None) -> None:
    """Note a run of a cleanup as it was read; where it stopped means something only if its policy is still the same."""
    place = case((cleanups.c.config == row.config, cursor), else_=None)
    change(c, row.id, now, last_run=started_at, cursor=place)


def counted(c: Connection) -> dict[bool, int]:
    """Return how many cleanups are on, and how many off."""
    query = select(cleanups.c.enabled, func.count()).group_by(cleanups.c.enabled)
    return {bool(row[0]): row[1] for row in c.execute(query)}


def keep_compliance(c: Connection, cleanup_id: str, text: str) -> None:
    """Keep what was seen of a cleanup's compliance; the cleanup itself counts as unchanged."""
    c.execute(update(cleanups).where(cleanups.c.id == cleanup_id).values(compliance=text))


def remove(c: Connection, cleanup_id: str) -> None:
    """Delete one cleanup; its reports stay until their retention ends."""
    c.execute(delete(cleanups).where(cleanups.c.id == cleanup_id))


def chosen(c: Connection, *, module_id: str | None, cleanup_type: str | None) -> Sequence[Row[Any]]:
    """Return cleanups with their task's priority and status, higher priority first."""
    query = select(cleanups, events.c.priority, events.c.status).join(events, events.c.id == cleanups.c.task_id)
    if module_id is not None:
        query = query.where(cleanups.c.module_id == module_id)
    if cleanup_type is not None:
        query = query.where(cleanups.c.cleanup_type == cleanup_type)
    return c.execute(query.order_by(events.c.priority.desc(), cleanups.c.module_id, cleanups.c.cleanup_type)).all()


def another_run(c: Connection, task_id: str, execution_id: str) -> str | None:
    """Return why this execution of a cleanup need not do anything: another one does it, or will. None: it does it.

    Of two that run, the one that started first goes on.
    """
    opened = executions.open_of(c, task_id)
    mine = next((row for row in opened if row.id == execution_id), None)
    if mine is None:
        return None
    others = [row for row in opened if row.id != execution_id and row.state == State.RUNNING]
    if any((row.start_time, row.id) < (mine.start_time, mine.id) for row in others):
        return "another run of this cleanup goes on"
    waits = [row for row in opened if row.state == State.PENDING and row.scheduled_for > mine.scheduled_for]
    if any(row.line == Line.READY or row.reason == Reason.LIMIT for row in waits):
        return "a later run of this cleanup waits already"
    return None


def keep_in_step(c: Connection, task: Row[Any]) -> None:
    """Show a cleanup's row what has become of its task since that was read; other tasks have no such row."""
    if (task.module_id, task.function_name) != CARRY_OUT:
        return
    is_enabled = select(events.c.status == Status.PENDING).where(events.c.id == task.id)
    next_run = select(events.c.next_execution).where(events.c.id == task.id)
    shown = {"enabled": is_enabled.scalar_subquery(), "next_run": next_run.scalar_subquery()}
    c.execute(update(cleanups).where(cleanups.c.task_id == task.id).values(shown))
