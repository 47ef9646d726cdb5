"""Engines made safe: how each database is opened, and how its transactions begin."""

from __future__ import annotations

import sqlite3
import threading
import time
from functools import partial
from typing import Any

from sqlalchemy import URL, Connection, Engine, NullPool, StaticPool, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

from framework.clock import SystemClock
from framework.database.location import MEMORY, DatabaseUrlError

BUSY_TIMEOUT = 10.0  # seconds that SQLite waits for another process's writer
ASK_AGAIN = 0.002  # seconds between two questions whether that writer has ended
CONNECT_TIMEOUT = 10.0  # seconds for PostgreSQL to answer
LOCK_TIMEOUT = "10s"  # that PostgreSQL waits for a lock, so that no statement hangs for ever
STILL_TIMEOUT = "10s"  # that a transaction keeps its locks while its process stands still: stopped, or suspended
BOUNDED = {"server_settings": {"lock_timeout": LOCK_TIMEOUT}}
WATCHED = {"server_settings": {**BOUNDED["server_settings"], "idle_in_transaction_session_timeout": STILL_TIMEOUT}}
# Behind a pooler, the next transaction's session does not know what was prepared, nor takes settings of its own.
UNPREPARED = {"statement_cache_size": 0, "prepared_statement_cache_size": 0}
UNKNOWN_TO_DRIVER = {"prepared_statement_cache_size", "prepared_statement_name_func"}  # SQLAlchemy's own options
UNSEEN = 0.005  # seconds after which a connection may be gone, and is asked before it is used
WAL_ATTEMPTS = 100
WAL_PAGES = 4_000  # after which the log is written back into the file: 16 MiB, and a commit that waits for the disk
CACHED_STATEMENTS = 512  # a statement over several rows has a text for each number of them
SYNCHRONOUS = ("full", "normal")
READING = "reading"  # execution option: begin a read-only snapshot
BELOW = "below"  # execution option: transactions begin and end below SQLAlchemy
ALTERING = "altering"  # execution option: begin with foreign keys unenforced


def sqlite_engine(url: URL, *, synchronous: str, reading: bool, pool_size: int) -> AsyncEngine:
    """Return an engine on a file: writers take the write lock when they begin, readers cannot write."""
    # The driver's own BEGIN comes only before the first write; what was read earlier may be stale: updates get lost.
    engine = create_async_engine(
        url, connect_args={"isolation_level": None, "timeout": BUSY_TIMEOUT}, **_pool(pool_size)
    )
    _prepare(engine, synchronous, reading=reading)
    return engine.execution_options(**{READING: reading})


def thread_engine(url: URL, *, synchronous: str, reading: bool) -> Engine:
    """Return an engine on a file for one thread, without transactions: that thread begins and ends them itself."""
    engine = create_engine(
        url.set(drivername="sqlite"),
        connect_args={
            "isolation_level": None,
            "timeout": BUSY_TIMEOUT,
            "cached_statements": CACHED_STATEMENTS,
            "check_same_thread": False,  # what is left behind is closed by whoever finds it
        },
        isolation_level="AUTOCOMMIT",
        poolclass=NullPool,
        hide_parameters=True,
    )
    event.listen(engine, "connect", partial(_connected, synchronous=synchronous, reading=reading))
    return engine


def take_write_lock(connection: sqlite3.Connection) -> None:
    """Begin a transaction that writes, on a connection whose own busy timeout is 0; waits as long as that would.

    SQLite asks ten times a second in the end. Among writers that want the lock back at once one can starve so, for
    longer than a lease; asked often, it comes to each.
    """
    clock = SystemClock()
    give_up = clock.monotonic() + BUSY_TIMEOUT
    while True:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or clock.monotonic() >= give_up:
                raise
            threading.Event().wait(ASK_AGAIN)
        else:
            return


def memory_engine(synchronous: str) -> AsyncEngine:
    """Return an engine with the one connection that is the database; who uses it takes turns."""
    url = URL.create("sqlite+aiosqlite", database=MEMORY)
    engine = create_async_engine(
        url, connect_args={"isolation_level": None}, poolclass=StaticPool, hide_parameters=True
    )
    _prepare(engine, synchronous, reading=False)
    return engine


def postgresql_engine(url: URL, *, reading: bool, pooled: bool, pool_size: int) -> AsyncEngine:
    """Return an engine whose writers see what was committed last, and whose readers see one snapshot."""
    try:
        engine = create_async_engine(
            url,
            connect_args={"timeout": CONNECT_TIMEOUT, **(UNPREPARED if pooled else BOUNDED)},
            **_pool(pool_size),
        )
    except ModuleNotFoundError as error:
        raise DatabaseUrlError("PostgreSQL needs its driver: pip install 'chamberlain[postgres]'") from error
    if pooled:
        event.listen(engine.sync_engine, "begin", _bound_waiting)
    event.listen(engine.sync_engine, "checkin", _note_use)
    event.listen(engine.sync_engine, "checkout", _ask_whether_alive)
    if reading:
        return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    return engine.execution_options(isolation_level="READ COMMITTED")


