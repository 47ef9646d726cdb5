"""How fast rows go: batches of a target time, budgets, places to go on from, and way for those who wait."""

from __future__ import annotations

import asyncio

import pytest
from aged_rows import DAY, NOW, OLD, PassingClock, clean, create, fill, taking, values
from sqlalchemy import Column, DateTime, Integer, event, select, text
from sqlalchemy.exc import OperationalError

from framework.database import Database, UtcDateTime
from modules.core.scheduler.cleanup import RowsPolicy, pace, rows
from modules.core.scheduler.cleanup.cursor import from_cursor, to_cursor
from modules.core.scheduler.cleanup.deleting import delete_rows


@pytest.fixture
async def logs(database):
    table = await create(database, Column("id", Integer, primary_key=True), Column("at", UtcDateTime, index=True))
    await fill(database, table, [{"id": n, "at": NOW - 2 * DAY} for n in range(200)])
    return table


async def test_batches_grow_and_shrink_to_the_time_they_shall_take(database, logs, monkeypatch):
    clock = PassingClock()
    fast, slow = taking(clock, 1 / 128), taking(clock, 1 / 8)

    monkeypatch.setattr(rows, "delete_rows", fast)
    await clean(database, RowsPolicy(**OLD, batch_size=10, batch_seconds=0.5), clock=clock)
    await fill(database, logs, [{"id": n, "at": NOW - 2 * DAY} for n in range(70)])
    monkeypatch.setattr(rows, "delete_rows", slow)
    await clean(database, RowsPolicy(**OLD, batch_size=40, batch_seconds=0.5), clock=clock)

    assert fast.sizes == [10, 20, 40, 64, 64, 2]
    assert slow.sizes == [40, 20, 10]


async def test_there_is_a_pause_between_batches(database, logs):
    clock = PassingClock()

    await clean(database, RowsPolicy(**OLD, batch_size=50, pause="2s"), clock=clock)

    assert clock.slept == [2.0, 2.0, 2.0]


async def test_who_waited_for_his_turn_rests_as_long_as_he_worked(database, logs, monkeypatch):
    clock = PassingClock()
    really_write = database.write

    async def wait_then_write(work):
        clock.advance(5.0)
        return await really_write(work)

    database.write = wait_then_write
    monkeypatch.setattr(rows, "delete_rows", taking(clock, 1 / 64))
    await clean(database, RowsPolicy(**OLD, batch_size=100), clock=clock)

    assert clock.slept == [100 / 64]


async def test_a_run_out_of_time_says_where_the_next_goes_on(database, logs, monkeypatch):
    clock = PassingClock()
    policy = RowsPolicy(**OLD, batch_size=50, max_seconds=0.8)

    monkeypatch.setattr(rows, "delete_rows", taking(clock, 1 / 100))
    first = await clean(database, policy, clock=clock)
    second = await clean(database, policy, clock=clock, cursor=first.cursor)

    assert (first.deleted, first.kept, first.success) == (100, {"budget": 100}, True)
    assert "0.8s" in first.note
    assert second.deleted == 100


@pytest.mark.parametrize("indexed", [True, False])
async def test_the_next_run_goes_on_where_the_last_one_stopped(database, logs, indexed):
    if not indexed:
        await database.write(lambda connection: connection.execute(text("DROP INDEX ix_logs_at")))
    policy = RowsPolicy(**OLD, max_rows_per_run=120)
    first = await clean(database, policy)
    await fill(database, logs, [{"id": -1, "at": NOW - 3 * DAY}])

    second = await clean(database, policy, cursor=first.cursor)
    third = await clean(database, policy, cursor=second.cursor)

    assert [first.deleted, second.deleted, third.deleted] == [120, 80, 1]
    assert second.cursor is None


@pytest.mark.parametrize(
    "cursor", ["", "{", "[]", '{"by": ["id"], "after": []}', '{"by": ["at", "id"], "after": [{}, 1]}']
)
async def test_a_place_that_means_nothing_begins_anew(database, logs, cursor):
    assert (await clean(database, cursor=cursor)).success
    assert await values(database, logs.c.id) == []


def test_a_place_comes_back_as_it_was():
    at, number = Column("at", DateTime(timezone=True)), Column("id", Integer)
    columns = [at, number]

    assert from_cursor(to_cursor(["at", "id"], (NOW, 7)), ["at", "id"], columns) == (NOW, 7)
    assert from_cursor(to_cursor(["at", "id"], (NOW, 7)), ["id"], [number]) is None
    assert to_cursor(["id"], (b"\x00",)) is None


