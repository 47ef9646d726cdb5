"""A row goes by its date, of whatever type, never early; what is no date keeps its row."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from aged_rows import DAY, NOW, clean, create, fill, values
from sqlalchemy import (
    Boolean,
    Column,
    Date,
    DateTime,
    Float,
    Integer,
    LargeBinary,
    Numeric,
    String,
    text,
)


@pytest.mark.parametrize(
    ("kind", "old", "new"),
    [
        (DateTime(), datetime(2026, 1, 4, 11), datetime(2026, 1, 4, 13)),  # noqa: DTZ001
        (DateTime(timezone=True), NOW - 25 * timedelta(hours=1), NOW - 23 * timedelta(hours=1)),
        (Date(), (NOW - 2 * DAY).date(), (NOW - DAY).date()),
        (Integer(), int((NOW - 2 * DAY).timestamp()), int(NOW.timestamp())),
        (Float(), (NOW - 2 * DAY).timestamp(), NOW.timestamp()),
        (Numeric(20, 0, asdecimal=False), int((NOW - 2 * DAY).timestamp()), int(NOW.timestamp())),
        (String(40), "2026-01-04 11:59:59", "2026-01-04 12:00:01"),
        (String(40), "2026-01-03", "2026-01-04"),
        (String(40), "2026-01-03T23:00:00Z", "2026-01-04T13:00:00Z"),
        (String(40), "2026-01-03T23:00:00.123+00:00", "2026-01-04T14:30:00+02:00"),
        (String(40), "2026-01-03 06:00:00-05:00", "2026-01-04 07:30:00-05:00"),
    ],
    ids=str,
)
async def test_dates_of_every_type_are_compared_rightly(database, kind, old, new):
    table = await create(database, Column("id", Integer, primary_key=True), Column("at", kind))
    await fill(database, table, [{"id": 1, "at": old}, {"id": 2, "at": new}])

    report = await clean(database)

    assert report.success, report.errors
    assert await values(database, table.c.id) == [2]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (String(40), ""),
        (String(40), "1767614400"),
        (String(40), "0000-00-00 00:00:00"),
        (String(40), "0001-01-01"),
        (String(40), "05.01.2020"),
        (String(40), "1/2/2020"),
        (Integer(), 0),
        (Integer(), 7),
        (Integer(), 20200105),
        (Float(), 2458853.5),
        (DateTime(), datetime(1, 1, 1)),  # noqa: DTZ001
    ],
    ids=str,
)
async def test_a_value_that_cannot_be_read_as_a_moment_keeps_its_row(database, kind, value):
    table = await create(database, Column("id", Integer, primary_key=True), Column("at", kind))
    await fill(database, table, [{"id": 1, "at": value}])

    assert (await clean(database)).matched == 0


@pytest.mark.parametrize("declared", ["DATETIME", "TIMESTAMP", "DATE"])
async def test_numbers_in_a_sqlite_column_declared_as_a_date_keep_their_rows(sqlite_database, declared):
    def create_and_fill(connection):
        connection.execute(text(f"CREATE TABLE logs (id INTEGER PRIMARY KEY, at {declared})"))
        connection.execute(text("INSERT INTO logs VALUES (1, 4102444800), (2, '2026-01-01 00:00:00')"))

    await sqlite_database.write(create_and_fill)

    report = await clean(sqlite_database)

    assert (report.success, report.deleted) == (True, 1)
    left = await sqlite_database.read(lambda connection: list(connection.scalars(text("SELECT id FROM logs"))))
    assert left == [1]


@pytest.mark.parametrize("kind", [LargeBinary(), Boolean()], ids=str)
async def test_a_column_that_holds_no_dates_is_refused(database, kind):
    await create(database, Column("id", Integer, primary_key=True), Column("at", kind))

    report = await clean(database)

    assert "holds no dates" in report.errors[0]
