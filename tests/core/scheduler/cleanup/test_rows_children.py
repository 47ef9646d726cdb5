"""Rows that refer to rows that go: deleted first where the policy says so, counted, or refused as a whole."""

from __future__ import annotations

import pytest
from aged_rows import DAY, NOW, OLD, clean, create, fill, values
from sqlalchemy import Column, ForeignKey, Index, Integer, MetaData, Table, text

from framework.database import UtcDateTime
from modules.core.scheduler.cleanup import RowsPolicy, check_rows_policy, weak_spots

DELETE = RowsPolicy(**OLD, children="delete")


@pytest.fixture
async def house(database):
    """Logs 1 to 6, of which 1 to 4 are over; orders refer to logs, lines to orders and to logs, notes to lines."""
    metadata = MetaData()
    logs = Table("logs", metadata, Column("id", Integer, primary_key=True), Column("at", UtcDateTime))
    orders = referring(metadata, "orders", log="logs.id")
    lines = referring(metadata, "lines", order="orders.id", log="logs.id")
    notes = referring(metadata, "notes", line="lines.id")
    await database.write(metadata.create_all)
    await fill(database, logs, [{"id": n, "at": NOW - (2 * DAY if n <= 4 else 0 * DAY)} for n in range(1, 7)])
    await fill(database, orders, [{"id": 10 * n, "log": n} for n in (1, 2, 5)])
    await fill(database, lines, [{"id": 101, "order": 10, "log": 1}, {"id": 501, "order": 50, "log": 2}])
    await fill(database, lines, [{"id": 502, "order": 50, "log": 6}])
    await fill(database, notes, [{"id": 1, "line": 101}, {"id": 2, "line": 501}, {"id": 3, "line": 502}])
    return metadata.tables


def referring(metadata, name, ondelete=None, indexed=True, **references):
    """A table that refers to others; `references`: column to column."""
    columns = [Column(own, Integer, ForeignKey(other, ondelete=ondelete)) for own, other in references.items()]
    indexes = [Index(f"ix_{name}_{own}", own) for own in references] if indexed else []
    return Table(name, metadata, Column("id", Integer, primary_key=True), *columns, *indexes)


async def ids(database, house):
    return {name: await values(database, table.c.id) for name, table in house.items()}


async def test_what_refers_goes_first_and_a_dry_run_counts_it_exactly(database, house):
    before = await ids(database, house)
    policy = RowsPolicy(**OLD, children="delete", batch_size=3)

    planned = await clean(database, policy, dry_run=True)
    between = await ids(database, house)
    done = await clean(database, policy)

    assert between == before
    assert await ids(database, house) == {"logs": [5, 6], "orders": [50], "lines": [502], "notes": [3]}
    assert planned.cascades == done.cascades == {"orders": 2, "lines": 2, "notes": 2}
    assert (planned.matched, done.deleted, done.success) == (4, 4, True)


async def test_a_dry_run_counts_what_goes_along_with_the_rows_of_one_run(database, house):
    policy = RowsPolicy(**OLD, children="delete", max_rows_per_run=1)

    planned = await clean(database, policy, dry_run=True)
    done = await clean(database, policy)

    assert planned.cascades == done.cascades == {"orders": 1, "lines": 1, "notes": 1}
    assert planned.matched == done.deleted == 1


async def test_without_leave_rows_that_refer_stand_in_the_way(database, house):
    before = await ids(database, house)

    done = await clean(database)

    assert not done.success
    assert "children" in done.errors[0]
    assert await ids(database, house) == before


async def test_rows_that_the_database_takes_along_are_counted(database):
    metadata = MetaData()
    logs = Table("logs", metadata, Column("id", Integer, primary_key=True), Column("at", UtcDateTime))
    orders = referring(metadata, "orders", "CASCADE", log="logs.id")
    lines = referring(metadata, "lines", "CASCADE", order="orders.id")
    await database.write(metadata.create_all)
    await fill(database, logs, [{"id": 1, "at": NOW - 2 * DAY}, {"id": 2, "at": NOW}])
    await fill(database, orders, [{"id": 1, "log": 1}, {"id": 2, "log": 1}, {"id": 3, "log": 2}])
    await fill(database, lines, [{"id": n, "order": n} for n in (1, 2, 3)])

    planned = await clean(database, dry_run=True)
    done = await clean(database)

    assert planned.cascades == done.cascades == {"orders": 2, "lines": 2}
    assert await values(database, lines.c.id) == [3]


async def test_rows_behind_those_that_the_database_takes_along_stand_in_the_way_too(database):
    metadata = MetaData()
    logs = Table("logs", metadata, Column("id", Integer, primary_key=True), Column("at", UtcDateTime))
    orders = referring(metadata, "orders", "CASCADE", log="logs.id")
    lines = referring(metadata, "lines", order="orders.id")
    await database.write(metadata.create_all)
    await fill(database, logs, [{"id": n, "at": NOW - 2 * DAY} for n in range(5)])
    await fill(database, orders, [{"id": 1, "log": 4}])
    await fill(database, lines, [{"id": 1, "order": 1}])

    done = await clean(database, RowsPolicy(**OLD, batch_size=1))

    assert "'lines'" in done.errors[0]
    assert "through 'orders'" in done.errors[0]
    assert await values(database, logs.c.id) == [0, 1, 2, 3, 4]


