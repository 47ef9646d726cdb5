"""Foreign keys that SQLite takes as they are written by hand: beside a column, and in any case."""

from __future__ import annotations

import pytest
from aged_rows import DAY, NOW, clean, create, fill, values
from sqlalchemy import Column, Integer, text

from framework.database import UtcDateTime
from modules.core.scheduler.cleanup import RowsPolicy, check_rows_policy

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

POLICY = RowsPolicy(table_name="logs", date_column="at", max_age=DAY)


@pytest.fixture
async def logs(database):
    table = await create(database, Column("id", Integer, primary_key=True), Column("at", UtcDateTime))
    await fill(database, table, [{"id": 1, "at": NOW - 2 * DAY}, {"id": 2, "at": NOW}])
    return table


async def refer(database, reference: str) -> None:
    """Make a table with three rows that refer to the old one."""
    ddl = f"CREATE TABLE lines (id INTEGER PRIMARY KEY, log INTEGER REFERENCES {reference})"
    await database.write(lambda c: c.execute(text(ddl)))
    await database.write(lambda c: c.execute(text("INSERT INTO lines (log) VALUES (1), (1), (1)")))


async def left(database) -> int:
    return await database.read(lambda c: c.scalar(text("SELECT count(*) FROM lines WHERE log IS NOT NULL")))


@pytest.mark.parametrize("parent", ["logs (id)", "LOGS (ID)", "logs"])
async def test_rows_that_go_along_are_counted_however_that_was_declared(database, logs, parent):
    await refer(database, f"{parent} ON DELETE CASCADE")

    planned = await clean(database, POLICY, dry_run=True)
    done = await clean(database, POLICY)

    assert planned.cascades == done.cascades == {"lines": 3}
    assert (done.deleted, await values(database, logs.c.id), await left(database)) == (1, [2], 0)


@pytest.mark.parametrize("parent", ["logs (id)", "Logs (Id)"])
async def test_rows_that_stay_with_a_null_stand_in_no_way(database, logs, parent):
    await refer(database, f"{parent} ON DELETE SET NULL")

    report = await clean(database, POLICY)

    assert (report.deleted, report.cascades, await left(database)) == (1, {}, 0)


async def test_a_parent_written_in_other_letters_is_refused_before_anything_goes(database, logs):
    await refer(database, "LOGS (id)")

    report = await clean(database, POLICY)

    assert "clean 'lines' first" in report.errors[0]
    assert await values(database, logs.c.id) == [1, 2]


async def test_an_archive_leaves_nothing_behind_that_was_declared_beside_a_column(database, logs):
    await refer(database, "LOGS (id) ON DELETE CASCADE")
    policy = RowsPolicy(table_name="logs", date_column="at", max_age=DAY, action="archive")

    problems = await database.read(lambda c: check_rows_policy(c, policy))

    assert any("would not be archived" in problem["message"] for problem in problems)


async def test_no_cascade_reaches_a_table_of_another_module(database, logs):
    await refer(database, "logs (id) ON DELETE CASCADE")

    (problem,) = await database.read(lambda c: check_rows_policy(c, POLICY, {"lines"}))
    (unowned,) = await database.read(lambda c: check_rows_policy(c, POLICY, (), {"logs"}))

    assert problem == {"field": "children", "message": "the table 'lines' is not cleaned this way"}
    assert unowned["field"] == "children"
    assert await database.read(lambda c: check_rows_policy(c, POLICY, (), {"logs", "lines"})) == []
