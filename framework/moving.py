"""The whole state of an application, carried from its database to another one, in one transaction on each."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, TableClause, delete, exists, func, insert, literal, select, table
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from framework.application import Application
from framework.context import AppContext
from framework.database import Database, is_transient
from framework.database.copying import (
    CopyRefused,
    Digest,
    Sides,
    go_on_counting,
    hold_still,
    reflected,
    sides,
    table_names,
)
from framework.errors import one_line
from framework.migrations import Migrations, upgrade
from framework.phases import Phases

BATCH = 1_000  # rows that are read, and written, at a time
VERSIONS = "alembic_version_"

InUse = Callable[[AppContext], Awaitable[Sequence[str]]]
Told = Callable[[str, int, int], None]
"""Called with a table's name, how many of its rows are done, and how many there are."""


@dataclass(frozen=True, slots=True)
class Moved:
    """What was carried over, by table `{"rows", "digest"}`; and the tables that were left, with their rows."""

    tables: dict[str, dict[str, Any]]
    left: dict[str, int]


async def move(
    source: Application, target: Application, *, in_use: Sequence[InUse], told: Told, replace: bool = False
) -> Moved:
    """Copy every row of every table that the modules' migrations make; the source stays as it is.

    The target's tables are made or brought up to date; rows in them are refused, or with `replace` deleted. All rows
    come over or none: before the end they are read again and compared. Raises `CopyRefused`, also where either database
    is in use, and what `Application.beside` raises.
    """
    async with source.beside(make_database=False) as old, target.beside(make_database=True) as new:
        here, there = old.app_context.database, new.app_context.database
        if here.url == there.url:
            raise CopyRefused("the application is on this database already")
        places = [Migrations(*place) for place in old.with_tables()]
        await old.look()
        await _refuse_in_use(old, in_use, "the database to move")
        names = await _made_by(places)
        if not replace:
            await _refuse_rows(there, names)
        await new.migrate()
        await new.look()
        await _refuse_in_use(new, in_use, "the database to move to")
        return await _carry(here, there, names, told)


async def _refuse_in_use(phases: Phases, in_use: Sequence[InUse], which: str) -> None:
    for ask in in_use:
        if reasons := await ask(phases.app_context):
            raise CopyRefused(f"{which} is in use: {'; '.join(reasons)}")


async def _made_by(places: Sequence[Migrations]) -> set[str]:
    """Return the tables that these migrations make, by letting them."""
    scratch = Database("sqlite+aiosqlite:///:memory:")
    try:
        await upgrade(scratch, places)
        return await scratch.read(table_names) - {place.version_table for place in places}
    finally:
        await scratch.close()


async def _refuse_rows(database: Database, names: set[str]) -> None:
    def occupied(connection: Connection) -> list[str]:
        found = (table(name) for name in sorted(names & table_names(connection)))
        return [each.name for each in found if connection.scalar(select(exists(select(literal(1)).select_from(each))))]

    if filled := await database.read(occupied):
        raise CopyRefused(f"there are rows in {', '.join(filled)} already; --replace deletes them")


async def _carry(old: Database, new: Database, names: set[str], told: Told) -> Moved:
    async with _transaction(old) as source, _transaction(new) as target:
        there = {each.name: each for each in await source.run_sync(reflected, names)}
        here = await target.run_sync(reflected, names)
        await source.run_sync(hold_still, there.values())
        await target.run_sync(hold_still, here)
        for each in reversed(here):
            await target.execute(delete(each))
        tables = {}
        for each in here:
            async with _naming(each.name):
                both = sides(there[each.name], each, (old.dialect, new.dialect))
                tables[each.name] = await _carry_table(source, target, both, told)
                await target.run_sync(go_on_counting, each)
        others = {name for name in await source.run_sync(table_names) - names if not name.startswith(VERSIONS)}
        return Moved(tables, {name: await _count(source, table(name)) for name in sorted(others)})


async def _carry_table(source: AsyncConnection, target: AsyncConnection, both: Sides, told: Told) -> dict[str, Any]:
    """Copy the rows of a table, and compare what has arrived: `{"rows", "digest"}`."""
    total, sent, arrived = await _count(source, both.source), Digest(both.of_json), Digest(both.of_json)
    async for rows in _batches(source, both.source):
        await target.execute(insert(both.target), rows)
        sent.add(rows)
        told(both.source.name, sent.rows, total)
    async for rows in _batches(target, both.target):
        arrived.add(rows)
    if (sent.rows, sent.text) != (arrived.rows, arrived.text):
        raise CopyRefused("what arrived is not what was sent; nothing was moved")
    return {"rows": arrived.rows, "digest": arrived.text}


async def _batches(connection: AsyncConnection, rows_of: TableClause) -> AsyncIterator[list[dict[str, Any]]]:
    result = await connection.stream(select(*rows_of.columns))
    async for rows in result.mappings().partitions(BATCH):
        yield [dict(row) for row in rows]


async def _count(connection: AsyncConnection, rows_of: TableClause) -> int:
    return (await connection.execute(select(func.count()).select_from(rows_of))).scalar_one()


@asynccontextmanager
async def _transaction(database: Database) -> AsyncIterator[AsyncConnection]:
    try:
        async with database.begin() as connection:
            yield connection
    except DBAPIError as error:
        if is_transient(error):
            raise CopyRefused(f"the database {database.url} is in use, or gone: {one_line(error)}") from error
        raise


@asynccontextmanager
async def _naming(name: str) -> AsyncIterator[None]:
    """Have what goes wrong within name the table."""
    try:
        yield
    except CopyRefused as refusal:
        raise CopyRefused(f"table {name}: {refusal}") from refusal
    except (DBAPIError, ValueError, TypeError) as error:
        if is_transient(error):
            raise
        raise CopyRefused(f"table {name}: {one_line(error)}; nothing was moved") from error
