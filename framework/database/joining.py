"""Joining a transaction of the caller's: work in it is committed, or rolled back, with all else that it does."""

from __future__ import annotations

import asyncio
import inspect
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, TypeVar, overload
from weakref import WeakKeyDictionary, WeakSet

from sqlalchemy import Connection, Transaction, event, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession, async_scoped_session
from sqlalchemy.orm import Session, scoped_session

from framework.database.database import Database
from framework.database.failures import is_unique_violation
from framework.database.location import POSTGRESQL, SQLITE
from framework.errors import FrameworkError

T = TypeVar("T")
AsyncJoinable = AsyncSession | AsyncConnection | async_scoped_session[Any]
SyncJoinable = Session | Connection | scoped_session[Any]
Joinable = AsyncJoinable | SyncJoinable

FIRST_LOOK, LAST_LOOK = 0.001, 0.05  # seconds between looks at a commit that is under way
IDENTITY = "chamberlain identity"  # of the database that a connection leads to, kept with the connection
# What a server says of itself is the same by every address, and through a pooler, too.
SERVER = text("SELECT current_database() || ' ' || extract(epoch FROM pg_postmaster_start_time())")
ELSEWHERE = (
    "the session leads to another database than the application's, and one commit cannot be of two; "
    "open it on the application's own"
)


class OtherDatabaseError(FrameworkError, ValueError):
    """A session leads to another database, and one commit cannot be of two."""


@overload
def join(session: AsyncJoinable, work: Callable[[Connection], T]) -> Awaitable[T]:
    """Of an async session, to be awaited."""


@overload
def join(session: SyncJoinable, work: Callable[[Connection], T]) -> T:
    """Of a synchronous session, done at once."""


def join(session: Joinable, work: Callable[[Connection], T]) -> T | Awaitable[T]:
    """Do the work in the caller's transaction, begun if need be and never ended; to be awaited where it is async.

    Raises `TypeError` for what is no session or connection, `ValueError` for one that commits each statement.
    """
    within = partial(_within, work)
    if isinstance(session, (scoped_session, async_scoped_session)):
        session = session()
    match session:
        case AsyncSession():
            return session.run_sync(lambda sync_session: within(sync_session.connection()))
        case AsyncConnection():
            return session.run_sync(within)
        case Session():
            return within(session.connection())
        case Connection():
            return within(session)
    raise TypeError(f"a session is SQLAlchemy's AsyncSession, AsyncConnection, Session or Connection, not {session!r}")


def _within(work: Callable[[Connection], T], c: Connection) -> T:
    if not c.in_transaction():
        c.begin()
    driver: Any = c.connection.driver_connection
    if c.dialect.name == SQLITE and not driver.in_transaction:
        # Python's driver begins by itself only before some statements, and would commit the others one by one.
        c.exec_driver_sql("BEGIN IMMEDIATE")
    dbapi: Any = c.connection.dbapi_connection
    if c.dialect.name == POSTGRESQL and dbapi.autocommit:
        raise ValueError("this session commits each statement (AUTOCOMMIT); give one that has a transaction")
    return work(c)


