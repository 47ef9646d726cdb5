"""Many rows in one statement, for the roads on which a statement for each would cost most of the time.

Such statements go to the driver as text: SQLAlchemy would build the text anew, and convert row by row, at each call.
"""

from __future__ import annotations

import re
import sqlite3
from collections import namedtuple
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import Boolean, Connection, Dialect, Float, Integer, Table, Text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import TypeEngine
from sqlalchemy.util import await_only

from framework.database.engines import BELOW
from framework.database.failures import translated
from framework.database.location import SQLITE
from framework.database.moments import UtcDateTime, as_text

AT_ONCE = 50  # rows of one SQLite statement: a text for each number of them is kept prepared
SCALAR = re.compile(r"(?<!:):(\w+)")
NUMBERED = re.compile(r"\$\d+")  # each once, in order
LIST = re.compile(r"IN \(:(\w+)\)")
CHANGES = re.compile(r"\bINSERT\b|\bDELETE\b|(?<!FOR )\bUPDATE\b")
LOCKING = re.compile(r"FOR UPDATE(?: OF \w+)?(?: SKIP LOCKED)?")

Given = Sequence[Any]
Columns = tuple[tuple[str, str], ...]
KINDS = {
    "text": "text",
    "int": "bigint",
    "float": "double precision",
    "bool": "boolean",
    "moment": "timestamp with time zone",
}


class Done(NamedTuple):
    """What a statement returned, as rows with names, and how many rows it changed."""

    rows: list[Any]
    changed: int

    def scalar(self) -> Any:
        """Return the first value of the first row; None where there is none."""
        return self.rows[0][0] if self.rows else None

    def scalars(self) -> list[Any]:
        """Return the first value of each row."""
        return [row[0] for row in self.rows]

    def one_or_none(self) -> Any:
        """Return the first row, or None."""
        return self.rows[0] if self.rows else None


def insert_rows(
    c: Connection, table: Table, columns: tuple[str, ...], rows: Sequence[Given], *, ignore: bool = False
) -> int:
    """Insert rows, each the values of the columns in their order; return how many came in.

    Moments are aware datetimes. `ignore` leaves out rows whose unique keys are taken.
    """
    inserted, moments = 0, _moments(columns_of(table, columns))
    for batch in _batches(c.dialect, rows):
        text = _insert_text(table, columns, c.dialect.name, len(batch), ignore=ignore)
        values = _parameters(c.dialect, len(columns), moments, batch)
        inserted += _execute(c, text, values).changed
    return inserted


def change_rows(c: Connection, statement: str, columns: Columns, rows: Sequence[Given], **scalars: Any) -> list[Any]:
    """Carry out a statement over rows, which it reads as the table `given`; return what it returns.

    `columns` are the names and kinds (`KINDS`) of the rows' values. A scalar is written `:name`; moments among rows and
    scalars are aware datetimes. On SQLite, many rows go in several statements.
    """
    values = tuple(_stored(c.dialect, scalars[name]) for name in SCALAR.findall(statement))
    moments = _moments(columns)
    returned: list[Any] = []
    for batch in _batches(c.dialect, rows):
        text = _change_text(statement, columns, c.dialect.name, len(batch))
        returned += _execute(c, text, (*_parameters(c.dialect, len(columns), moments, batch), *values)).rows
    return returned


def run(c: Connection, statement: str, **scalars: Any) -> Done:
    """Carry out one statement that is written in the SQL of both databases.

    A scalar is written `:name`, a list of texts `IN (:name)`; moments are aware datetimes. `FOR UPDATE …` is left out
    on SQLite, where a writer is alone. Moments come back as the driver has them: `read_moment`.
    """
    dialect = c.dialect.name
    lists = tuple((name, len(scalars[name])) for name in LIST.findall(statement)) if dialect == SQLITE else ()
    text, names = _text(statement, dialect, lists)
    values: list[Any] = []
    for name in names:
        value = scalars[name]
        if isinstance(value, (list, tuple, set, frozenset)):
            values.extend(value) if dialect == SQLITE else values.append(list(value))
        else:
            values.append(_stored(c.dialect, value))
    return _execute(c, text, tuple(values))


def read_moment(value: str | datetime | None) -> datetime | None:
    """Return the moment that a driver gave; None for a text that is none."""
    if not isinstance(value, str):
        return value
    try:
        return datetime.fromisoformat(value).replace(tzinfo=UTC)
    except ValueError:
        return None


def _execute(c: Connection, text: str, values: tuple[Any, ...]) -> Done:
    raw: Any = c.connection.driver_connection
    if c.get_execution_options().get(BELOW) and c.dialect.name != SQLITE:
        return _execute_on_server(raw, text, values)
    if not isinstance(raw, sqlite3.Connection):
        if c.dialect.paramstyle.endswith("format"):  # the driver of somebody else's engine
            text = NUMBERED.sub("%s", text.replace("%", "%%"))
        result = c.exec_driver_sql(text, values)
        return Done(list(result.all()) if result.returns_rows else [], result.rowcount)
    try:
        cursor = raw.execute(text, values)
        rows = cursor.fetchall() if cursor.description else []
    except sqlite3.Error as error:
        raise DBAPIError.instance(text, None, error, sqlite3.Error, hide_parameters=True) from error
    if rows:
        rows = list(map(_named(tuple(column[0] for column in cursor.description)), rows))
    return Done(rows, cursor.rowcount)


