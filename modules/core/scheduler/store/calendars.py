"""Calendars in the database: as they were last registered, and the tasks that carry them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from framework import strict_json
from framework.database import for_update
from modules.core.scheduler.tables import calendars, events
from modules.core.scheduler.task import Status

carries = events.c.calendars.is_not(None) & events.c.status.in_([Status.PENDING, Status.PAUSED])


def everything(c: Connection) -> Sequence[Row[Any]]:
    """Return all calendars, by name."""
    return c.execute(select(calendars).order_by(calendars.c.name)).all()


def put(c: Connection, known: Row[Any] | None, values: Mapping[str, Any], now: datetime) -> None:
    """Store a calendar, over the one that is known by its name; `values` has its `name`."""
    if known is None:
        c.execute(insert(calendars).values(updated_at=now, **values))
    elif any(getattr(known, column) != value for column, value in values.items()):
        c.execute(update(calendars).where(calendars.c.name == known.name).values(updated_at=now, **values))


def miss(c: Connection, name: str, now: datetime) -> None:
    """Note since when nobody registers a calendar any more."""
    c.execute(update(calendars).where(calendars.c.name == name).values(missing_since=now))


def stamps(c: Connection) -> dict[str, int]:
    """Return which calendars of which definitions pending and paused tasks carry, and how many of them do."""
    query = select(events.c.calendars, func.count().label("number")).where(carries).group_by(events.c.calendars)
    return {row.calendars: row.number for row in c.execute(query)}


def carrying(c: Connection, stamped: Collection[str], limit: int, *, locked: bool = True) -> Sequence[Row[Any]]:
    """Return tasks that carry one of these stamps, by default locked."""
    query = select(events).where(carries, events.c.calendars.in_(sorted(stamped))).order_by(events.c.id).limit(limit)
    return c.execute(for_update(query) if locked else query).all()


def names_in(stamp: str) -> dict[str, str]:
    """Return the names of a stamp with the digests of their definitions; none where it is damaged."""
    try:
        told = strict_json.loads(stamp)
    except strict_json.JsonError:
        return {}
    return told if isinstance(told, dict) else {}
