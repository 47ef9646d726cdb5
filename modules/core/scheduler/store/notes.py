"""What a node writes about executions while they run."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, select

from framework.database import change_rows, skip_locked
from modules.core.scheduler.journal import Line
from modules.core.scheduler.store.executions import is_running
from modules.core.scheduler.tables import executions

COLUMNS = (("id", "text"), ("progress", "text"), ("timed_out_at", "moment"), ("reason", "text"))
WRITE = """
    UPDATE scheduler_executions SET progress = given.progress, timed_out_at = given.timed_out_at,
        reason = COALESCE(given.reason, scheduler_executions.reason)
    FROM given WHERE scheduler_executions.id = given.id RETURNING scheduler_executions.id"""


class Note(NamedTuple):
    """The latest progress of an execution as JSON, and since when its time is up, and why."""

    id: str
    progress: str | None = None
    timed_out_at: datetime | None = None
    reason: str | None = None


class Told(NamedTuple):
    """What is new about executions that run: notes, and log lines."""

    notes: Sequence[Note] = ()
    lines: Sequence[Line] = ()


def write(c: Connection, node_id: str, notes: Sequence[Note]) -> None:
    """Write notes on rows that this node runs, but for those that their function has locked to complete them."""
    mine = executions.c.id.in_([each.id for each in notes]) & is_running & (executions.c.node_id == node_id)
    free = set(c.execute(skip_locked(select(executions.c.id).where(mine))).scalars())
    change_rows(c, WRITE, COLUMNS, [each for each in notes if each.id in free])
