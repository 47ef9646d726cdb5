"""Many rows in one statement, for the roads on which a statement for each would cost most of the time.

Such statements go to the driver as text: SQLAlchemy would build the text anew, and convert row by row, at each call.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import lru_cache, partial
from itertools import chain
from typing import Any

from sqlalchemy import Boolean, Connection, Dialect, Float, Integer, Table, Text
from sqlalchemy.types import TypeEngine

from framework.database import driver
from framework.database.location import SQLITE
from framework.database.moments import UtcDateTime, as_text

AT_ONCE = 50  # rows of one SQLite statement: a text for each number of them is kept prepared
FEW = 4  # rows of which it does not pay to look for what they have in common
SCALAR = re.compile(r"(?<!:):(\w+)")
LIST = re.compile(r"IN \(:(\w+)\)")
MATCH = re.compile(r"(\w+\.\w+) = given\.(\w+)")
LOCKING = re.compile(r"FOR UPDATE(?: OF \w+)?(?: SKIP LOCKED)?")

Given = Sequence[Any]
Columns = tuple[tuple[str, str], ...]
Places = tuple[int, ...]
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
    for values, count, alike in _given(c.dialect, moments, rows):
        text = _insert_text(table, columns, c.dialect.name, count, alike, ignore=ignore)
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
    for of_rows, count, alike in _given(c.dialect, moments, rows):
        text = _change_text(statement, columns, c.dialect.name, count, alike)
        returned += driver.execute(c, text, (*of_rows, *values)).rows
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
    return _read(value) if isinstance(value, str) else value


@lru_cache(maxsize=1_000)  # many rows hold the same few moments, also when they are written again
def _read(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
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


@lru_cache(maxsize=1_000)
def _insert_text(table: Table, names: tuple[str, ...], dialect: str, count: int, alike: Places, *, ignore: bool) -> str:
    source = _source(columns_of(table, names), dialect, count, alike)
    into = f"INSERT INTO {table.name} ({', '.join(names)}) {source}"
    return f"{into} ON CONFLICT DO NOTHING" if ignore else into


@lru_cache(maxsize=1_000)
def _change_text(statement: str, columns: Columns, dialect: str, count: int, alike: Places) -> str:
    names = ", ".join(name for name, _ in columns)
    position = len(columns)

    def placed(_match: re.Match[str]) -> str:
        nonlocal position
        position += 1
        return "?" if dialect == SQLITE else f"${position}"

    text = SCALAR.sub(placed, statement)
    if dialect != SQLITE:
        text = MATCH.sub(partial(_by_key, columns), text)
    return f"WITH given({names}) AS ({_source(columns, dialect, count, alike)}) {text}"


def _by_key(columns: Columns, match: re.Match[str]) -> str:
    """Say which keys a join is about: PostgreSQL reads the whole of what it takes for a small table otherwise."""
    number, (_, kind) = next((n, each) for n, each in enumerate(columns, start=1) if each[0] == match.group(2))
    return f"{match.group(0)} AND {match.group(1)} = ANY(${number}::{KINDS[kind]}[])"


def _source(columns: Columns, dialect: str, count: int, alike: Places) -> str:
    if dialect == SQLITE:
        row = f"({', '.join('?' * (len(columns) - len(alike)))})"
        values = f"VALUES {', '.join([row] * count)}"
        return values if not alike else _with_alike(columns, alike, values)
    arrays = (f"${number}::{KINDS[kind]}[]" for number, (_, kind) in enumerate(columns, start=1))
    return f"SELECT * FROM unnest({', '.join(arrays)})"


def _with_alike(columns: Columns, alike: Places, values: str) -> str:
    """Write rows of which some columns have one value for all, which is given after those of the others."""
    own = [name for place, (name, _) in enumerate(columns) if place not in alike]
    all_of_them = ["?" if place in alike else name for place, (name, _) in enumerate(columns)]
    return f"WITH own({', '.join(own)}) AS ({values}) SELECT {', '.join(all_of_them)} FROM own WHERE true"


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
def _moments(columns: Columns) -> Places:
    return tuple(number for number, (_, kind) in enumerate(columns) if kind == "moment")


def _given(dialect: Dialect, moments: Places, rows: Sequence[Given]) -> Iterator[tuple[tuple[Any, ...], int, Places]]:
    """Yield for each statement its values, of how many rows they are, and the columns in which all have the same.

    What all have is given once: to be given a value takes SQLite longer than to store it.
    """
    if not rows:
        return
    columns: list[Sequence[Any]] = list(zip(*rows, strict=True))
    if dialect.name != SQLITE:
        yield tuple(map(list, columns)), len(rows), ()
        return
    alike = alike_among(columns) if len(rows) >= FEW else ()
    texts: dict[int, str] = {}  # most rows hold the same few moments, and each is made into text once
    for place in moments:
        columns[place] = _as_texts(columns[place], texts)
    own = [column for place, column in enumerate(columns) if place not in alike]
    once = [columns[place][0] for place in alike]
    for first in range(0, len(rows), AT_ONCE):
        parts = [column[first : first + AT_ONCE] for column in own]
        yield (*chain.from_iterable(zip(*parts, strict=True)), *once), len(parts[0]), alike


def alike_among(columns: Sequence[Sequence[Any]]) -> Places:
    """Return the places of the columns in which all rows have the same; one column at least is left out."""
    found = [place for place, column in enumerate(columns) if column.count(column[0]) == len(column)]
    return tuple(found[: len(columns) - 1])


def _as_texts(moments: Sequence[datetime | None], texts: dict[int, str]) -> list[str | None]:
    for moment in moments:
        if moment is not None and id(moment) not in texts:
            texts[id(moment)] = as_text(moment)
    return [texts.get(id(moment)) for moment in moments]


def stored(dialect: Dialect, value: Any) -> Any:
    """Return a value as the database stores it: a moment of SQLite's is text."""
    return as_text(value) if dialect.name == SQLITE and isinstance(value, datetime) else value
