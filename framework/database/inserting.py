"""Inserting on PostgreSQL in one round trip: a transaction of one statement needs no begin and no commit."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import URL, Connection, Table

from framework.database.engines import driver_options
from framework.database.failures import translated
from framework.database.location import POSTGRESQL
from framework.database.rows import KINDS, Columns, Places, alike_among, columns_of, insert_rows, run

if TYPE_CHECKING:
    import asyncpg

Shape = tuple[Table, tuple[str, ...], Places]  # which columns, and of which of them one value is given
MANY = 50  # rows, from which on it is looked for what all have in common


class Insertion(NamedTuple):
    """Rows for one table, each the values of the named columns in their order; taken keys leave a row out."""

    table: Table
    names: tuple[str, ...]
    rows: Sequence[Sequence[Any]]


class Notice(NamedTuple):
    """What is told to the listeners of a channel at the commit."""

    channel: str
    payload: str


class Inserter:
    """A connection of its own to PostgreSQL, opened when first needed and again after it was lost."""

    def __init__(self, url: URL) -> None:
        self._options = driver_options(url, pooled=False)
        self._connection: asyncpg.Connection | None = None
        self._turn = asyncio.Lock()

    async def insert(self, insertions: Sequence[Insertion], notice: Notice | None) -> None:
        """Insert all rows or none. Lost on the way, it may have been done; the same ids again change nothing."""
        shapes: list[Shape] = []
        values: list[Any] = []
        for each in insertions:
            alike, of_columns = given(each.rows)
            shapes.append((each.table, each.names, alike))
            values += of_columns
        if notice is not None:
            values += notice
        text = _statement(tuple(shapes), told=notice is not None)
        async with self._turn:
            try:
                connection = await self._open()
                await connection.execute(text, *values)
            except Exception as error:
                raise translated(error, text) from error

    async def close(self) -> None:
        """Close the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def _open(self) -> asyncpg.Connection:
        import asyncpg

        if self._connection is None or self._connection.is_closed():
            self._connection = await asyncpg.connect(**self._options)
        return self._connection


def insert_all(c: Connection, insertions: Sequence[Insertion], notice: Notice | None) -> None:
    """Insert all rows as part of a transaction."""
    for each in insertions:
        insert_rows(c, each.table, each.names, each.rows, ignore=True)
    if notice is not None and c.dialect.name == POSTGRESQL:
        run(c, "SELECT pg_notify(:channel, :payload)", channel=notice.channel, payload=notice.payload)


def given(rows: Sequence[Sequence[Any]]) -> tuple[Places, list[Any]]:
    """Return the columns whose value is given once, and for each column its value or all its values.

    Of many rows, those are the columns in which all have the same: to be given an array of them takes the driver longer
    than all else does. Of few it would make too many texts that the server has to prepare.
    """
    if len(rows) == 1:
        return tuple(range(len(rows[0]))), list(rows[0])
    columns = list(zip(*rows, strict=True))
    alike = alike_among(columns) if len(rows) >= MANY else ()
    return alike, [column[0] if place in alike else list(column) for place, column in enumerate(columns)]


@lru_cache(maxsize=100)
def _statement(shapes: tuple[Shape, ...], *, told: bool) -> str:
    parts: list[str] = []
    position = 1
    for number, (table, names, alike) in enumerate(shapes):
        source = _source(columns_of(table, names), position, alike)
        into = f"INSERT INTO {table.name} ({', '.join(names)}) {source} ON CONFLICT DO NOTHING"
        parts.append(f"inserted_{number} AS ({into})")
        position += len(names)
    end = f"SELECT pg_notify(${position}::text, ${position + 1}::text)" if told else "SELECT 1"
    return f"WITH {', '.join(parts)} {end}"


def _source(columns: Columns, position: int, alike: Places) -> str:
    own: dict[str, str] = {}
    values: list[str] = []
    for number, (name, kind) in enumerate(columns):
        parameter = f"${position + number}::{KINDS[kind]}"
        values.append(parameter if number in alike else name)
        if number not in alike:
            own[name] = f"{parameter}[]"
    source = f"SELECT {', '.join(values)}"
    return f"{source} FROM unnest({', '.join(own.values())}) AS own({', '.join(own)})" if own else source
