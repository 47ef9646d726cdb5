"""Moments go in aware and come out as UTC, the same on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import Column, Connection, Integer, MetaData, Row, Table, func, insert, select, text

from framework.database import Database, UtcDateTime

metadata = MetaData()
visits = Table("visits", metadata, Column("id", Integer, primary_key=True), Column("at", UtcDateTime()))
NOON = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)


@pytest.fixture
async def database(database: Database) -> Database:
    await database.write(metadata.create_all)
    return database


async def store(database: Database, *moments: datetime | None) -> None:
    rows = [{"id": number, "at": moment} for number, moment in enumerate(moments)]
    await database.write(lambda c: c.execute(insert(visits), rows))


async def stored(database: Database) -> list[datetime | None]:
    return list(await database.read(lambda c: c.execute(select(visits.c.at).order_by(visits.c.id)).scalars()))


async def test_a_moment_comes_back_as_the_same_instant_in_utc(database: Database) -> None:
    berlin = timezone(timedelta(hours=2))

    await store(database, datetime(2026, 7, 1, 14, 30, 0, 123456, tzinfo=berlin), NOON, None)

    first, second, third = await stored(database)
    assert first == datetime(2026, 7, 1, 12, 30, 0, 123456, tzinfo=UTC)
    assert first is not None
    assert first.tzinfo is UTC
    assert (second, third) == (NOON, None)


async def test_a_moment_without_a_zone_is_refused(database: Database) -> None:
    with pytest.raises(ValueError, match="has no time zone; only aware datetimes are stored"):
        await store(database, NOON.replace(tzinfo=None))


async def test_stored_moments_sort_and_compare_as_instants(database: Database) -> None:
    moments = [NOON, NOON + timedelta(microseconds=1), NOON.replace(year=999), NOON + timedelta(days=40_000)]
    await store(database, *moments)

    def ask(c: Connection) -> tuple[list[Any], list[Any], Any]:
        ordered = list(c.execute(select(visits.c.at).order_by(visits.c.at)).scalars())
        later = list(c.execute(select(visits.c.id).where(visits.c.at > NOON)).scalars())
        return ordered, later, c.execute(select(func.max(visits.c.at))).scalar()

    ordered, later, last = await database.read(ask)

    assert ordered == sorted(moments)
    assert sorted(later) == [1, 3]
    assert last == max(moments)


async def test_sqlite_reads_a_stored_moment_with_its_own_functions(sqlite_database: Database) -> None:
    await sqlite_database.write(metadata.create_all)
    await store(sqlite_database, NOON)

    def ask(c: Connection) -> Row[Any]:
        return c.execute(text("SELECT at, datetime(at, '+1 day'), typeof(at) FROM visits")).one()

    assert tuple(await sqlite_database.read(ask)) == ("2026-01-05 12:00:00.000000", "2026-01-06 12:00:00", "text")


@pytest.mark.parametrize("poison", ["'soon'", "''", "17", "x'00ff'", "'2026-02-30 00:00:00'", "'99999-01-01'"])
async def test_a_row_without_a_readable_moment_does_not_hide_the_others(sqlite_database: Database, poison: str) -> None:
    await sqlite_database.write(metadata.create_all)
    await store(sqlite_database, NOON, NOON)
    await sqlite_database.write(lambda c: c.execute(text(f"UPDATE visits SET at = {poison} WHERE id = 0")))

    assert await stored(sqlite_database) == [None, NOON]
