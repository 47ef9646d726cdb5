"""Many rows in one statement, for the roads on which a statement for each would cost most of the time.

Such statements go to the driver as text: SQLAlchemy would build the text anew, and convert row by row, at each call.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Boolean, Connection, Dialect, Float, Integer, Table, Text
from sqlalchemy.types import TypeEngine

from framework.database import driver
from framework.database.location import SQLITE
from framework.database.moments import UtcDateTime, as_text

AT_ONCE = 50  # rows of one SQLite statement: a text for each number of them is kept prepared
SCALAR = re.compile(r"(?<!:):(\w+)")
LIST = re.compile(r"IN \(:(\w+)\)")
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
        inserted += driver.execute(c, text, values).changed
    return inserted


def change_rows(c: Connection, statement: str, columns: Columns, rows: Sequence[Given], **scalars: Any) -> list[Any]:
    """Carry out a statement over rows, which it reads as the table `given`; return what it returns.

    `columns` are the names and kinds (`KINDS`) of the rows' values. A scalar is written `:name`; moments among rows and
    scalars are aware datetimes. On SQLite, many rows go in several statements.
    """
    values = tuple(stored(c.dialect, scalars[name]) for name in SCALAR.findall(statement))
    moments = _moments(columns)
    returned: list[Any] = []
    for batch in _batches(c.dialect, rows):
        text = _change_text(statement, columns, c.dialect.name, len(batch))
        returned += driver.execute(c, text, (*_parameters(c.dialect, len(columns), moments, batch), *values)).rows
    return returned


def run(c: Connection, statement: str, **scalars: Any) -> driver.Done:
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
            values.append(stored(c.dialect, value))
    return driver.execute(c, text, tuple(values))


def read_moment(value: str | datetime | None) -> datetime | None:
    """Return the moment that a driver gave; None for a text that is none."""
    if not isinstance(value, str):
        return value
    try:
        return datetime.fromisoformat(value).replace(tzinfo=UTC)
    except ValueError:
        return None


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
    for each, kind in kinds.items():
        if isinstance(column_type, each):
            return kind
    raise TypeError(f"columns of type {column_type!r} are not inserted in bulk; use {', '.join(map(repr, KINDS))}")


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


def stored(dialect: Dialect, value: Any) -> Any:
    """Return a value as the database stores it: a moment of SQLite's is text."""
    return as_text(value) if dialect.name == SQLITE and isinstance(value, datetime) else value
