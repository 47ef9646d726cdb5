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
from framework.database.rows import KINDS, Columns, columns_of, insert_rows, run

if TYPE_CHECKING:
    import asyncpg


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
        shapes = tuple((each.table, each.names, len(each.rows) == 1) for each in insertions)
        values: list[Any] = []
        for each in insertions:
            values += each.rows[0] if len(each.rows) == 1 else map(list, zip(*each.rows, strict=True))
        if notice is not None:
            values += notice
        text = _statement(shapes, told=notice is not None)
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


@lru_cache(maxsize=100)
def _statement(shapes: tuple[tuple[Table, tuple[str, ...], bool], ...], *, told: bool) -> str:
    parts: list[str] = []
    position = 1
    for number, (table, names, is_one) in enumerate(shapes):
        source = _source(columns_of(table, names), position, is_one=is_one)
        into = f"INSERT INTO {table.name} ({', '.join(names)}) {source} ON CONFLICT DO NOTHING"
        parts.append(f"inserted_{number} AS ({into})")
        position += len(names)
    end = f"SELECT pg_notify(${position}::text, ${position + 1}::text)" if told else "SELECT 1"
    return f"WITH {', '.join(parts)} {end}"


def _source(columns: Columns, position: int, *, is_one: bool) -> str:
    places = [(f"${position + number}", KINDS[kind]) for number, (_, kind) in enumerate(columns)]
    if is_one:
        return f"VALUES ({', '.join(f'{place}::{kind}' for place, kind in places)})"
    return f"SELECT * FROM unnest({', '.join(f'{place}::{kind}[]' for place, kind in places)})"