async def test_rows_whose_reference_is_only_emptied_stay(database):
    metadata = MetaData()
    logs = Table("logs", metadata, Column("id", Integer, primary_key=True), Column("at", UtcDateTime))
    orders = referring(metadata, "orders", "SET NULL", log="logs.id")
    await database.write(metadata.create_all)
    await fill(database, logs, [{"id": 1, "at": NOW - 2 * DAY}])
    await fill(database, orders, [{"id": 7, "log": 1}])

    done = await clean(database, DELETE)

    assert (done.deleted, done.cascades) == (1, {})
    assert await values(database, orders.c.log) == [None]


async def test_a_circle_of_references_is_refused(database, house):
    await create(database, Column("id", Integer, primary_key=True), name="alone")
    metadata = MetaData()
    referring(metadata, "a", a="a.id")
    metadata.tables["a"].append_column(Column("at", UtcDateTime))
    await database.write(metadata.create_all)
    policy = RowsPolicy(table_name="a", date_column="at", children="delete")

    (problem,) = await database.read(lambda c: check_rows_policy(c, policy))

    assert problem["field"] == "children"
    assert "circle" in problem["message"]


async def test_rows_of_the_same_table_that_refer_to_rows_that_go_stand_in_the_way(database):
    table = await create(
        database,
        Column("id", Integer, primary_key=True),
        Column("at", UtcDateTime),
        Column("parent", Integer, ForeignKey("logs.id", ondelete="CASCADE")),
    )
    await fill(database, table, [{"id": 1, "at": NOW - 2 * DAY, "parent": None}, {"id": 2, "at": NOW, "parent": 1}])

    done = await clean(database)

    refused_left = await values(database, table.c.id)
    await database.write(lambda connection: connection.execute(table.update().values(at=NOW - 2 * DAY)))
    all_of_them = await clean(database)

    assert "refer to rows that would go" in done.errors[0]
    assert refused_left == [1, 2]
    assert (all_of_them.errors, await values(database, table.c.id)) == ((), [])


async def test_tables_that_are_not_the_modules_own_are_not_deleted_from(database, house):
    refused = await clean(database, DELETE, forbidden_tables={"notes"})

    assert "children: the table 'notes'" in refused.errors[0]
    assert await values(database, house["notes"].c.id) == [1, 2, 3]


async def test_a_row_renewed_after_it_was_chosen_keeps_its_children(database, house):
    renewal = house["logs"].update().where(house["logs"].c.id == 1).values(at=NOW)
    really_write = database.write

    async def renew_then_write(work):
        await really_write(lambda connection: connection.execute(renewal))
        return await really_write(work)

    database.write = renew_then_write
    done = await clean(database, DELETE)

    assert (done.deleted, done.skipped) == (3, {"changed": 1})
    assert await values(database, house["orders"].c.id) == [10, 50]
    assert await values(database, house["notes"].c.id) == [1, 3]


async def test_a_missing_index_of_a_reference_is_warned_of(database):
    metadata = MetaData()
    Table("logs", metadata, Column("id", Integer, primary_key=True), Column("at", UtcDateTime, index=True))
    referring(metadata, "orders", indexed=False, log="logs.id")
    await database.write(metadata.create_all)

    (warning,) = await database.read(lambda c: weak_spots(c, DELETE))
    done = await clean(database, DELETE)
    await database.write(lambda c: c.execute(text('CREATE INDEX ix_log ON orders ("log")')))

    assert (warning["field"], warning["severity"]) == ("children", "warning")
    assert "'orders'" in warning["message"]
    assert "'orders'" in done.note
    assert await database.read(lambda c: weak_spots(c, DELETE)) == []


async def test_triggers_that_fire_when_rows_go_are_warned_of(database):
    metadata = MetaData()
    Table("logs", metadata, Column("id", Integer, primary_key=True), Column("at", UtcDateTime, index=True))
    await database.write(metadata.create_all)
    before = await database.read(lambda c: weak_spots(c, DELETE))

    for when, name in (("AFTER DELETE", "audits"), ("AFTER INSERT", "counts")):
        for statement in trigger(name, when, database.dialect):
            await database.write(lambda c, statement=statement: c.execute(text(statement)))
    (warning,) = await database.read(lambda c: weak_spots(c, DELETE))

    assert before == []
    assert (warning["field"], warning["severity"]) == ("table_name", "warning")
    assert warning["message"].endswith("neither counted nor guarded: audits")


def trigger(name, when, dialect):
    """Return the statements that make a trigger on `logs`."""
    if dialect == "sqlite":
        return [f"CREATE TRIGGER {name}\n{when} ON logs BEGIN SELECT 1; END"]
    body = f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$"
    return [body, f"CREATE TRIGGER {name} {when} ON logs FOR EACH ROW EXECUTE FUNCTION {name}()"]
