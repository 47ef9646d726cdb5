"""Selects that SQLAlchemy writes once: building one anew and reading its rows costs more than a small page does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from sqlalchemy import Boolean, Connection, Dialect, Select
from sqlalchemy.sql.compiler import SQLCompiler

from framework.database import driver
from framework.database.location import SQLITE
from framework.database.metering import note_statement
from framework.database.moments import UtcDateTime, moment_of
from framework.database.rows import stored


class Prepared:
    """A select whose values are named `bindparam`s, for the work of `Database.read`."""

    def __init__(self, query: Select[Any]) -> None:
        self._query = query
        self._written: dict[str, _Written] = {}

    def rows(self, c: Connection, **values: Any) -> list[Any]:
        """Return the rows, with the names of the columns; moments go in and come out as aware datetimes."""
        written = self._of(c)
        rows = self.unread(c, **values)
        return [_read(row, written.readers) for row in rows] if written.readers else rows

    def unread(self, c: Connection, **values: Any) -> list[Any]:
        """Return the rows as the driver gives them: of SQLite, moments are text and booleans numbers."""
        written = self._of(c)
        note_statement()
        given = {**written.fixed, **values}
        return driver.execute(c, written.text, tuple(stored(c.dialect, given[name]) for name in written.names)).rows

    def _of(self, c: Connection) -> _Written:
        written = self._written.get(c.dialect.name)
        if written is None:
            written = self._written[c.dialect.name] = _write(self._query, c.dialect)
        return written


class _Written(NamedTuple):
    """A text with the names of its values in order, those of them that never change, and what reads which columns."""

    text: str
    names: tuple[str, ...]
    fixed: Mapping[str, Any]
    readers: tuple[tuple[int, Callable[[Any], Any]], ...]


def _write(query: Select[Any], dialect: Dialect) -> _Written:
    compiled = query.compile(dialect=dialect)
    assert isinstance(compiled, SQLCompiler)  # noqa: S101  # what compiles a select
    types = [column.type for column in query.selected_columns] if dialect.name == SQLITE else []
    readers = tuple((place, reader) for place, each in enumerate(types) if (reader := _reader(each)) is not None)
    return _Written(str(compiled), tuple(compiled.positiontup or ()), compiled.params, readers)


def _reader(column_type: object) -> Callable[[Any], Any] | None:
    """Return what makes of a value of SQLite's the one that is meant."""
    if isinstance(column_type, UtcDateTime):
        return moment_of
    return bool if isinstance(column_type, Boolean) else None


def _read(row: Any, readers: tuple[tuple[int, Callable[[Any], Any]], ...]) -> Any:
    values = list(row)
    for place, reader in readers:
        if values[place] is not None:
            values[place] = reader(values[place])
    return row._make(values)
