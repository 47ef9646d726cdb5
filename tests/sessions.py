"""The caller's own transactions: every kind of session and connection, on an engine that is not ours."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from importlib.util import find_spec
from typing import Any

import pytest
from nodes import until
from sqlalchemy import Engine, NullPool, create_engine, make_url, text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import Session

ASYNC_KINDS = ("AsyncSession", "AsyncConnection")
SYNC_KINDS = ("Session", "Connection")
KINDS = (*ASYNC_KINDS, *SYNC_KINDS)


class Mine:
    """What a caller has: engines of its own on a database, and a table of its own, `effects`."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.engine: AsyncEngine = create_async_engine(url, poolclass=NullPool)

    def sync_engine(self) -> Engine:
        """Return an engine without an event loop, as Python's own driver or psycopg gives it."""
        url = make_url(self.url)
        if url.get_backend_name() == "sqlite":
            return create_engine(url.set(drivername="sqlite"), poolclass=NullPool)
        if find_spec("psycopg") is None:
            pytest.skip("NOT TESTED WITH A SYNCHRONOUS DRIVER OF POSTGRESQL: install psycopg")
        return create_engine(
            url.set(drivername="postgresql+psycopg").difference_update_query(["prepared_statement_cache_size"]),
            poolclass=NullPool,
        )

    @asynccontextmanager
    async def begin(self, kind: str) -> AsyncIterator[Any]:
        """A session or connection of a kind in a transaction, committed at the end."""
        if kind == "AsyncSession":
            async with AsyncSession(self.engine) as session, session.begin():
                yield session
        elif kind == "AsyncConnection":
            async with self.engine.begin() as connection:
                yield connection
        else:
            with self.begin_plainly(self.sync_engine(), kind) as joinable:
                yield joinable

    @contextmanager
    def begin_plainly(self, engine: Engine, kind: str) -> Iterator[Any]:
        """The same without an event loop."""
        if kind == "Session":
            with Session(engine) as session, session.begin():
                yield session
        else:
            with engine.begin() as connection:
                yield connection

    async def make_table(self) -> None:
        """Create the table `effects`."""
        async with self.engine.begin() as connection:
            await connection.execute(text("CREATE TABLE effects (what TEXT)"))

    async def effects(self) -> list[str]:
        """Return what has been committed into it."""
        async with self.engine.connect() as connection:
            return list((await connection.execute(text("SELECT what FROM effects ORDER BY what"))).scalars())

    async def see_one_wait(self) -> None:
        """Wait until a transaction of this PostgreSQL database waits for another."""
        waiting = text(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )

        async def waits() -> bool:
            async with self.engine.connect() as connection:
                return bool((await connection.execute(waiting)).scalar())

        await until(waits)


def effect(what: str) -> Any:
    """Return the statement that leaves an effect."""
    return text("INSERT INTO effects VALUES (:what)").bindparams(what=what)


async def leave(session: Any, what: str) -> None:
    """Leave an effect in the transaction of a session of any kind."""
    done = session.execute(effect(what))
    if hasattr(done, "__await__"):
        await done