@pytest.mark.parametrize("rules", [{}, {"min_kept": 1}])
async def test_a_look_whose_connection_was_lost_is_taken_again(sqlite_database, rules, monkeypatch):
    table = await create(sqlite_database, Column("id", Integer, primary_key=True), Column("at", UtcDateTime))
    await fill(sqlite_database, table, [{"id": n, "at": NOW - n * DAY} for n in range(9)])
    clock, read = PassingClock(), sqlite_database.read
    asked = []

    async def lost_every_other_time(work):
        asked.append(work)
        if len(asked) % 2:
            raise OperationalError("SELECT", None, ConnectionError("it is closed"), connection_invalidated=True)
        return await read(work)

    monkeypatch.setattr(sqlite_database, "read", lost_every_other_time)
    report = await clean(sqlite_database, RowsPolicy(**OLD, **rules, shrink=False), clock=clock)

    assert (report.errors, report.deleted) == ((), 7)
    assert clock.slept


@pytest.mark.postgres
async def test_rows_that_others_hold_locked_are_tried_again_in_smaller_batches(postgres_url, monkeypatch):
    monkeypatch.setattr(pace, "LOCK_SECONDS", 0.05)
    database, other = Database(postgres_url), Database(postgres_url)
    table = await create(database, Column("id", Integer, primary_key=True), Column("at", UtcDateTime, index=True))
    await fill(database, table, [{"id": n, "at": NOW - 2 * DAY} for n in range(40)])
    held = asyncio.Event()
    clock = PassingClock()

    async with other.begin() as transaction:
        await transaction.execute(select(table).where(table.c.id == 39).with_for_update())
        held.set()
        report = await clean(database, RowsPolicy(**OLD, batch_size=16), clock=clock)

    left = await values(database, table.c.id)
    again = await clean(database)
    await database.close()
    await other.close()

    assert held.is_set()
    assert not report.success
    assert "lock timeout" in report.errors[0]
    assert 39 in left
    assert len(left) < 8
    assert max(clock.slept) > min(clock.slept)
    assert again.success


@pytest.mark.postgres
async def test_a_statement_that_lasts_too_long_is_broken_off_and_its_batch_undone(postgres_url, monkeypatch):
    monkeypatch.setattr(pace, "STATEMENT_SECONDS", 0.1)
    database = Database(postgres_url)
    table = await create(database, Column("id", Integer, primary_key=True), Column("at", UtcDateTime, index=True))
    await fill(database, table, [{"id": n, "at": NOW - 2 * DAY} for n in range(4)])

    def endless(connection, target, keys):
        deleted = delete_rows(connection, target, keys)
        connection.execute(text("SELECT pg_sleep(2)"))
        return deleted

    monkeypatch.setattr(rows, "delete_rows", endless)
    report = await clean(database, RowsPolicy(**OLD), clock=PassingClock())
    left = await values(database, table.c.id)
    await database.close()

    assert not report.success
    assert "statement timeout" in report.errors[0]
    assert (report.deleted, left) == (0, [0, 1, 2, 3])


@pytest.mark.parametrize("is_plain", [True, False])
async def test_no_statement_looks_at_more_than_a_stretch_of_the_table(sqlite_database, is_plain):
    rules = {} if is_plain else {"min_kept": 1}
    table = await create(
        sqlite_database, Column("id", Integer, primary_key=True), Column("at", UtcDateTime, index=True)
    )
    await fill(sqlite_database, table, [{"id": n, "at": NOW - 2 * DAY} for n in range(50)])
    plans = []

    def explain(connection, _cursor, statement, parameters, _context, _many):
        if statement.startswith(("SELECT", "DELETE")) and "LIMIT" in statement:
            raw = connection.connection.driver_connection
            plans.append(" ".join(row[3] for row in raw.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)))

    def listen(connection):
        event.listen(connection, "before_cursor_execute", explain)

    await (sqlite_database.write if is_plain else sqlite_database.read)(listen)
    for _ in range(3):  # whichever of the readers it is
        await clean(sqlite_database, RowsPolicy(**OLD, **rules, max_rows_per_run=10))

    assert plans
    assert all("ix_logs_at" in plan and "TEMP B-TREE" not in plan for plan in plans)
