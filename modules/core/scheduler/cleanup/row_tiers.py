"""The rows that stand for their hour, day, week, month or year: of each period the newest."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Connection, Date, DateTime, FromClause, Select, String, func, select, type_coerce

from modules.core.scheduler.cleanup.moments import keeps_dates_as_text
from modules.core.scheduler.cleanup.rows_policy import RowTiers
from modules.core.scheduler.cleanup.table_rows import Key, TableRows

_PAGE = 50_000
_TO_THE_MINUTE = len("YYYY-MM-DD HH:MM")

PERIODS: dict[str, Callable[[datetime], Hashable]] = {
    "hourly": lambda moment: (moment.date(), moment.hour, moment.utcoffset()),
    "daily": lambda moment: moment.date(),
    "weekly": lambda moment: moment.isocalendar()[:2],
    "monthly": lambda moment: (moment.year, moment.month),
    "yearly": lambda moment: moment.year,
}


def tier_keepers(connection: Connection, rows: TableRows, tiers: RowTiers, zone: ZoneInfo) -> list[Key]:
    """Return date and key of the newest row of each of the last so many periods that have rows.

    Periods begin in the zone; a date without a time belongs to its own day, whatever the zone.
    """
    wanted = {name: count for name in PERIODS if (count := getattr(tiers, name)) is not None}
    seen: dict[str, set[Hashable]] = {name: set() for name in wanted}
    keepers: list[Key] = []
    last: Key | None = None
    while page := [tuple(row) for row in connection.execute(_newest_of_each_minute(rows, last))]:
        for row in page:
            moment = local_moment(row[0], zone)
            if moment is not None and _begins(moment, wanted, seen):
                keepers.append(row)
        if len(page) < _PAGE or all(len(seen[name]) == count for name, count in wanted.items()):
            break
        last = page[-1]
    return keepers


def _begins(moment: datetime, wanted: dict[str, int], seen: dict[str, set[Hashable]]) -> bool:
    """Whether it is the first of a period that is wanted; notes the period."""
    is_first = False
    for name, count in wanted.items():
        period = PERIODS[name](moment)
        if period not in seen[name] and len(seen[name]) < count:
            seen[name].add(period)
            is_first = True
    return is_first


def _newest_of_each_minute(rows: TableRows, last: Key | None) -> Select[Any]:
    """A page of rows, newest first: no period is shorter than a minute, so that the others need not be read."""
    source = rows.table.alias("source")
    order = rows.by_age(source)
    newest_first = [part.desc() for part in order]
    place = func.row_number().over(partition_by=_minute(rows, source), order_by=newest_first)
    ranked = select(*rows.key_columns(source), rows.raw(source, rows.date_column).label("stored"), place.label("place"))
    ranked = ranked.where(rows.fits(source), rows.dated(source))
    if last is not None:
        ranked = ranked.where(rows.by_age_of(source) < last)
    numbered = ranked.subquery("ranked")
    columns = [numbered.c.stored, *(column for column in numbered.c if column.name not in ("stored", "place"))]
    query = select(*columns).where(numbered.c.place == 1)
    return query.order_by(*(column.desc() for column in columns)).limit(_PAGE)


def _minute(rows: TableRows, source: FromClause) -> ColumnElement[Any]:
    column = source.c[rows.date_column]
    if isinstance(column.type, String) or keeps_dates_as_text(column.type, rows.dialect):
        return func.substr(type_coerce(column, String()), 1, _TO_THE_MINUTE)
    if isinstance(column.type, DateTime) and not isinstance(column.type, Date):
        return func.date_trunc("minute", column)
    return column


def local_moment(value: object, zone: ZoneInfo) -> datetime | None:
    """Return the moment of a stored value on the zone's clock, of a mere date the naive midnight; None: no moment."""
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value.strip())
        except ValueError:
            return None
        if len(value.strip()) == len("YYYY-MM-DD"):
            return moment
    elif isinstance(value, (int, float, Decimal)):
        try:
            moment = datetime.fromtimestamp(float(value), UTC)
        except (ValueError, OverflowError, OSError):
            return None
    elif isinstance(value, datetime):
        moment = value
    elif isinstance(value, date):
        return datetime(value.year, value.month, value.day)  # noqa: DTZ001  # a day, not a moment
    else:
        return None
    try:
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(zone)
    except (ValueError, OverflowError):
        return None
