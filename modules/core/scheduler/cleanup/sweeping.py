"""The short road of a plain policy: one statement finds the oldest rows by the index on their date and deletes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    CursorResult,
    Delete,
    Integer,
    Select,
    String,
    and_,
    bindparam,
    delete,
    func,
    select,
    tuple_,
)

from modules.core.scheduler.cleanup.references import Dependents
from modules.core.scheduler.cleanup.report import MAX_SAMPLES
from modules.core.scheduler.cleanup.table_rows import Key
from modules.core.scheduler.cleanup.target import Target, limits

_RULES = (
    "where",
    "hold_column",
    "keep_where",
    "max_rows",
    "max_size_mb",
    "min_age",
    "keep_newest",
    "tiers",
    "min_kept",
)


@dataclass(frozen=True, slots=True)
class Swept:
    """What one statement deleted."""

    count: int
    last: Key | None = None
    """Date and key of the newest row; None where there was none."""
    first: Sequence[Key] = ()
    """Dates and keys of the oldest rows, as long as a report has room for them."""


def is_plain(target: Target, dependents: Dependents) -> bool:
    """Whether rows go by their date alone and nothing goes along: whatever the index shows first then goes."""
    rows, policy = target.rows, target.policy
    if any(getattr(policy, rule) is not None for rule in _RULES) or dependents.going:
        return False
    sorts_as_here = rows.is_loose or not isinstance(target.table.c[rows.date_column].type, String)
    return bool(rows.key) and rows.is_indexed and sorts_as_here


class Sweep:
    """Deletes the oldest rows that go, so many at once: those beyond a place (date and key), None: all.

    Its statements are compiled once: to put them together anew for each batch costs more than to carry them out.
    """

    def __init__(self, target: Target, place: Key | None) -> None:
        self._target, self._place = target, place
        self._columns = target.rows.by_age(target.table)
        self._since: Any = None
        self._shown = 0
        self._made: dict[str, Any] = {}
        self._texts: dict[str, tuple[str, dict[str, Any], list[str]]] = {}

    def __call__(self, size: int, connection: Connection) -> Swept:
        """Delete the next ones in a transaction; what somebody changes meanwhile is judged again before it goes."""
        values = {"size": size, "since": self._since, "skip": size - 1}
        shown = min(size, MAX_SAMPLES - self._shown)
        first = self._rows(connection, "first", values | {"size": shown}) if shown else []
        last, count = self._delete(connection, values)
        return Swept(count, last, first)

    def go_on_behind(self, gone: Swept) -> None:
        """Look at no earlier date again, once what was deleted is committed."""
        if gone.last is None:
            return
        self._shown += len(gone.first)
        if self._since is None:
            self._made.clear()  # they do not know of a date to begin with
            self._texts.clear()
        self._since = gone.last[0]

    def _delete(self, connection: Connection, values: dict[str, Any]) -> tuple[Key | None, int]:
        if not self._target.rows.is_loose:
            row = next(iter(self._rows(connection, "told", values)), None)
            return (None, 0) if row is None else (row[1:], row[0])
        # On SQLite nobody else writes until the transaction ends; a look is cheaper than rows that a deletion returns.
        last = self._rows(connection, "last", values) or self._rows(connection, "newest", values)
        if not last:
            return None, 0
        return last[0], self._execute(connection, "delete", values).rowcount

    def _rows(self, connection: Connection, name: str, values: dict[str, Any]) -> list[Key]:
        return [tuple(row) for row in self._execute(connection, name, values)]

    def _execute(self, connection: Connection, name: str, values: dict[str, Any]) -> CursorResult[Any]:
        if name not in self._made:
            self._made[name] = self._statement(name)
        statement = self._made[name]
        if not self._target.rows.is_loose:
            return connection.execute(statement, values)
        if name not in self._texts:
            compiled = statement.compile(dialect=connection.dialect)
            self._texts[name] = (str(compiled), compiled.params, compiled.positiontup or [])
        text, fixed, places = self._texts[name]
        return connection.exec_driver_sql(text, tuple((fixed | values)[each] for each in places))

    def _statement(self, name: str) -> Any:
        columns, size, skip = self._columns, bindparam("size", type_=Integer), bindparam("skip", type_=Integer)
        if name in ("first", "last"):
            return self._oldest().limit(size) if name == "first" else self._oldest().limit(1).offset(skip)
        if name == "newest":
            return self._oldest().order_by(None).order_by(*(column.desc() for column in columns)).limit(1)
        some = self._oldest().with_only_columns(*columns[1:]).limit(size)
        going = delete(self._target.table).where(self._target.rows.key_of(self._target.table).in_(some))
        return going if name == "delete" else _told(going.where(_going(self._target)), columns)

    def _oldest(self) -> Select[Any]:
        columns = self._columns
        oldest = select(*columns).where(_going(self._target)).order_by(*columns).correlate(None)
        if self._place is not None:
            oldest = oldest.where(tuple_(*columns) > self._place)
        if self._since is not None:
            oldest = oldest.where(columns[0] >= bindparam("since", type_=columns[0].type))
        return oldest


def _going(target: Target) -> ColumnElement[bool]:
    """What a plain policy condemns: a limit says whether the date can be read, too."""
    rows, table = target.rows, target.table
    keyed = (table.c[name].is_not(None) for name in rows.key if name in rows.nullable)
    return and_(limits(target.policy, rows, target.now), *keyed)


def _told(statement: Delete, columns: Sequence[ColumnElement[Any]]) -> Select[Any]:
    """Delete on PostgreSQL, which counts what it deleted, and tells the last, in the same statement."""
    named = [column.label(f"part_{place}") for place, column in enumerate(columns)]
    gone = statement.returning(*named).cte("gone")
    parts = [gone.c[column.name] for column in named]
    return select(func.count().over(), *parts).order_by(*(part.desc() for part in parts)).limit(1)
