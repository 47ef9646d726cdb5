"""A look at the rows that would go: the oldest, the newest, their bytes, and the keys of some."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Connection, func, select

from modules.core.scheduler.cleanup.report import MAX_SAMPLES, Tally
from modules.core.scheduler.cleanup.row_sizes import bytes_of
from modules.core.scheduler.cleanup.row_tiers import local_moment
from modules.core.scheduler.cleanup.table_rows import Key
from modules.core.scheduler.cleanup.target import Target

_UTC = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class Glimpse:
    """What a person wants to see before rows go."""

    oldest: datetime | None = None
    newest: datetime | None = None
    samples: tuple[str, ...] = ()
    """Keys such as `id=7`, in the order in which rows go."""
    bytes: int = 0
    """What they come to, where a column tells it."""

    def tell(self, tally: Tally) -> None:
        """Put it into the tally."""
        tally.span(self.oldest, self.newest)
        tally.bytes += self.bytes
        for sample in self.samples:
            tally.sample(sample)


class Seen:
    """The same of a run that deletes, put together from its batches."""

    def __init__(self, target: Target) -> None:
        self._names = target.key
        self._ends: list[Any] = []
        self._samples: list[str] = []

    def add(self, dates: Sequence[Any], keys: Sequence[Key]) -> None:
        """Take in a batch: the dates as they are stored, and the keys in the order in which rows went."""
        self._ends = [pick([*dates, *self._ends], key=_place) for pick in (min, max)]
        room = MAX_SAMPLES - len(self._samples)
        self._samples += [sample_of(self._names, key) for key in keys[: max(room, 0)]]

    def tell(self, tally: Tally) -> None:
        """Put it into the tally."""
        oldest, newest = map(in_utc, self._ends or (None, None))
        Glimpse(oldest, newest, tuple(self._samples)).tell(tally)


def _place(stored: object) -> tuple[bool, Any]:
    return isinstance(stored, str), stored  # as SQLite sorts a column that holds both


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
    samples = tuple(sample_of(target.key, row) for row in some)
    size = bytes_of(connection, target, target.condemned, order, going)
    return Glimpse(in_utc(oldest), in_utc(newest), samples, size)


def sample_of(names: Sequence[str], key: Sequence[Any]) -> str:
    """Return the text that shows which row has this key."""
    return ", ".join(f"{name}={value}" for name, value in zip(names, key, strict=True))


def in_utc(stored: object) -> datetime | None:
    """Return the moment of a stored value, or None where it is none."""
    moment = local_moment(stored, _UTC)
    return None if moment is None else moment.replace(tzinfo=UTC)
