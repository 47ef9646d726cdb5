"""Log lines of executions in the database: written many at once, read in order, gone with their execution."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection, Row, delete, select

from framework.database import insert_rows
from modules.core.scheduler.journal import Line
from modules.core.scheduler.live_tables import log_lines


def add(c: Connection, lines: Sequence[Line]) -> None:
    """Insert lines; one that is there already stays as it is, for nobody knows whether a broken commit came in."""
    insert_rows(c, log_lines, Line._fields, lines, ignore=True)


def page(c: Connection, execution_id: str, after: int, limit: int) -> Sequence[Row[Any]]:
    """Return an execution's lines behind the one of this number, in order."""
    of_it = (log_lines.c.execution_id == execution_id) & (log_lines.c.number > after)
    return c.execute(select(log_lines).where(of_it).order_by(log_lines.c.number).limit(limit)).all()


def remove(c: Connection, execution_ids: Collection[str]) -> None:
    """Delete all lines of these executions."""
    c.execute(delete(log_lines).where(log_lines.c.execution_id.in_(execution_ids)))
