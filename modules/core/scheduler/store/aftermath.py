"""What followed from turns beside what they ran, read back from the database: for listeners."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, exists, select

from modules.core.scheduler.execution import Reason, State
from modules.core.scheduler.store.executions import is_open
from modules.core.scheduler.tables import events, executions
from modules.core.scheduler.task import Status

ENDED = (Status.COMPLETED, Status.FAILED, Status.CANCELLED)


def closed_at(c: Connection, moments: Collection[datetime]) -> Sequence[Row[Any]]:
    """Return executions that were closed at these moments without having run to their end, oldest first."""
    states = executions.c.state.in_([State.SKIPPED, State.MISSED, State.LOST])
    replaced = (executions.c.reason == Reason.REPLACED) & executions.c.start_time.is_(None)
    reasons = replaced | (executions.c.reason == Reason.CRASH_LIMIT)
    told = ("id", "event_id", "state", "reason", "error", "node_id", "end_time")
    columns = [*(executions.c[name] for name in told), events.c.name, events.c.module_id]
    query: Select[Any] = select(*columns)
    query = query.join_from(executions, events, events.c.id == executions.c.event_id)
    return c.execute(query.where(executions.c.end_time.in_(moments), states | reasons).order_by(executions.c.id)).all()


def ended_tasks(c: Connection, ids: Collection[str]) -> Sequence[Row[Any]]:
    """Return those of the tasks that have ended, with nothing open any more."""
    told = ("id", "name", "module_id", "status", "last_error", "updated_at")
    goes_on = exists().where(executions.c.event_id == events.c.id, is_open)
    ended = events.c.id.in_(ids) & events.c.status.in_(ENDED) & ~goes_on
    return c.execute(select(*(events.c[name] for name in told)).where(ended).order_by(events.c.id)).all()
