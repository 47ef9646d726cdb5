"""What tests ask of a PostgreSQL server beside the product."""

from __future__ import annotations

import secrets
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import URL

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


def address(server: URL, database: str) -> str:
    """Return the URL of one of its databases, as an application is given it."""
    return server.set(drivername="postgresql+asyncpg", database=database).render_as_string(hide_password=False)


async def run_sql(server: URL, statement: str) -> None:
    """Run a statement for the whole server, such as the making of a database."""
    async with _connection(server) as admin:
        await admin.execute(statement)


class Made(NamedTuple):
    """A database as it was made."""

    name: str
    shape: str
    "What it consists of beside rows; see SHAPE."
    filled: tuple[str, ...]
    "The tables that had rows from the beginning."
    rows: str
    "What those rows were."
    is_bare: bool
    "Whether it had no tables."


class Databases:
    """Databases for one test after the other: one that a test left as it was made is emptied and serves the next.

    To drop one costs the server a checkpoint; to empty one costs a few small files. For every test it has a new name,
    so that nothing left over from an earlier one reaches it.
    """

    def __init__(self, server: URL) -> None:
        self._server = server
        self._spare: dict[str, Made] = {}

    async def take(self, template: str) -> Made:
        """Return a database that is as this template is."""
        name = f"test_{secrets.token_hex(8)}"
        spare = self._spare.pop(template, None)
        if spare is not None:
            await run_sql(self._server, f"ALTER DATABASE {spare.name} RENAME TO {name}")
            return spare._replace(name=name)
        await run_sql(self._server, f"CREATE DATABASE {name} TEMPLATE {template}")
        async with _connection(self._server, name) as connection:
            filled = tuple([each[0] for each in await connection.fetch(FILLED)])
            is_bare = not await connection.fetchval("SELECT count(*) FROM pg_class WHERE oid >= 16384")
            return Made(name, await connection.fetchval(SHAPE), filled, await _rows(connection, filled), is_bare)

    async def give_back(self, template: str, made: Made) -> None:
        """Empty a database for the next test, or drop it where more than rows has changed."""
        await run_sql(
            self._server, f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{made.name}'"
        )
        if template not in self._spare and await self._is_as_made(made):
            self._spare[template] = made
        else:
            await run_sql(self._server, f"DROP DATABASE IF EXISTS {made.name} WITH (FORCE)")

    async def _is_as_made(self, made: Made) -> bool:
        async with _connection(self._server, made.name) as connection:
            if made.is_bare:
                await connection.execute(BARE)
            if await connection.fetchval(SHAPE) != made.shape or await _rows(connection, made.filled) != made.rows:
                return False
            used = [each[0] for each in await connection.fetch(FILLED) if each[0] not in made.filled]
            if used:
                await connection.execute(f"TRUNCATE {', '.join(used)} RESTART IDENTITY")
            return True


FILLED = """
SELECT oid::regclass::text FROM pg_class WHERE oid >= 16384 AND relkind = 'r' AND pg_relation_size(oid) > 0 ORDER BY 1
"""
BARE = """
DROP SCHEMA public CASCADE;
CREATE SCHEMA public AUTHORIZATION pg_database_owner;
GRANT USAGE ON SCHEMA public TO PUBLIC;
"""
SHAPE = """
SELECT md5(string_agg(each, ' ' ORDER BY each)) FROM (
    SELECT concat('class ', oid, relname, relkind, relnatts, relhastriggers, reloptions, relacl) FROM pg_class
        WHERE oid >= 16384
    UNION ALL SELECT concat('column ', attrelid, attnum, ' ', xmin) FROM pg_attribute WHERE attrelid >= 16384
    UNION ALL SELECT concat('index ', indexrelid, ' ', xmin) FROM pg_index WHERE indexrelid >= 16384
    UNION ALL SELECT concat('constraint ', oid, ' ', xmin) FROM pg_constraint WHERE oid >= 16384
    UNION ALL SELECT concat('trigger ', oid, ' ', xmin) FROM pg_trigger
    UNION ALL SELECT concat('function ', oid, ' ', xmin) FROM pg_proc WHERE oid >= 16384
    UNION ALL SELECT concat('schema ', nspname, nspowner, nspacl) FROM pg_namespace WHERE nspname NOT LIKE 'pg\\_%temp%'
    UNION ALL SELECT concat('statistics ', starelid, ' ', staattnum) FROM pg_statistic WHERE starelid >= 16384
    UNION ALL SELECT concat('setting ', setconfig) FROM pg_db_role_setting WHERE setdatabase <> 0
) AS shape(each)
"""
"What a database consists of beside its rows, in one word."


async def _rows(connection: Any, tables: tuple[str, ...]) -> str:
    rows = [await connection.fetch(f"SELECT {table}::text FROM {table} ORDER BY 1") for table in tables]
    return str([[each[0] for each in table] for table in rows])


@asynccontextmanager
async def _connection(server: URL, database: str | None = None) -> AsyncIterator[Any]:
    import asyncpg

    url = server.set(drivername="postgresql", database=database or server.database)
    connection = await asyncpg.connect(url.render_as_string(hide_password=False))
    try:
        yield connection
    finally:
        await connection.close()