def _execute_on_server(raw: Any, text: str, values: tuple[Any, ...]) -> Done:
    """Go to PostgreSQL's driver itself, on a connection whose transactions SQLAlchemy knows nothing of."""
    try:
        if not _returns_rows(text):
            return Done([], _changed(await_only(raw.execute(text, *values))))
        rows = await_only(raw.fetch(text, *values))
    except Exception as error:
        raise translated(error, text) from error
    return Done(list(map(_named(tuple(rows[0].keys())), rows)) if rows else [], len(rows))


@lru_cache(maxsize=1_000)
def _returns_rows(text: str) -> bool:
    return "RETURNING" in text or CHANGES.search(text) is None


def _changed(status: str) -> int:
    """Read how many rows a status such as `INSERT 0 5` speaks of."""
    number = status.rpartition(" ")[2]
    return int(number) if number.isdecimal() else 0


@lru_cache(maxsize=1_000)
def _named(names: tuple[str, ...]) -> Callable[[Iterable[Any]], Any]:
    with_names: Any = namedtuple  # those of the statement, which are known only now
    make: Callable[[Iterable[Any]], Any] = with_names("Row", names, rename=True)._make
    return make


@lru_cache(maxsize=1_000)
def _text(statement: str, dialect: str, lists: tuple[tuple[str, int], ...]) -> tuple[str, tuple[str, ...]]:
    names: list[str] = []
    counts = dict(lists)

    def placed(match: re.Match[str]) -> str:
        names.append(match.group(1))
        return "?" if dialect == SQLITE else f"${len(names)}"

    def placed_list(match: re.Match[str]) -> str:
        name = match.group(1)
        return f"IN (:{name}{', ?' * (counts[name] - 1)})" if dialect == SQLITE else f"= ANY(:{name}::text[])"

    text = SCALAR.sub(placed, LIST.sub(placed_list, statement))
    return (LOCKING.sub("", text) if dialect == SQLITE else text), tuple(names)


def _batches(dialect: Dialect, rows: Sequence[Given]) -> Iterable[Sequence[Given]]:
    if dialect.name != SQLITE:
        return [rows] if rows else []
    return (rows[first : first + AT_ONCE] for first in range(0, len(rows), AT_ONCE))


@lru_cache(maxsize=1_000)
def _insert_text(table: Table, names: tuple[str, ...], dialect: str, count: int, *, ignore: bool) -> str:
    into = f"INSERT INTO {table.name} ({', '.join(names)}) {_source(columns_of(table, names), dialect, count)}"
    return f"{into} ON CONFLICT DO NOTHING" if ignore else into


@lru_cache(maxsize=1_000)
def _change_text(statement: str, columns: Columns, dialect: str, count: int) -> str:
    names = ", ".join(name for name, _ in columns)
    position = len(columns)

    def placed(_match: re.Match[str]) -> str:
        nonlocal position
        position += 1
        return "?" if dialect == SQLITE else f"${position}"

    return f"WITH given({names}) AS ({_source(columns, dialect, count)}) {SCALAR.sub(placed, statement)}"


def _source(columns: Columns, dialect: str, count: int) -> str:
    if dialect == SQLITE:
        row = f"({', '.join('?' * len(columns))})"
        return f"VALUES {', '.join([row] * count)}"
    arrays = (f"${number}::{KINDS[kind]}[]" for number, (_, kind) in enumerate(columns, start=1))
    return f"SELECT * FROM unnest({', '.join(arrays)})"


@lru_cache(maxsize=100)
def columns_of(table: Table, names: tuple[str, ...]) -> Columns:
    """Return the names with the kinds that the table's columns have."""
    return tuple((name, _kind(table.c[name].type)) for name in names)


def _kind(column_type: TypeEngine[Any]) -> str:
    kinds = {UtcDateTime: "moment", Text: "text", Integer: "int", Float: "float", Boolean: "bool"}
    return next(kind for each, kind in kinds.items() if isinstance(column_type, each))


@lru_cache(maxsize=100)
def _moments(columns: Columns) -> tuple[int, ...]:
    return tuple(number for number, (_, kind) in enumerate(columns) if kind == "moment")


def _parameters(dialect: Dialect, width: int, moments: Sequence[int], rows: Sequence[Given]) -> tuple[Any, ...]:
    if dialect.name != SQLITE:
        return tuple(map(list, zip(*rows, strict=True)))
    flat: list[Any] = []
    for row in rows:
        flat.extend(row)
    texts: dict[int, str] = {}  # most rows hold the same few moments, and each is made into text once
    for column in moments:
        for place in range(column, len(flat), width):
            moment = flat[place]
            if moment is not None:
                text = texts.get(id(moment))
                if text is None:
                    text = texts[id(moment)] = as_text(moment)
                flat[place] = text
    return tuple(flat)


def _stored(dialect: Dialect, value: Any) -> Any:
    return as_text(value) if dialect.name == SQLITE and isinstance(value, datetime) else value
