"""Statements of readers are counted for whoever asks."""

from __future__ import annotations

from sqlalchemy import Connection, text

from framework.database import Database, metering


def twice(c: Connection) -> None:
    for _ in range(2):
        c.execute(text("SELECT 1"))


async def test_what_is_read_inside_is_counted_and_nothing_else(database_url: str) -> None:
    database = Database(database_url)
    await database.read(twice)

    with metering() as outer:
        await database.read(twice)
        with metering() as inner:
            await database.read(twice)
    await database.read(twice)
    await database.close()

    assert (outer.statements, inner.statements) == (2, 2)
