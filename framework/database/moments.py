"""How a moment is stored: aware UTC on both databases, in a form that sorts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import DateTime, Dialect, Text
from sqlalchemy.exc import DontWrapMixin
from sqlalchemy.types import TypeDecorator, TypeEngine

from framework.database.location import SQLITE


class NaiveMomentError(DontWrapMixin, ValueError):
    """A datetime without a zone was about to be stored; nobody could say later which moment it was."""


class UtcDateTime(TypeDecorator[datetime]):
    """Aware datetimes in, aware UTC out; PostgreSQL `timestamptz`, SQLite text `YYYY-MM-DD HH:MM:SS.ffffff`.

    A naive datetime raises ValueError. Text in a row that is no moment reads as None: a bad row must not break a batch.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(Text() if dialect.name == SQLITE else DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        return as_text(value) if dialect.name == SQLITE else _in_utc(value)

    def process_result_value(self, value: Any, _dialect: Dialect) -> datetime | None:
        return moment_of(value)


def moment_of(value: Any) -> datetime | None:
    """Return the aware moment, in UTC, that a driver gave as text or as a datetime; None where it is none."""
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
        if not isinstance(moment, datetime):
            return None
        return moment.replace(tzinfo=UTC) if moment.utcoffset() is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def as_text(moment: datetime) -> str:
    """Return a moment as SQLite stores it; raises `NaiveMomentError`."""
    return _in_utc(moment).replace(tzinfo=None).isoformat(" ", "microseconds")


def _in_utc(moment: datetime) -> datetime:
    if moment.tzinfo is UTC:
        return moment
    if moment.utcoffset() is None:
        raise NaiveMomentError(f"{moment!r} has no time zone; only aware datetimes are stored")
    return moment.astimezone(UTC)
