"""How much there is of everything, counted only so far, for whoever watches."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, func, literal_column, select

from modules.core.scheduler.execution import Line
from modules.core.scheduler.store.executions import is_pending
from modules.core.scheduler.store.line import is_ready
from modules.core.scheduler.store.tasks import upcoming
from modules.core.scheduler.tables import events, executions

MOST_TASKS = 1_000_000
MOST_WAITING = 50_000
LOOKED_AT = 1_000  # of those in line, the first


def tasks_by_status(c: Connection) -> dict[str, int]:
    """Return how many tasks have each stored status, of the first million."""
    return dict(_counted(c, select(events.c.status).limit(MOST_TASKS)))


def waiting(c: Connection, most: int = MOST_WAITING) -> dict[tuple[str, str], int]:
    """Return how many executions wait, by queue and place in line.

    No more than `most` are counted: of those in line in each queue, of those that wait for a time or are held in all.
    """
    found = {}
    for queue in _queues_in_line(c):
        some = select(executions.c.id).where(is_ready, executions.c.queue == queue).limit(most).subquery()
        found[queue, Line.READY.value] = c.execute(select(func.count()).select_from(some)).scalar_one()
    for place in (Line.LATER, Line.HELD):
        there = is_pending & (executions.c.line == literal_column(f"'{place.value}'"))
        for queue, count in _counted(c, select(executions.c.queue).where(there).limit(most)):
            found[queue, place.value] = count
    return found


def _queues_in_line(c: Connection) -> Iterator[str]:
    """Yield the queues in which anything is in line, each by one step along the index."""
    first = select(func.min(executions.c.queue)).where(is_ready)
    queue = c.execute(first).scalar()
    while queue is not None:
        yield queue
        queue = c.execute(first.where(executions.c.queue > queue)).scalar()


def longest_due(c: Connection, now: datetime) -> datetime | None:
    """Return since when what waits longest could have run: a task that is due, or an execution that is in line."""
    first = select(executions.c.due_at).where(is_ready)
    first = first.order_by(executions.c.queue, executions.c.rank, executions.c.id).limit(LOOKED_AT)
    in_line = c.execute(select(func.min(first.subquery().c.due_at))).scalar()
    due = [row.next_execution for row in upcoming(c, 1) if row.next_execution <= now]
    return min([*due, *([] if in_line is None else [in_line])], default=None)


def _counted(c: Connection, query: Select[Any]) -> list[tuple[str, int]]:
    (column,) = (some := query.subquery()).columns
    return [(row[0], row[1]) for row in c.execute(select(column, func.count()).select_from(some).group_by(column))]
