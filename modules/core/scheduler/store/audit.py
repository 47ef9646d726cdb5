"""The audit in the database: add, read by pages, delete what is old."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, tuple_

from modules.core.scheduler.audit_tables import audit

Place = tuple[datetime, str]


def add(c: Connection, values: Mapping[str, Any]) -> None:
    """Insert a deed."""
    c.execute(insert(audit).values(values))


def page(
    c: Connection, wanted: Mapping[str, str], since: datetime | None, after: Place | None, limit: int
) -> Sequence[Row[Any]]:
    """Return deeds whose columns have these values, of a moment or later, newest first, after a place in that order."""
    order = (audit.c.at, audit.c.id)
    query = select(audit).where(*(audit.c[name] == value for name, value in wanted.items()))
    if since is not None:
        query = query.where(audit.c.at >= since)
    if after is not None:
        query = query.where(tuple_(*order) < tuple_(*after))
    return c.execute(query.order_by(*(column.desc() for column in order)).limit(limit)).all()


def count(c: Connection, before: datetime) -> int:
    """Return how many deeds are older than the moment."""
    return c.execute(select(func.count()).where(audit.c.at < before)).scalar_one()


def delete_old(c: Connection, before: datetime, limit: int) -> int:
    """Delete some deeds that are older than the moment, oldest first."""
    old = select(audit.c.id).where(audit.c.at < before).order_by(audit.c.at, audit.c.id).limit(limit)
    return c.execute(delete(audit).where(audit.c.id.in_(list(c.execute(old).scalars())))).rowcount
