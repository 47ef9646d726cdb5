"""Executions that gather events in the database: each waits until no further event has come for a while."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, literal_column, select, update

from modules.core.scheduler.execution import Reason
from modules.core.scheduler.store.executions import is_open, is_pending
from modules.core.scheduler.tables import executions

is_gathering = is_pending & (executions.c.line == literal_column("'later'")) & (executions.c.reason == Reason.DEBOUNCE)


def gathering_of(c: Connection, event_id: str) -> Row[Any] | None:
    """Return the execution of a locked task that waits for further events, or None."""
    mine = (executions.c.event_id == event_id) & is_open & is_gathering
    return c.execute(select(executions).where(mine).order_by(executions.c.id.desc()).limit(1)).one_or_none()


def gather(c: Connection, row: Row[Any], due_at: datetime, payload: str) -> bool:
    """Let a row stand for one event more, and wait until `due_at`; False where it waits no longer."""
    more = {"missed_count": row.missed_count + 1, "missed_since": row.missed_since or row.created_at}
    unmoved = (executions.c.id == row.id) & is_gathering
    changed = update(executions).where(unmoved).values(due_at=due_at, payload=payload, **more)
    return c.execute(changed).rowcount == 1
