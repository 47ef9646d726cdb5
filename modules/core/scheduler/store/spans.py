"""What is over, in the database: pauses and the lives of nodes, written once when they end."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select

from framework.clock import new_id
from framework.database import insert_rows
from modules.core.scheduler.past_tables import spans
from modules.core.scheduler.task import Status

NODES = "nodes:"  # no scope of a pause
TASK = "task:"  # before a task's id
COLUMNS = ("id", "scope", "since", "until", "reason")
MOST = 200  # that are read of one stretch


def add(c: Connection, scope: str, since: datetime, until: datetime, reason: str | None) -> None:
    """Write down that something is over."""
    values = {"id": new_id(), "scope": scope, "since": min(since, until), "until": until, "reason": reason}
    c.execute(insert(spans).values(values))


def end_pause(c: Connection, task: Row[Any], now: datetime) -> None:
    """Keep since when and why a task has been paused, before anything of it changes; nothing where it is not."""
    end_pauses(c, [task], now)


def end_pauses(c: Connection, tasks: Sequence[Row[Any]], now: datetime) -> None:
    """Keep the same of several tasks."""
    since = {task.id: task.changed_at or task.created_at for task in tasks}
    over = [task for task in tasks if task.status == Status.PAUSED and since[task.id] != now]
    told = ((new_id(), TASK + task.id, min(since[task.id], now), now, task.status_reason) for task in over)
    insert_rows(c, spans, COLUMNS, list(told))


def between(c: Connection, scopes: Collection[str], first: datetime, stop: datetime) -> Sequence[Row[Any]]:
    """Return what was so at any time from `first` to `stop`, at most `MOST`, those that ended first before others."""
    overlaps = spans.c.scope.in_(scopes) & (spans.c.until > first) & (spans.c.since < stop)
    return c.execute(select(spans).where(overlaps).order_by(spans.c.until, spans.c.id).limit(MOST)).all()


def delete_old(c: Connection, before: datetime, limit: int) -> int:
    """Delete some of what was over before the moment."""
    old = select(spans.c.id).where(spans.c.until < before).order_by(spans.c.until).limit(limit)
    return c.execute(delete(spans).where(spans.c.id.in_(list(c.execute(old).scalars())))).rowcount
