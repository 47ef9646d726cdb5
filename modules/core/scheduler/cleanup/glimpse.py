"""A look at the rows that would go: the oldest, the newest, and the keys of some."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Connection, func, select

from modules.core.scheduler.cleanup.report import MAX_SAMPLES, Tally
from modules.core.scheduler.cleanup.row_tiers import local_moment
from modules.core.scheduler.cleanup.target import Target

_UTC = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class Glimpse:
    """What a person wants to see before rows go."""

    oldest: datetime | None = None
    newest: datetime | None = None
    samples: tuple[str, ...] = ()
    """Keys such as `id=7`, in the order in which rows go."""

    def tell(self, tally: Tally) -> None:
        """Put it into the tally."""
        tally.span(self.oldest, self.newest)
        for sample in self.samples:
            tally.sample(sample)


def glimpse(connection: Connection, target: Target, order: Sequence[ColumnElement[Any]], going: int) -> Glimpse:
    """Look at the first so many of the condemned rows, in the order in which they go."""
    rows, table = target.rows, target.table
    date = rows.raw(table, rows.date_column).label("stored")
    first = select(date).where(target.condemned).order_by(*order).limit(going).subquery("first_ones")
    oldest, newest = connection.execute(select(func.min(first.c.stored), func.max(first.c.stored))).one()
    some: Sequence[Any] = ()
    if target.key:
        columns = rows.key_columns(table)
        query = select(*columns).where(target.condemned).order_by(*order).limit(min(going, MAX_SAMPLES))
        some = connection.execute(query).all()
    samples = (", ".join(f"{name}={value}" for name, value in zip(target.key, row, strict=True)) for row in some)
    return Glimpse(_in_utc(oldest), _in_utc(newest), tuple(samples))


def _in_utc(stored: object) -> datetime | None:
    moment = local_moment(stored, _UTC)
    return None if moment is None else moment.replace(tzinfo=UTC)
