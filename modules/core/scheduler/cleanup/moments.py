"""Which rows are over: a date column, of whatever type, compared with a moment so that no row goes too early.

A value that cannot be read as a moment keeps its row: null, text without the shape of a date, a year before 1000 (often
a stand-in for none), a number below 100,000,000 (an id, a counter, 20260105). Other numbers are seconds since 1970.
Values without a zone are read as UTC; a date without a time lasts until its day is over; text with `T` or an offset may
go up to a day late.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Date,
    DateTime,
    Dialect,
    Enum,
    Float,
    Integer,
    Numeric,
    SmallInteger,
    String,
    and_,
    func,
    or_,
    type_coerce,
)
from sqlalchemy.types import TypeEngine

_FIRST_YEAR = datetime(1000, 1, 1, tzinfo=UTC)
_FIRST_SECOND = 100_000_000  # 3 March 1973
_WESTERNMOST = timedelta(hours=12)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DATE_SHAPE = "____-__-__%"
_WEST_OF_UTC = "%-__:__"


def holds_moments(kind: TypeEngine[Any]) -> bool:
    """Return whether a column of this reflected type may be compared with a moment."""
    if isinstance(kind, (SmallInteger, Enum)):
        return False
    return isinstance(kind, (DateTime, Date, String, Integer, Numeric, Float))


def is_moment(column: ColumnElement[Any], dialect: Dialect) -> ColumnElement[bool]:
    """Return the condition that the column's value can be read as a moment; never null."""
    kind = column.type
    if isinstance(kind, String) or keeps_dates_as_text(kind, dialect):
        readable = _has_shape(type_coerce(column, String()))
    elif isinstance(kind, DateTime):
        readable = column >= _FIRST_YEAR.replace(tzinfo=UTC if kind.timezone else None)
    elif isinstance(kind, Date):
        readable = column >= _FIRST_YEAR.date()
    else:
        readable = column >= _FIRST_SECOND
    return and_(column.is_not(None), readable)


def is_before(
    column: ColumnElement[Any], moment: datetime, dialect: Dialect, *, floor: bool = True
) -> ColumnElement[bool]:
    """Return the condition that the column's value is a moment before this one (aware UTC).

    Without the `floor` it is not asked whether it is late enough to be one: for who asks of a later place already, as
    SQLite looks by one lower bound alone, and not by the highest.
    """
    kind = column.type
    if isinstance(kind, String) or keeps_dates_as_text(kind, dialect):
        return _text_before(type_coerce(column, String()), moment, floor=floor)
    if isinstance(kind, DateTime):
        zone = UTC if kind.timezone else None
        return and_(column >= _FIRST_YEAR.replace(tzinfo=zone), column < moment.replace(tzinfo=zone))
    if isinstance(kind, Date):
        return and_(column >= _FIRST_YEAR.date(), column < moment.date())
    return and_(column >= _FIRST_SECOND, column < int(moment.timestamp()))


def day_over(kind: TypeEngine[Any], moment: datetime, dialect: Dialect) -> str | None:
    """Return the first day that may not be over at this moment (aware UTC) somewhere; None where days are no texts."""
    if isinstance(kind, String) or keeps_dates_as_text(kind, dialect):
        return (moment - _WESTERNMOST).date().isoformat()
    return None


def lies_in_one_day(first: object, last: object, over: str) -> bool:
    """Return whether two stored values, and so all that sort between them, are texts of one day before this one."""
    if not isinstance(first, str) or not isinstance(last, str) or not _DAY.match(first):
        return False
    day = first[: len(over)]
    return last.startswith(day) and _FIRST_YEAR.date().isoformat() < day < over


def as_value(kind: TypeEngine[Any], moment: datetime) -> Any:
    """Return a moment (aware UTC) as a column of this reflected type takes it: text, a date, seconds since 1970."""
    if isinstance(kind, String):
        return _stamp(moment)
    if isinstance(kind, DateTime):
        return moment if kind.timezone else moment.replace(tzinfo=None)
    return moment.date() if isinstance(kind, Date) else int(moment.timestamp())


def _text_before(text: ColumnElement[str], moment: datetime, *, floor: bool) -> ColumnElement[bool]:
    day_is_over = or_(text < moment.date().isoformat(), func.length(text) > len("YYYY-MM-DD"))  # the cheaper first
    not_west = or_(text < _stamp(moment - _WESTERNMOST), text.not_like(_WEST_OF_UTC))
    shape = _has_shape(text) if floor else text.like(_DATE_SHAPE)
    return and_(shape, text < _stamp(moment), day_is_over, not_west)


def _has_shape(text: ColumnElement[str]) -> ColumnElement[bool]:
    # Without the shape, '' and '1767614400' would sort before every date and take all rows along; so would, in a
    # SQLite column declared DATETIME, every number.
    return and_(text.like(_DATE_SHAPE), text >= _stamp(_FIRST_YEAR))


def _stamp(moment: datetime) -> str:
    """The text that `UtcDateTime` stores in SQLite: sorts, and is what SQLite's own functions write."""
    return moment.replace(tzinfo=None).isoformat(sep=" ", timespec="microseconds")


def keeps_dates_as_text(kind: TypeEngine[Any], dialect: Dialect) -> bool:
    """Return whether this database stores a date or moment of this type as text."""
    if not isinstance(kind, (DateTime, Date)):
        return False
    bind = kind.dialect_impl(dialect).bind_processor(dialect)
    sample = datetime(2000, 1, 1) if isinstance(kind, DateTime) else date(2000, 1, 1)  # noqa: DTZ001  # only its type matters
    return bind is not None and isinstance(bind(sample), str)
