"""The database: one transaction at a time for whoever writes, one snapshot for whoever reads."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import Connection, func, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from framework.clock import Clock, SystemClock
from framework.database.altering import alone, checked, enforce_foreign_keys
from framework.database.engines import (
    ALTERING,
    READING,
    SYNCHRONOUS,
    memory_engine,
    postgresql_engine,
    sqlite_engine,
)
from framework.database.file import SqliteFile
from framework.database.inserting import Inserter, Insertion, Notice, insert_all
from framework.database.location import POSTGRESQL, SQLITE, locate, path_of
from framework.database.metering import metered
from framework.database.server import Server
from framework.database.worker import FairLock, to_the_end

T = TypeVar("T")
Way = TypeVar("Way", SqliteFile, Server, Inserter)
WRITERS = {SQLITE: 1, POSTGRESQL: 5}
READERS = 3


class Database:
    """One database and this process's connections to it, for use in one event loop.

    `synchronous` is how SQLite commits: `full` survives a power loss, `normal` may lose the last commits to one.
    `pooled`: a pooler stands before PostgreSQL and gives each transaction another session. What shares a `gate` takes
    turns in writing to a file. A wrong URL raises `DatabaseUrlError`; nothing is opened before the first transaction.
    """

    def __init__(
        self, url: str, *, synchronous: str = "full", pooled: bool = False, gate: FairLock | None = None
    ) -> None:
        if synchronous not in SYNCHRONOUS:
            raise ValueError(f"{synchronous!r} is not a way to commit; use 'full' or 'normal'")
        self.url = locate(url)
        self.dialect = self.url.get_backend_name()
        self.path = path_of(self.url)
        self.is_memory = self.dialect == SQLITE and self.path is None
        self._synchronous = synchronous
        self._pooled = pooled
        self._gate = gate or FairLock()
        self._writer, self._reader = self._engines()
        self._file = self._file_of()
        self._server = Server(self.url, pooled=pooled) if self.dialect == POSTGRESQL else None
        # One statement cannot say how long it may wait for a lock, which behind a pooler nothing else says.
        self._inserter = Inserter(self.url) if self.dialect == POSTGRESQL and not pooled else None
        self._write_turns = asyncio.Semaphore(WRITERS[self.dialect])
        self._read_turns = self._write_turns if self.is_memory else asyncio.Semaphore(READERS)
        self._writing: set[asyncio.Task[Any] | None] = set()
        self._closed = False

    def _engines(self) -> tuple[AsyncEngine, AsyncEngine]:
        if self.is_memory:
            engine = memory_engine(self._synchronous)
            return engine, engine.execution_options(**{READING: True})
        writers = WRITERS[self.dialect]
        if self.dialect == POSTGRESQL:
            reader = postgresql_engine(self.url, reading=True, pooled=self._pooled, pool_size=READERS)
            return postgresql_engine(self.url, reading=False, pooled=self._pooled, pool_size=writers), reader
        reader = sqlite_engine(self.url, synchronous=self._synchronous, reading=True, pool_size=READERS)
        return sqlite_engine(self.url, synchronous=self._synchronous, reading=False, pool_size=writers), reader

    def _file_of(self) -> SqliteFile | None:
        if self.path is None:
            return None
        return SqliteFile(self.url, synchronous=self._synchronous, readers=READERS, gate=self._gate)

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Do the work in one transaction: committed when it returns, rolled back when it raises.

        Cancelled while it waits for its turn, it never begins; later, it is carried to its end first.

        Writers take turns, first come first served. Locked for longer than the busy timeout raises OperationalError.
        """
        self.refuse_nesting()
        async with self._write_turns:
            if self._file is not None:
                return await self._opened(self._file).write(work)
            return await to_the_end(
                self._write(work) if self._server is None else self._opened(self._server).write(work)
            )

    async def insert(self, insertions: Sequence[Insertion], notice: Notice | None = None) -> None:
        """Insert rows in a transaction of their own, in one round trip where the database has any.

        Rows whose keys are taken are left out, so that the same rows can be given again when nobody knows whether they
        came in. `notice` is told at the commit.
        """
        if self._inserter is None:
            await self.write(lambda c: insert_all(c, insertions, notice))
            return
        self.refuse_nesting()
        await to_the_end(self._opened(self._inserter).insert(insertions, notice))

    async def alter(self, work: Callable[[Connection], T]) -> T:
        """Like `write`, for changing the schema: one process at a time, and SQLite checks foreign keys at the end."""
        self.refuse_nesting()
        async with self._write_turns:
            return await to_the_end(self._alter(work))

    async def upkeep(self, *statements: str) -> None:
        """Execute statements that no transaction can hold, such as VACUUM, on a SQLite file; no writer writes then."""
        self.refuse_nesting()
        if self._file is None:
            raise ValueError("there is no file to look after")
        async with self._write_turns:
            await self._opened(self._file).upkeep(*statements)

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Do the work on one read-only snapshot; but for a database in memory, no writer waits for it."""
        if self.is_memory:
            self.refuse_nesting()
        work = metered(work)
        async with self._read_turns:
            if self._file is not None:
                return await self._opened(self._file).read(work)
            return await to_the_end(self._read(work) if self._server is None else self._opened(self._server).read(work))

    async def glance(self, work: Callable[[Connection], T], *, planned_once: bool = False) -> T:
        """Like `read`, for few rows along an index, but each statement may see later commits than the one before.

        On a file the event loop does it, a thread where that is locked: to visit one would cost more than the work.
        `planned_once`: a server plans each statement once for all values, along the index that has its order.
        """
        if self._server is not None:
            async with self._read_turns:
                return await self._opened(self._server).glance(metered(work), planned_once=planned_once)
        if self._file is not None:
            with suppress(OperationalError):
                return self._opened(self._file).glance(metered(work))
        return await self.read(work)

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncConnection]:
        """The transaction of `write` for asynchronous statements; never await foreign code in it, all writers wait."""
        self.refuse_nesting()
        async with self._write_turns, self._connected(self._writer) as connection, connection.begin():
            holder = asyncio.current_task()
            self._writing.add(holder)
            try:
                yield connection
            finally:
                self._writing.discard(holder)

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[AsyncConnection]:
        """The snapshot of `read` for asynchronous statements."""
        if self.is_memory:
            self.refuse_nesting()
        async with self._read_turns, self._connected(self._reader) as connection:
            yield connection

    async def close(self) -> None:
        """Close all connections, those in use when they are given back; a second call changes nothing."""
        is_open, self._closed = not self._closed, True
        if is_open and self._file is not None:
            await self._file.close()
        if self._inserter is not None:
            await self._inserter.close()
        if self._server is not None:
            await self._server.close()
        await self._writer.dispose()
        await self._reader.dispose()

    def clone(self) -> Database:
        """Return the same database with connections of its own, for a thread with an event loop of its own."""
        if self.is_memory:
            raise ValueError("a database in memory is one connection and cannot be cloned; use a file")
        url = self.url.render_as_string(hide_password=False)
        return Database(url, synchronous=self._synchronous, pooled=self._pooled, gate=self._gate)

    async def clock_offset(self, clock: Clock) -> timedelta:
        """Return the database's clock minus this clock; zero on SQLite and for a clock that a test moves."""
        if self.dialect == SQLITE or not isinstance(clock, SystemClock):
            return timedelta(0)
        return await self.read(lambda c: _offset(c, clock))

    async def version(self) -> int | None:
        """Return a number that changes when anybody commits to the file, another process too; None without a file."""
        if self._file is not None:
            await asyncio.sleep(0)  # whoever asks again and again lets the others have their turn
        return None if self._file is None else self._opened(self._file).version()

    def _opened(self, way: Way) -> Way:
        if self._closed:
            raise RuntimeError("the database is closed")
        return way

    async def _write(self, work: Callable[[Connection], T]) -> T:
        async with self._connected(self._writer) as connection, connection.begin():
            return await connection.run_sync(work)

    async def _read(self, work: Callable[[Connection], T]) -> T:
        async with self._connected(self._reader) as connection:
            return await connection.run_sync(work)

    async def _alter(self, work: Callable[[Connection], T]) -> T:
        if self.dialect == POSTGRESQL:
            return await self._write(alone(work))
        if self._file is not None:
            return await self._opened(self._file).alter(checked(work))
        engine = self._writer.execution_options(**{ALTERING: True})
        async with self._connected(engine) as connection:
            try:
                async with connection.begin():
                    return await connection.run_sync(checked(work))
            finally:
                await enforce_foreign_keys(connection)

    @asynccontextmanager
    async def _connected(self, engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
        if self._closed:
            raise RuntimeError("the database is closed")
        async with engine.connect() as connection:
            try:
                yield connection
            finally:
                if self._closed and not connection.closed:
                    await connection.invalidate()  # its pool is gone; given back, it would stay open for ever

    def refuse_nesting(self) -> None:
        """Raise `RuntimeError` within a transaction of `begin`: a second one of the same task would wait for it."""
        if asyncio.current_task() in self._writing:
            raise RuntimeError(
                "this task is already in a transaction, and a second one would wait for it for ever; use its connection"
                " (where that is offered, by passing it on as session=)"
            )


def _offset(c: Connection, clock: Clock) -> timedelta:
    c.execute(select(func.clock_timestamp()))  # begun and prepared, so that only the way is timed
    before = clock.now()
    moment: datetime = c.execute(select(func.clock_timestamp())).scalar_one()
    return moment - (before + (clock.now() - before) / 2)
