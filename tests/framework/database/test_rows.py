"""Many rows in one statement mean the same on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Boolean, Column, Double, Integer, MetaData, Table, Text, insert, select
from sqlalchemy.exc import DBAPIError, IntegrityError

from framework.database import Database, UtcDateTime, change_rows, insert_rows, is_unique_violation, read_moment, run
from framework.database.rows import AT_ONCE

NOON = datetime(2031, 5, 5, 12, tzinfo=UTC)
NAMES = ("id", "n", "at", "ok", "share")
MANY = 2 * AT_ONCE + 7
metadata = MetaData()
things = Table(
    "things",
    metadata,
    Column("id", Text, primary_key=True),
    Column("n", Integer, unique=True),
    Column("at", UtcDateTime),
    Column("ok", Boolean),
    Column("share", Double),
)


@pytest.fixture
async def database(database: Database) -> Database:
    await database.write(metadata.create_all)
    return database


def thing(number: int, **changed: Any) -> tuple[Any, ...]:
    values = {"id": f"t{number}", "n": number, "at": NOON + timedelta(minutes=number), "ok": True, "share": 0.5}
    return tuple((values | changed).values())


async def all_things(database: Database) -> list[tuple[Any, ...]]:
    rows = await database.read(lambda c: c.execute(select(things).order_by(things.c.n)).all())
    return [tuple(row) for row in rows]


async def test_rows_come_back_as_they_were_given_however_many(database: Database) -> None:
    rows = [thing(number) for number in range(MANY)]

    came_in = await database.write(lambda c: insert_rows(c, things, NAMES, rows))

    assert came_in == MANY
    assert await all_things(database) == rows


async def test_nothing_stays_nothing(database: Database) -> None:
    empty = [thing(1, at=None, ok=None, share=None)]

    await database.write(lambda c: insert_rows(c, things, NAMES, empty))
    none_at_all = await database.write(lambda c: insert_rows(c, things, NAMES, []))

    assert none_at_all == 0
    assert await all_things(database) == empty


@pytest.mark.parametrize("common", [{"at": NOON}, {"at": None, "ok": None, "share": None}, {"ok": False, "share": 0.0}])
async def test_what_all_rows_have_in_common_is_stored_and_changed_in_each(
    database: Database, common: dict[str, Any]
) -> None:
    rows = [thing(number, **common) for number in range(MANY)]
    statement = """
        UPDATE things SET at = given.at, ok = given.ok, n = things.n FROM given
        WHERE things.id = given.id AND given.ok RETURNING things.at AS moment"""
    columns = (("id", "text"), ("ok", "bool"), ("at", "moment"))
    later = NOON + timedelta(hours=1)
    changes = [(f"t{number}", True, later) for number in range(MANY)]

    await database.write(lambda c: insert_rows(c, things, NAMES, rows))
    stored = await all_things(database)
    moments = await database.write(lambda c: change_rows(c, statement, columns, changes))

    assert stored == rows
    assert [read_moment(row.moment) for row in moments] == [later] * MANY
    assert await all_things(database) == [thing(n, **common | {"ok": True, "at": later}) for n in range(MANY)]


async def test_a_row_given_several_times_is_given_so_often(database: Database) -> None:
    columns, twice = (("id", "text"), ("n", "int")), [("t1", 1)] * 9

    rows = await database.write(lambda c: change_rows(c, "SELECT id, n FROM given", columns, twice))

    assert [tuple(row) for row in rows] == twice


async def test_a_taken_key_is_an_error_unless_it_is_to_be_left_out(database: Database) -> None:
    await database.write(lambda c: insert_rows(c, things, NAMES, [thing(1)]))
    again = [thing(1, id="other"), thing(2)]

    with pytest.raises(IntegrityError) as refused:
        await database.write(lambda c: insert_rows(c, things, NAMES, again))
    came_in = await database.write(lambda c: insert_rows(c, things, NAMES, again, ignore=True))

    assert is_unique_violation(refused.value)
    assert came_in == 1
    assert await all_things(database) == [thing(1), thing(2)]


async def test_each_row_is_changed_by_its_own_values(database: Database) -> None:
    await database.write(lambda c: insert_rows(c, things, NAMES, [thing(number) for number in range(MANY)]))
    statement = """
        UPDATE things SET at = given.at, share = :share FROM given WHERE things.id = given.id AND things.at < :before
        RETURNING things.id"""
    columns = (("id", "text"), ("at", "moment"))
    changes = [(f"t{number}", NOON - timedelta(minutes=number)) for number in range(MANY)]
    before = NOON + timedelta(minutes=MANY - 1)

    changed = await database.write(lambda c: change_rows(c, statement, columns, changes, share=0.25, before=before))

    stored = await all_things(database)
    assert {row.id for row in changed} == {f"t{number}" for number in range(MANY - 1)}
    assert stored[5][2:] == (NOON - timedelta(minutes=5), True, 0.25)
    assert stored[-1] == thing(MANY - 1)


async def test_a_statement_takes_scalars_and_lists_and_tells_what_it_did(database: Database) -> None:
    await database.write(lambda c: insert_rows(c, things, NAMES, [thing(number) for number in range(5)]))
    update = "UPDATE things SET ok = :ok WHERE id IN (:ids) AND at >= :since"
    query = "SELECT id, at AS moment FROM things WHERE NOT ok ORDER BY n FOR UPDATE SKIP LOCKED"

    done = await database.write(lambda c: run(c, update, ok=False, ids=["t1", "t2", "t3"], since=thing(2)[2]))
    rows = await database.write(lambda c: run(c, query).rows)

    assert done.changed == 2
    assert [(row.id, read_moment(row.moment)) for row in rows] == [("t2", thing(2)[2]), ("t3", thing(3)[2])]


async def test_an_answer_of_one_value_is_read_as_one(database: Database) -> None:
    await database.write(lambda c: insert_rows(c, things, NAMES, [thing(1), thing(2)]))
    numbers = "SELECT n FROM things WHERE n > :n ORDER BY n"

    some = await database.read(lambda c: run(c, numbers, n=0))
    none = await database.read(lambda c: run(c, numbers, n=9))

    assert (some.scalar(), some.scalars(), some.one_or_none().n) == (1, [1, 2], 1)
    assert (none.scalar(), none.scalars(), none.one_or_none()) == (None, [], None)


async def test_they_see_what_sqlalchemy_did_in_the_same_transaction_and_are_undone_with_it(database: Database) -> None:
    def work(c: Any) -> None:
        c.execute(insert(things).values(id="a", n=1, at=NOON, ok=True, share=0.0))
        assert run(c, "SELECT n FROM things").scalars() == [1]
        insert_rows(c, things, NAMES, [thing(2)])
        raise LookupError

    with pytest.raises(LookupError):
        await database.write(work)

    assert await all_things(database) == []


async def test_a_mistake_in_a_statement_is_an_error_of_the_database_that_tells_no_values(database: Database) -> None:
    with pytest.raises(DBAPIError) as raised:
        await database.read(lambda c: run(c, "SELECT nothing FROM things WHERE id = :id", id="secret"))

    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    ("given", "read"),
    [(None, None), ("no moment", None), ("2031-05-05 12:00:00.000000", NOON), (NOON, NOON)],
)
def test_a_moment_is_read_from_what_either_driver_gives(given: Any, read: Any) -> None:
    assert read_moment(given) == read
