"""A SQLite file used from threads: a transaction is one visit to one, however many statements it has."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Callable
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy import URL, Connection
from sqlalchemy.exc import DBAPIError

from framework.clock import SystemClock
from framework.database.engines import BUSY_TIMEOUT, take_write_lock, thread_engine
from framework.database.worker import FairLock, Worker

if TYPE_CHECKING:
    from collections.abc import Iterator

T = TypeVar("T")

BEGIN_WRITING = "BEGIN IMMEDIATE"
NEVER_WAIT = "PRAGMA busy_timeout = 0"  # for who begins waits itself
HARDLY_WAIT = "PRAGMA busy_timeout = 50"  # ms, for which the event loop may stand still
SETTLED_SECONDS = 1.0


class SqliteFile:
    """One writer and a few readers, each a thread with a connection of its own, opened when first needed.

    Whoever shares the `gate` takes turns in writing, in order; other processes' writers are waited for by asking often.
    """

    def __init__(self, url: URL, *, synchronous: str, readers: int, gate: FairLock) -> None:
        self._writer = _Thread(url, "database writer", synchronous=synchronous, reading=False, patience=NEVER_WAIT)
        self._idle = [
            _Thread(url, f"database reader {number}", synchronous=synchronous, reading=True)
            for number in range(readers)
        ]
        self._readers = tuple(self._idle)
        self._here = _Thread(url, "none", synchronous=synchronous, reading=True, patience=HARDLY_WAIT)
        self._gate = gate
        self._path = str(url.database)
        self._number = 0
        self._unchanged: tuple[tuple[int, int], ...] | None = None

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Do the work in one transaction of the writer; cancelled meanwhile, it is carried to its end first."""
        return await self._writer.worker.do(lambda: self._write(work))

    async def alter(self, work: Callable[[Connection], T]) -> T:
        """Like `write`, with foreign keys unenforced until the end."""
        return await self._writer.worker.do(lambda: self._alter(work))

    async def upkeep(self, *statements: str) -> None:
        """Execute statements, one after another, each of which is a transaction of its own or can be in none."""
        await self._writer.worker.do(lambda: self._upkeep("; ".join(statements)))

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Do the work on one snapshot; never more of them at once than there are readers."""
        reader = self._idle.pop()
        try:
            return await reader.worker.do(lambda: _read(reader, work))
        finally:
            self._idle.append(reader)

    def glance(self, work: Callable[[Connection], T]) -> T:
        """Do the work on one snapshot in the thread of whoever calls, always the same one, and hardly wait for others.

        Raises `OperationalError` where the file is locked.
        """
        return _read(self._here, work)

    def version(self) -> int:
        """Return the number that changes when any other connection commits; to be called where `glance` is."""
        files = self._files()
        if files is None or files != self._unchanged:
            self._number = self._version()
            self._unchanged = files if self._have_settled(files) else None
        return self._number

    def _files(self) -> tuple[tuple[int, int], ...] | None:
        """Return the last change and the size of the file and its log; None while they are not both there."""
        try:
            return tuple((stat.st_mtime_ns, stat.st_size) for stat in map(os.stat, (self._path, f"{self._path}-wal")))
        except OSError:
            return None

    def _have_settled(self, files: tuple[tuple[int, int], ...] | None) -> bool:
        """Whether another commit would leave another mark: times of files are coarse."""
        now = SystemClock().now().timestamp()
        return files is not None and all(changed / 1e9 < now - SETTLED_SECONDS for changed, _ in files)

    def _version(self) -> int:
        return int(self._here.raw().execute("PRAGMA data_version").fetchone()[0])

    async def close(self) -> None:
        """Close every connection, after what it has been given."""
        threads = (self._writer, *self._readers)
        await asyncio.gather(*(thread.worker.do(thread.close) for thread in threads if thread.worker.has_begun))
        for thread in threads:
            thread.worker.end()
        self._here.close()

    def _write(self, work: Callable[[Connection], T]) -> T:
        with self._gate, self._writer.transaction(BEGIN_WRITING, "COMMIT") as connection:
            return work(connection)

    def _upkeep(self, statements: str) -> None:
        raw = self._writer.raw()
        with self._gate:
            raw.execute(f"PRAGMA busy_timeout = {round(BUSY_TIMEOUT * 1000)}")
            try:
                raw.executescript(statements)  # unlike execute, to the end of each
            except sqlite3.Error as error:
                raise DBAPIError.instance(statements, None, error, sqlite3.Error) from error
            finally:
                raw.execute(NEVER_WAIT)

    def _alter(self, work: Callable[[Connection], T]) -> T:
        raw = self._writer.raw()
        raw.execute("PRAGMA foreign_keys = OFF")  # without effect once a transaction has begun
        try:
            return self._write(work)
        finally:
            raw.execute("PRAGMA foreign_keys = ON")


def _read(reader: _Thread, work: Callable[[Connection], T]) -> T:
    with reader.transaction("BEGIN", "ROLLBACK") as connection:
        return work(connection)


class _Thread:
    """A worker and the connection that only it uses.

    SQLAlchemy is given one endless transaction of its own, and the real ones begin and end below it: opening a
    connection and a transaction object for each costs more than the statements of a small one.
    """

    def __init__(self, url: URL, name: str, *, synchronous: str, reading: bool, patience: str = "") -> None:
        self.worker = Worker(name)
        self._patience = patience
        self._engine = thread_engine(url, synchronous=synchronous, reading=reading)
        self._connection: Connection | None = None

    def raw(self) -> sqlite3.Connection:
        """Return the driver's connection, opened if need be."""
        raw = self._opened().connection.driver_connection
        assert isinstance(raw, sqlite3.Connection)  # noqa: S101  # what the engine's driver gives
        return raw

    @contextmanager
    def transaction(self, begin: str, end: str) -> Iterator[Connection]:
        raw = self.raw()
        _execute(raw, begin)
        try:
            yield self._opened()
            _execute(raw, end)
        except BaseException:
            self._undo(raw)
            raise

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(sqlite3.Error, DBAPIError):
                connection.invalidate()
            connection.close()
        self._engine.dispose()

    def _opened(self) -> Connection:
        if self._connection is None:
            self._connection = self._engine.connect()
            self._connection.begin()
            if self._patience:
                self._connection.exec_driver_sql(self._patience)
        return self._connection

    def _undo(self, raw: sqlite3.Connection) -> None:
        try:
            if raw.in_transaction:
                raw.execute("ROLLBACK")
        except sqlite3.Error:
            self.close()  # a connection in an unknown state is not used again


def _execute(raw: sqlite3.Connection, statement: str) -> None:
    try:
        take_write_lock(raw) if statement == BEGIN_WRITING else raw.execute(statement)
    except sqlite3.Error as error:
        raise DBAPIError.instance(statement, None, error, sqlite3.Error) from error
