"""Rows go when they are older than the policy allows, in batches, on both databases; and never more than those."""

from __future__ import annotations

from datetime import timedelta

import pytest
from aged_rows import DAY, NOW, clean, create, fill, values
from sqlalchemy import (
    Column,
    Integer,
    String,
    func,
    select,
    text,
)

from framework.database import UtcDateTime
from modules.core.scheduler.cleanup import RowsPolicy, check_rows_policy


@pytest.fixture
async def logs(database):
    return await create(
        database, Column("id", Integer, primary_key=True), Column("at", UtcDateTime), Column("state", String(20))
    )


async def test_1050_rows_go_in_11_batches_of_100_and_the_rest_stays(database, logs):
    old = [{"id": number, "at": NOW - 2 * DAY} for number in range(1050)]
    new = [{"id": number, "at": NOW} for number in range(2000, 2010)]
    await fill(database, logs, old + new)

    report = await clean(database)

    assert await values(database, logs.c.id) == list(range(2000, 2010))
    assert (report.success, report.batches, report.deleted, report.matched) == (True, 11, 1050, 1050)


async def test_a_dry_run_counts_exactly_and_leaves_the_table_unchanged(database, logs):
    await fill(database, logs, [{"id": n, "at": NOW - n * timedelta(hours=1), "state": "x"} for n in range(60)])
    everything = select(logs).order_by(logs.c.id)
    before = await database.read(lambda connection: connection.execute(everything).all())

    planned = await clean(database, dry_run=True)
    after = await database.read(lambda connection: connection.execute(everything).all())
    done = await clean(database)

    assert before == after
    assert (planned.dry_run, planned.deleted, planned.batches) == (True, 0, 0)
    assert planned.matched == done.deleted == 35


async def test_without_a_maximum_age_the_column_holds_an_expiry_time(database, logs):
    await fill(
        database, logs, [{"id": 1, "at": NOW - timedelta(seconds=1)}, {"id": 2, "at": NOW}, {"id": 3, "at": None}]
    )

    await clean(database, RowsPolicy(table_name="logs", date_column="at"))

    assert await values(database, logs.c.id) == [2, 3]


async def test_a_row_without_a_date_is_kept(database, logs):
    await fill(database, logs, [{"id": 1, "at": None}])

    assert (await clean(database)).matched == 0


@pytest.mark.parametrize(
    ("where", "left"),
    [
        ({"state": "done"}, [2, 3, 4]),
        ({"state": ["done", "failed"]}, [3, 4]),
        ({"state": None}, [1, 2, 4]),
        ({"state": ["done", None]}, [2, 4]),
        ({"state": "done", "id": 2}, [1, 2, 3, 4]),
        ({"state": "' OR 1=1 --"}, [1, 2, 3, 4]),
    ],
)
async def test_equality_filters_narrow_what_goes(database, logs, where, left):
    states = {1: "done", 2: "failed", 3: None, 4: "open"}
    await fill(database, logs, [{"id": n, "at": NOW - 2 * DAY, "state": state} for n, state in states.items()])

    await clean(database, RowsPolicy(table_name="logs", date_column="at", max_age=DAY, where=where))

    assert await values(database, logs.c.id) == left


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"table_name": "log"}, "table_name"),
        ({"table_name": "Logs"}, "table_name"),
        ({"date_column": "misspelt"}, "date_column"),
        ({"date_column": "AT"}, "date_column"),
        ({"where": {"stat": "done"}}, "where.stat"),
        ({"where": {"id": "done"}}, "where.id"),
        ({"where": {"state": 7}}, "where.state"),
        ({"keep_where": {"stat": "done"}}, "keep_where.stat"),
        ({"keep_where": {"state": [7]}}, "keep_where.state"),
        ({"max_size_mb": 1, "size_column": "bytes"}, "size_column"),
        ({"max_size_mb": 1, "size_column": "state"}, "size_column"),
    ],
)
async def test_a_misspelt_name_deletes_nothing_and_is_named(database, logs, change, field):
    await fill(database, logs, [{"id": 1, "at": NOW - 2 * DAY}])
    policy = RowsPolicy(**{"table_name": "logs", "date_column": "at", "max_age": DAY} | change)

    problems = await database.read(lambda connection: check_rows_policy(connection, policy))
    report = await clean(database, policy)

    assert await values(database, logs.c.id) == [1]
    assert [problem["field"] for problem in problems] == [field]
    assert not report.success
    assert field in report.errors[0]


async def test_a_column_dropped_after_registration_deletes_nothing(database, logs):
    policy = RowsPolicy(table_name="logs", date_column="at", max_age=DAY)
    await fill(database, logs, [{"id": 1, "at": NOW - 2 * DAY}])
    at_registration = await database.read(lambda connection: check_rows_policy(connection, policy))
    await database.write(lambda connection: connection.execute(text("ALTER TABLE logs RENAME COLUMN at TO made_at")))

    report = await clean(database, policy)

    assert (at_registration, report.success) == ([], False)
    assert await values(database, logs.c.id) == [1]