def plain_postgresql_engine(url: URL, *, pooled: bool) -> AsyncEngine:
    """Return an engine without a pool and without transactions: whoever uses it begins and ends them."""
    engine = create_async_engine(
        url,
        connect_args={"timeout": CONNECT_TIMEOUT, **(UNPREPARED if pooled else WATCHED)},
        isolation_level="AUTOCOMMIT",
        poolclass=NullPool,
        hide_parameters=True,
    )
    return engine.execution_options(**{BELOW: True})


def bounding(*, pooled: bool) -> str:
    """Return what follows the begin of a transaction whose session has no settings of its own."""
    still = f"SET LOCAL idle_in_transaction_session_timeout = '{STILL_TIMEOUT}'"
    return f"; SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'; {still}" if pooled else ""


def driver_options(url: URL, *, pooled: bool) -> dict[str, Any]:
    """Return what asyncpg itself is given to connect to an address."""
    _, options = url.get_dialect()().create_connect_args(url)
    given: dict[str, Any] = {**options, "timeout": CONNECT_TIMEOUT, **(UNPREPARED if pooled else BOUNDED)}
    return {name: value for name, value in given.items() if name not in UNKNOWN_TO_DRIVER}


def _pool(size: int) -> dict[str, Any]:
    # Turns are given out before the pool is asked, so it never refuses; parameters may be secret, errors are logged.
    return {"pool_size": size, "max_overflow": 0, "pool_timeout": None, "hide_parameters": True}


def _prepare(engine: AsyncEngine, synchronous: str, *, reading: bool) -> None:
    event.listen(engine.sync_engine, "connect", partial(_connected, synchronous=synchronous, reading=reading))
    event.listen(engine.sync_engine, "begin", _begin)


def _connected(connection: DBAPIConnection, _entry: ConnectionPoolEntry, *, synchronous: str, reading: bool) -> None:
    cursor = connection.cursor()
    _let_shrink(cursor)
    _switch_to_wal(cursor)
    cursor.execute(f"PRAGMA synchronous = {synchronous}")
    cursor.execute(f"PRAGMA wal_autocheckpoint = {WAL_PAGES}")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute(f"PRAGMA query_only = {'ON' if reading else 'OFF'}")
    cursor.close()


def _bound_waiting(connection: Connection) -> None:
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")


def _note_use(_connection: DBAPIConnection | None, entry: ConnectionPoolEntry) -> None:
    entry.info["used"] = time.monotonic()


def _ask_whether_alive(connection: DBAPIConnection, entry: ConnectionPoolEntry, _proxy: PoolProxiedConnection) -> None:
    """A restarted server costs nobody an error: the pool opens another connection where this raises."""
    if entry.driver_connection.is_closed():  # type: ignore[union-attr]  # asyncpg's own, which has heard of it
        raise DisconnectionError
    if time.monotonic() - entry.info.get("used", time.monotonic()) < UNSEEN:
        return
    cursor = connection.cursor()
    try:
        cursor.execute("SELECT 1")
        cursor.close()
        connection.rollback()
    except Exception as error:
        raise DisconnectionError from error


def _begin(connection: Connection) -> None:
    options = connection.get_execution_options()
    reading = bool(options.get(READING))
    if connection.engine.url.database == MEMORY:
        connection.exec_driver_sql(f"PRAGMA query_only = {'ON' if reading else 'OFF'}")
    if options.get(ALTERING):
        connection.exec_driver_sql("PRAGMA foreign_keys = OFF")  # without effect once a transaction has begun
    # A deferred BEGIN that reads and then writes fails at once when another writer came between, whatever the timeout.
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def _let_shrink(cursor: Any) -> None:
    """Make a fresh file so that its free pages can be given back a few at a time; of an older one nothing changes."""
    cursor.execute("PRAGMA page_count")
    if cursor.fetchone()[0] == 0:
        cursor.execute("PRAGMA auto_vacuum = INCREMENTAL")


def _switch_to_wal(cursor: Any) -> None:
    """Switch the file to WAL, once in its life; several processes may open a fresh file at the same moment."""
    for attempt in range(1, WAL_ATTEMPTS + 1):
        cursor.execute("PRAGMA journal_mode")
        if cursor.fetchone()[0] in ("wal", "memory"):
            return
        # The switch itself does not wait for others, so wait where SQLite does: at the write lock.
        cursor.execute("BEGIN IMMEDIATE")
        cursor.execute("COMMIT")
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if attempt == WAL_ATTEMPTS or error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise
