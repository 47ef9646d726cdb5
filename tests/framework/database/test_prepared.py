"""A select that is written once gives what SQLAlchemy would give, whatever its values."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Boolean, Column, Integer, MetaData, Table, Text, bindparam, insert, select, text

from framework.database import Database, Prepared, UtcDateTime, metering

NOON = datetime(2031, 5, 5, 12, tzinfo=UTC)
LATER = datetime(2031, 5, 5, 13, 0, 0, 5, tzinfo=UTC)
metadata = MetaData()
bells = Table(
    "bells",
    metadata,
    Column("name", Text, primary_key=True),
    Column("at", UtcDateTime),
    Column("rings", Boolean),
)
until = bells.c.at <= bindparam("until", type_=UtcDateTime())
asked = select(bells, (bells.c.name + "!").label("call")).where(until | bells.c.at.is_(None)).order_by(bells.c.name)
BELLS = Prepared(asked.limit(bindparam("most", type_=Integer())))
ROWS: list[dict[str, Any]] = [
    {"name": "a", "at": NOON, "rings": True},
    {"name": "b", "at": LATER, "rings": False},
    {"name": "c", "at": None, "rings": None},
]


async def test_moments_and_truths_come_out_as_they_went_in(database: Database) -> None:
    await database.write(metadata.create_all)
    await database.write(lambda c: c.execute(insert(bells), ROWS))

    all_of_them = await database.read(lambda c: BELLS.rows(c, until=LATER, most=9))
    some = await database.read(lambda c: BELLS.rows(c, until=NOON, most=9))
    one = await database.read(lambda c: BELLS.rows(c, until=LATER, most=1))

    assert [row._asdict() for row in all_of_them] == [row | {"call": f"{row['name']}!"} for row in ROWS]
    assert all_of_them[0].rings is True
    assert ([row.name for row in some], [row.name for row in one]) == (["a", "c"], ["a"])


async def test_a_stored_text_that_is_no_moment_is_none_and_hides_no_other_row(sqlite_database: Database) -> None:
    await sqlite_database.write(metadata.create_all)
    await sqlite_database.write(lambda c: c.execute(insert(bells), ROWS))
    await sqlite_database.write(lambda c: c.execute(text("UPDATE bells SET at = '1x' WHERE name = 'a'")))

    rows = await sqlite_database.read(lambda c: BELLS.rows(c, until=LATER, most=9))

    assert [(row.name, row.at) for row in rows] == [("a", None), ("b", LATER), ("c", None)]


async def test_its_statements_are_counted_too(sqlite_database: Database) -> None:
    await sqlite_database.write(metadata.create_all)

    with metering() as meter:
        await sqlite_database.read(lambda c: BELLS.rows(c, until=NOON, most=1))

    assert meter.statements == 1