async def test_a_forbidden_table_and_one_that_the_module_does_not_own_are_refused(database, logs):
    await fill(database, logs, [{"id": 1, "at": NOW - 2 * DAY}])

    forbidden = await clean(database, forbidden_tables={"LOGS"})
    foreign = await clean(database, owned_tables={"sessions"})
    own = await clean(database, owned_tables={"logs"})

    assert not forbidden.success
    assert "belong" in foreign.errors[0]
    assert own.deleted == 1


async def test_a_view_is_no_table(database, logs):
    await database.write(lambda connection: connection.execute(text("CREATE VIEW seen AS SELECT * FROM logs")))
    try:
        report = await clean(database, RowsPolicy(table_name="seen", date_column="at", max_age=DAY))
    finally:
        await database.write(lambda connection: connection.execute(text("DROP VIEW seen")))

    assert "no table" in report.errors[0]


async def test_a_composite_key_is_walked_in_order(database):
    table = await create(
        database,
        Column("tenant", String(5), primary_key=True),
        Column("number", Integer, primary_key=True),
        Column("at", UtcDateTime),
    )
    rows = [{"tenant": f"t{n % 3}", "number": n, "at": NOW - (2 * DAY if n % 2 else 0 * DAY)} for n in range(40)]
    await fill(database, table, rows)

    report = await clean(database, RowsPolicy(table_name="logs", date_column="at", max_age=DAY, batch_size=7))

    assert (report.deleted, report.batches) == (20, 3)
    assert await values(database, table.c.number) == list(range(0, 40, 2))


async def test_a_table_without_a_primary_key_is_cleaned_too(database):
    table = await create(database, Column("number", Integer), Column("at", UtcDateTime))
    await fill(database, table, [{"number": n % 2, "at": NOW - (2 * DAY if n % 2 else 0 * DAY)} for n in range(50)])

    report = await clean(database, RowsPolicy(table_name="logs", date_column="at", max_age=DAY, batch_size=10))

    assert (report.success, report.deleted, report.batches) == (True, 25, 3)
    assert await values(database, func.count(table.c.number)) == [25]


async def test_reserved_words_and_capitals_are_quoted(database):
    table = await create(
        database, Column("Group", Integer, primary_key=True), Column("order", UtcDateTime), name="Select"
    )
    await fill(database, table, [{"Group": 1, "order": NOW - 2 * DAY}])

    report = await clean(
        database, RowsPolicy(table_name="Select", date_column="order", max_age=DAY, where={"Group": 1})
    )

    assert (report.errors, report.deleted) == ((), 1)


async def test_a_row_renewed_after_it_was_chosen_is_kept(database, logs):
    await fill(database, logs, [{"id": n, "at": NOW - 2 * DAY} for n in range(6)])
    really_write = database.write

    async def renew_then_write(work):
        renewal = logs.update().where(logs.c.id == 4).values(at=NOW)
        await really_write(lambda connection: connection.execute(renewal))
        return await really_write(work)

    database.write = renew_then_write
    report = await clean(database)

    assert await values(database, logs.c.id) == [4]
    assert (report.matched, report.deleted, report.skipped) == (6, 5, {"changed": 1})


async def test_a_budget_bounds_a_run_and_the_next_goes_on(database, logs):
    await fill(database, logs, [{"id": n, "at": NOW - 2 * DAY} for n in range(50)])

    policy = RowsPolicy(table_name="logs", date_column="at", max_age=DAY, max_rows_per_run=30)

    planned = await clean(database, policy, dry_run=True)
    first = await clean(database, policy)
    second = await clean(database, policy, cursor=first.cursor)

    assert [planned.matched, first.deleted, second.deleted] == [30, 30, 20]
    assert planned.kept == first.kept == {"budget": 20}
    assert "next run" in first.note
    assert second.cursor is None


async def test_a_run_that_is_told_to_stop_ends_between_batches(database, logs):
    await fill(database, logs, [{"id": n, "at": NOW - 2 * DAY} for n in range(50)])
    answers = iter([False, False, True])
    policy = RowsPolicy(table_name="logs", date_column="at", max_age=DAY, batch_size=10)

    report = await clean(database, policy, should_stop=lambda: next(answers))

    assert report.deleted == 20


async def test_a_row_whose_key_is_null_stays_and_is_counted_as_such(sqlite_database):
    logs = text("CREATE TABLE logs (id TEXT PRIMARY KEY, at TEXT)")
    await sqlite_database.write(lambda connection: connection.execute(logs))
    rows = "INSERT INTO logs VALUES ('a', '2020-01-01'), (NULL, '2020-01-01'), (NULL, '2020-01-02')"
    await sqlite_database.write(lambda connection: connection.execute(text(rows)))

    planned = await clean(sqlite_database, dry_run=True)
    done = await clean(sqlite_database)

    assert (planned.matched, planned.kept) == (1, {"no_key": 2})
    assert (done.deleted, done.skipped, done.success) == (1, {}, True)
