"""A PostgreSQL server: transactions that begin and end below SQLAlchemy, on connections that stay open."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from sqlalchemy import URL, Connection
from sqlalchemy.ext.asyncio import AsyncConnection

from framework.database.engines import bounding, plain_postgresql_engine
from framework.database.failures import is_lost, translated
from framework.database.worker import to_the_end

T = TypeVar("T")
BEGIN_WRITING = "BEGIN ISOLATION LEVEL READ COMMITTED"
BEGIN_READING = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
PLANNED_ONCE = (
    "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; SET enable_sort = off;"
    " SET enable_bitmapscan = off; SET default_transaction_read_only = on"
)
"""How a session walks along indexes by plans that hold for all values, and for a table that was small when they were
made: to plan a page of tasks takes longer than to find it."""


class Server:
    """Some writers and some readers; whoever uses them gives out the turns, never more than there are.

    SQLAlchemy is given an endless transaction of its own on each connection: taking one from a pool, asking whether it
    lives, and a transaction object for each of ours cost more than the statements of a small one.
    """

    def __init__(self, url: URL, *, pooled: bool) -> None:
        self._engine = plain_postgresql_engine(url, pooled=pooled)
        self._bounds = bounding(pooled=pooled)
        self._idle: dict[str, list[AsyncConnection]] = {BEGIN_WRITING: [], BEGIN_READING: [], PLANNED_ONCE: []}

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Do the work in one transaction that sees what was committed last."""
        async with self._transaction(BEGIN_WRITING, "COMMIT") as connection:
            return await connection.run_sync(work)

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Do the work on one snapshot."""
        async with self._transaction(BEGIN_READING, "ROLLBACK") as connection:
            return await connection.run_sync(work)

    async def glance(self, work: Callable[[Connection], T], *, planned_once: bool = False) -> T:
        """Do reading work of one statement or few, each of which has a snapshot of its own: no transaction is begun.

        It is done anew where the connection was lost meanwhile, and with a transaction behind a pooler. Whoever is
        cancelled meanwhile leaves a connection that is thrown away. `planned_once`: see `PLANNED_ONCE`.
        """
        kind = PLANNED_ONCE if planned_once else BEGIN_READING
        idle = self._idle.get(kind)
        if self._bounds or idle is None or not (idle or planned_once):
            return await to_the_end(self.read(work))
        connection = idle.pop() if idle else await self._opened(kind)
        try:
            done = await connection.run_sync(work)
        except Exception as error:
            if not is_lost(error):
                await self._give_back(kind, connection)
                raise
            await _throw_away(connection)
            return await to_the_end(self.read(work))
        except BaseException:
            await _throw_away(connection)
            raise
        await self._give_back(kind, connection)
        return done

    async def close(self) -> None:
        """Close the connections that nobody uses; the others are closed when they are given back."""
        idle, self._idle = self._idle, {}
        for connections in idle.values():
            for connection in connections:
                await connection.close()
        await self._engine.dispose()

    @asynccontextmanager
    async def _transaction(self, begin: str, end: str) -> AsyncIterator[AsyncConnection]:
        connection = await self._begun(begin)
        try:
            yield connection
            await _execute(connection, end)
        except BaseException:
            if await _undone(connection):
                await self._give_back(begin, connection)
            raise
        await self._give_back(begin, connection)

    async def _begun(self, begin: str) -> AsyncConnection:
        """Return a connection on which a transaction has begun; one that was lost while idle costs nobody an error."""
        idle = self._idle.get(begin, [])
        while idle:
            connection = idle.pop()
            try:
                await _execute(connection, begin + self._bounds)
            except Exception as error:
                await _throw_away(connection)
                if not is_lost(error):
                    raise
            else:
                return connection
        return await self._opened(begin + self._bounds)

    async def _opened(self, first: str) -> AsyncConnection:
        """Return a new connection on which this has been executed."""
        connection = await self._engine.connect()
        try:
            await connection.begin()
            await _execute(connection, first)
        except BaseException:
            await _throw_away(connection)
            raise
        return connection

    async def _give_back(self, begin: str, connection: AsyncConnection) -> None:
        if begin in self._idle:
            self._idle[begin].append(connection)
        else:  # closed meanwhile
            await connection.close()


async def _undone(connection: AsyncConnection) -> bool:
    """Roll back; False where that failed: a connection in an unknown state is not used again."""
    try:
        await _execute(connection, "ROLLBACK")
    except Exception:  # noqa: BLE001  # the boundary: the first error counts, and this connection is thrown away
        await _throw_away(connection)
        return False
    return True


async def _execute(connection: AsyncConnection, statement: str) -> None:
    raw: Any = (await connection.get_raw_connection()).driver_connection
    try:
        await raw.execute(statement)
    except Exception as error:
        raise translated(error, statement) from error


async def _throw_away(connection: AsyncConnection) -> None:
    await connection.invalidate()
    await connection.close()