class Joining:
    """Transactions of others on this database, for use in one event loop.

    `on_commit` is called in it once the outermost of them that was joined has been committed, and only then.
    """

    def __init__(self, database: Database, on_commit: Callable[[], None]) -> None:
        self._database = database
        self._on_commit = on_commit
        self._identity: str | None = None
        self._listening: WeakSet[Connection] = WeakSet()
        self._awaited: WeakKeyDictionary[Transaction, asyncio.Task[Any] | None] = WeakKeyDictionary()

    async def write(self, session: Joinable, work: Callable[[Connection], T]) -> T:
        """Do the work in the caller's transaction, whole or not at all; what it raises does not spoil the rest of it.

        Raises `OtherDatabaseError`. A synchronous session blocks the event loop as long as its database does.
        """
        if await self._leads_elsewhere(session) and await self._leads_elsewhere(session, afresh=True):
            raise OtherDatabaseError(ELSEWHERE)
        return await _answer(join(session, partial(self._write, work, asyncio.get_running_loop())))

    def refuse_waiting(self) -> None:
        """Raise `RuntimeError` where this task has an open transaction on SQLite that was joined: it is the one writer.

        Of transactions that were not joined nothing is known; `explain_lock` is for those.
        """
        if self._database.dialect != SQLITE or not self._awaited:
            return
        task = asyncio.current_task()
        if any(holder is task and transaction.is_active for transaction, holder in list(self._awaited.items())):
            raise RuntimeError(
                "a session of this task holds the database's write lock, and a second one would wait for it for "
                "ever; pass it on as session= in this call, too"
            )

    async def _leads_elsewhere(self, session: Joinable, *, afresh: bool = False) -> bool:
        if self._database.is_memory:  # one connection, in whose turns nobody can join
            return True
        if self._identity is None or afresh:  # a server that was restarted calls itself another one
            self._identity = await self._own_identity()
        return await _answer(join(session, _identity)) != self._identity

    async def _own_identity(self) -> str:
        path = self._database.path
        return await self._database.read(_identity) if path is None else str(path.resolve())

    def _write(self, work: Callable[[Connection], T], loop: asyncio.AbstractEventLoop, c: Connection) -> T:
        try:
            done = _whole(work, c)
        except IntegrityError as error:
            if not is_unique_violation(error):
                raise
            done = _whole(work, c)  # what was not there when it was looked for is found the second time
        self._await_commit(c, loop)
        return done

    def _await_commit(self, c: Connection, loop: asyncio.AbstractEventLoop) -> None:
        transaction = c.get_transaction()
        if transaction is None or transaction in self._awaited:
            return
        self._awaited[transaction] = asyncio.current_task(loop)
        if c not in self._listening:
            self._listening.add(c)
            committing = partial(self._committing, loop)
            event.listen(c, "commit", committing)
            event.listen(c, "commit_twophase", committing)

    def _committing(self, loop: asyncio.AbstractEventLoop, c: Connection, *_: object) -> None:
        """SQLAlchemy calls this before the outermost commit, for savepoints not at all, and nothing after it."""
        transaction = c.get_transaction()
        if transaction is not None and transaction in self._awaited:
            self._awaited.pop(transaction, None)
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(_watch, c, transaction, self._on_commit, FIRST_LOOK)


def _watch(c: Connection, transaction: Transaction, on_commit: Callable[[], None], pause: float) -> None:
    """Call back when a commit that is under way has ended well, which shows in the transaction alone."""
    if transaction.is_active:
        later = min(2 * pause, LAST_LOOK)
        asyncio.get_running_loop().call_later(pause, _watch, c, transaction, on_commit, later)
    elif c.get_transaction() is not transaction:  # one that could not be committed stays
        on_commit()


def explain_lock(error: DBAPIError) -> None:
    """Add a note to an error that says that SQLite's write lock could not be had: the caller itself may hold it."""
    code = getattr(error.orig, "sqlite_errorcode", None)
    if code is not None and code & 0xFF == sqlite3.SQLITE_BUSY:
        error.add_note(
            "another transaction held the database's write lock all the while; if it is your own session's, this call "
            "waited for itself: pass the session on as session="
        )


def _whole(work: Callable[[Connection], T], c: Connection) -> T:
    with c.begin_nested():
        return work(c)


def refuse_other(c: Connection, database: Database) -> None:
    """Raise `OtherDatabaseError` where a connection leads to another file, or a database of another kind.

    Of two databases on servers it says nothing.
    """
    same_kind = c.dialect.name == database.dialect
    if not same_kind or (c.dialect.name == SQLITE and _identity(c) != str(database.path and database.path.resolve())):
        raise OtherDatabaseError(ELSEWHERE)


def _identity(c: Connection) -> str:
    """Return what tells the database that a connection leads to from any other; "" in memory."""
    if c.dialect.name not in (SQLITE, POSTGRESQL):
        return c.dialect.name
    if IDENTITY not in c.info:
        c.info[IDENTITY] = _file_of(c) if c.dialect.name == SQLITE else str(c.execute(SERVER).scalar_one())
    return str(c.info[IDENTITY])


def _file_of(c: Connection) -> str:
    file = next(file for _, name, file in c.exec_driver_sql("PRAGMA database_list") if name == "main")
    return str(Path(file).resolve()) if file else ""


async def _answer(given: T | Awaitable[T]) -> T:
    return await given if inspect.isawaitable(given) else given
