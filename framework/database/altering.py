"""Changing a schema: one process at a time, and nothing that points to a row is left pointing to none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import Connection, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

T = TypeVar("T")
SCHEMA_LOCK = 0x636861_6D626572  # of PostgreSQL's advisory locks, the one that changing the schema takes


def checked(work: Callable[[Connection], T]) -> Callable[[Connection], T]:
    """Have foreign keys checked at the end of the work."""

    def work_checked(connection: Connection) -> T:
        done = work(connection)
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
        if broken:
            raise RuntimeError(
                f"{len(broken)} rows would point to nothing, the first in table {broken[0][0]!r}; nothing was changed"
            )
        return done

    return work_checked


def alone(work: Callable[[Connection], T]) -> Callable[[Connection], T]:
    """Let the work wait until no other process changes the schema."""

    def work_alone(connection: Connection) -> T:
        connection.exec_driver_sql("SET LOCAL lock_timeout = 0")  # another process's upgrade may take its time
        connection.execute(select(func.pg_advisory_xact_lock(SCHEMA_LOCK)))
        return work(connection)

    return work_alone


async def enforce_foreign_keys(connection: AsyncConnection) -> None:
    """Let SQLite look at foreign keys again."""
    if connection.closed or connection.invalidated:
        return
    raw = await connection.get_raw_connection()
    driver: Any = raw.driver_connection
    await driver.execute("PRAGMA foreign_keys = ON")  # past SQLAlchemy, which would begin a transaction first
