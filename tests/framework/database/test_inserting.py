"""Rows that are inserted in one round trip come in as they were given, whatever they have in common."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Boolean, Column, Double, Integer, MetaData, Table, Text, select

from framework.database import Database, Insertion, UtcDateTime
from framework.database.inserting import MANY, given

NOON = datetime(2031, 5, 5, 12, tzinfo=UTC)
NAMES = ("id", "name", "at", "ok", "share", "note")
things = Table(
    "things",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("name", Text),
    Column("at", UtcDateTime),
    Column("ok", Boolean),
    Column("share", Double),
    Column("note", Text),
)


def thing(number: int) -> tuple[Any, ...]:
    return number, f"thing {number % 2}", NOON, True, 0.5, None


@pytest.mark.parametrize("count", [1, 2, MANY])
async def test_rows_with_much_in_common_come_in_as_they_were_given(database: Database, count: int) -> None:
    await database.write(things.metadata.create_all)
    rows = [thing(number) for number in range(count)]

    await database.insert([Insertion(things, NAMES, rows)])
    await database.insert([Insertion(things, NAMES, [*rows, thing(count)])])

    stored = await database.read(lambda c: c.execute(select(things).order_by(things.c.id)).all())
    assert [tuple(row) for row in stored] == [*rows, thing(count)]


def test_what_many_rows_have_in_common_is_given_once() -> None:
    alike, values = given([thing(number) for number in range(MANY)])

    assert [NAMES[place] for place in alike] == ["at", "ok", "share", "note"]
    assert values[2:] == [NOON, True, 0.5, None]
    assert [len(value) for value in values[:2]] == [MANY, MANY]
