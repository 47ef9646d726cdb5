"""Executions that have failed, the newest of each kind by an index; and which failures somebody has seen."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, exists, func, insert, literal_column, select, union_all

from modules.core.scheduler.live_tables import known_failures
from modules.core.scheduler.store.overview import FAILED
from modules.core.scheduler.tables import events, executions

LONGEST = 400  # characters of what a failure says


def failed(c: Connection, since: datetime, most: int) -> tuple[Sequence[Row[Any]], bool]:
    """Return the newest of each kind that failed since, and whether there are more than `most` of a kind.

    Rows have `id, event_id, task_name, state, reason, error, end_time, is_last`; `task_name` is None where the task is
    gone, and `is_last` tells that no attempt of the occurrence came after it.
    """
    walks = [_failed(state, since).limit(most + 1).subquery() for state in FAILED]
    rows = c.execute(union_all(*(select(walk) for walk in walks))).all()
    numbers = [sum(row.state == state for row in rows) for state in FAILED]
    return rows, max(numbers) > most


def _failed(state: str, since: datetime) -> Select[Any]:
    later = executions.alias("later")
    same = (later.c.event_id == executions.c.event_id) & (later.c.scheduled_for == executions.c.scheduled_for)
    columns = [executions.c[name] for name in ("id", "event_id", "state", "reason", "end_time")]
    error = func.substr(executions.c.error, 1, LONGEST).label("error")
    is_last = (~exists().where(same, later.c.attempt > executions.c.attempt)).label("is_last")
    name = select(events.c.name).where(events.c.id == executions.c.event_id).scalar_subquery().label("task_name")
    # Written out rather than bound, for a planner uses a partial index only where it sees that the condition holds.
    of_kind = (executions.c.state == literal_column(f"'{state}'")) & (executions.c.end_time >= since)
    query = select(*columns, name, error, is_last).where(of_kind)
    return query.order_by(executions.c.end_time.desc(), executions.c.id.desc())


def known(c: Connection, failures: Collection[str]) -> dict[str, datetime]:
    """Return until when each of these failures is known, of those that are."""
    query = select(known_failures).where(known_failures.c.id.in_(list(failures)))
    return {row.id: row.until for row in c.execute(query)} if failures else {}


def know(c: Connection, failure: str, until: datetime | None, before: datetime) -> None:
    """Remember until when a failure is known, None: it is not; and forget what was known before."""
    c.execute(delete(known_failures).where((known_failures.c.id == failure) | (known_failures.c.until < before)))
    if until is not None:
        c.execute(insert(known_failures).values(id=failure, until=until))
