"""Rows that go for what they hold themselves go the short road, and it takes exactly what the long one would."""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta

import pytest
from aged_rows import DAY, NOW, OLD, clean, create, fill, values
from sessions import Mine
from sqlalchemy import Column, Date, Engine, Integer, String, delete, event, select, text, update

from framework.database import Database, UtcDateTime
from modules.core.scheduler.cleanup import RowsPolicy, deleting, sweeping

KINDS = {
    "moments": (UtcDateTime, lambda moment: moment),
    "days": (Date, lambda moment: moment.date()),
    "seconds": (Integer, lambda moment: int(moment.timestamp())),
}


@pytest.fixture(params=KINDS)
async def logs(request, database):
    """A table with a key of two columns; many rows have the same date, some have none."""
    kind, value = KINDS[request.param]
    table = await create(
        database,
        Column("name", String(20), primary_key=True),
        Column("id", Integer, primary_key=True),
        Column("at", kind, index=True),
    )
    dice = random.Random(request.param)
    ages = [dice.choice([None, *range(9)]) for _ in range(60)]
    rows = [
        {
            "name": dice.choice(["a", "B", "ä", "_"]),
            "id": number,
            "at": None if age is None else value(NOW - age * DAY + timedelta(hours=1)),
        }
        for number, age in enumerate(ages)
    ]
    await fill(database, table, rows)
    return table


async def everything(database, table):
    return await database.read(lambda c: {tuple(row) for row in c.execute(select(table.c.name, table.c.id))})


FILTERS = {"where": {"name": ["a", "B", "ä"]}, "keep_where": {"name": "B"}, "min_age": 3 * DAY}


@pytest.mark.parametrize(
    "rules", [{"max_age": 4 * DAY}, {}, {"max_age": DAY} | FILTERS], ids=["by age", "by expiry", "by filters"]
)
async def test_the_short_road_takes_what_the_long_one_would_and_tells_the_same(database, logs, rules, monkeypatch):
    monkeypatch.setattr(sweeping, "EXAMINED_PER_READ", 11)
    policy = RowsPolicy(table_name="logs", date_column="at", batch_size=7, **rules)
    rows = await database.read(lambda c: [dict(row) for row in c.execute(select(logs)).mappings()])

    planned = await clean(database, policy, dry_run=True)
    short = await clean(database, policy)
    left = await everything(database, logs)
    await database.write(lambda c: c.execute(delete(logs)))
    await fill(database, logs, rows)
    monkeypatch.setattr(deleting, "can_be_swept", lambda *_: False)
    long = await clean(database, policy)

    assert (planned.errors, short.errors, long.errors) == ((), (), ())
    assert left == await everything(database, logs)
    assert planned.matched == short.deleted == long.deleted > 7
    told = [(each.oldest, each.newest, each.kept, each.examined, len(each.samples)) for each in (planned, short, long)]
    assert told[0] == told[1] == told[2]
    assert planned.samples == short.samples == long.samples


@pytest.mark.parametrize(("count_kept", "rules"), [(True, {}), (False, {}), (False, FILTERS)])
async def test_a_run_in_parts_comes_to_the_same(database, logs, count_kept, rules, monkeypatch):
    monkeypatch.setattr(sweeping, "EXAMINED_PER_READ", 11)
    rules = {"max_age": DAY, "batch_size": 3, "max_rows_per_run": 8, "count_kept": count_kept} | rules
    policy = RowsPolicy(table_name="logs", date_column="at", **rules)
    planned = await clean(database, policy.model_copy(update={"max_rows_per_run": None}), dry_run=True)

    deleted, cursor = [], None
    while not deleted or cursor is not None:
        report = await clean(database, policy, cursor=cursor)
        deleted.append(report.deleted)
        cursor = report.cursor

    again = await clean(database, policy)
    assert max(deleted) == 8
    assert sum(deleted) + again.deleted == planned.matched


@pytest.mark.parametrize(
    "rules",
    [
        {"where": {"name": "a"}},
        {"where_in": {"name": {"table_name": "names", "column": "name"}}},
        {"hold_column": "name"},
        {"keep_where": {"name": "b"}},
    ],
    ids=lambda rules: next(iter(rules)),
)
async def test_rows_that_stay_are_passed_by_in_stretches_each_in_a_transaction_of_its_own(
    sqlite_database, rules, monkeypatch
):
    monkeypatch.setattr(sweeping, "EXAMINED_PER_READ", 5)
    written = []
    really_write = sqlite_database.write
    at = Column("at", UtcDateTime, index=True)
    table = await create(sqlite_database, Column("id", Integer, primary_key=True), at, Column("name", String(9)))
    await create(sqlite_database, Column("name", String(9)), name="names")
    await fill(sqlite_database, table, [{"id": n, "at": NOW - 2 * DAY, "name": "b"} for n in range(30)])

    async def write_and_note(work):
        written.append(work)
        return await really_write(work)

    monkeypatch.setattr(sqlite_database, "write", write_and_note)
    report = await clean(sqlite_database, RowsPolicy(**OLD, **rules, count_kept=False))

    assert (report.errors, report.deleted) == ((), 0)
    assert len(written) >= 6


ODD = ["2020-01-05", "2020-01-05T10:00:00-09:00", "2020-01-05z", "2020-01", "20200105", "2020-0110 10:00", "1577836800"]


@pytest.mark.parametrize("size", [1, 3, 50])
async def test_texts_of_a_day_go_as_if_each_was_looked_at(sqlite_database, monkeypatch, size):
    table = await create(sqlite_database, Column("id", Integer, primary_key=True), Column("at", String(40), index=True))
    ends = [NOW - DAY + hours * timedelta(hours=1) for hours in (-13, -11, -1, 1)]
    near = [f"{end:%Y-%m-%d %H:%M}{offset}" for end in ends for offset in ("", "-11:00", "+11:00")]
    policy = RowsPolicy(table_name="logs", date_column="at", max_age=DAY, batch_size=size)
    left = []
    for is_short in (True, False):
        await sqlite_database.write(lambda c: c.execute(delete(table)))
        await fill(sqlite_database, table, [{"id": n, "at": at} for n, at in enumerate([*ODD, *near] * 3)])
        monkeypatch.setattr(deleting, "can_be_swept", sweeping.can_be_swept if is_short else lambda *_: False)
        report = await clean(sqlite_database, policy)
        left.append((report.errors, report.deleted, report.newest, sorted(await values(sqlite_database, table.c.id))))

    assert left[0] == left[1]
    assert 20 < left[0][1] < 45


async def test_what_was_renewed_meanwhile_stays(database, logs):
    value = next(each for kind, each in KINDS.values() if isinstance(logs.c.at.type, kind))
    really_write = database.write

    async def renew_then_write(work):
        database.write = really_write
        await really_write(lambda c: c.execute(update(logs).where(logs.c.id < 30).values(at=value(NOW + DAY))))
        return await really_write(work)

    database.write = renew_then_write
    await clean(database, RowsPolicy(table_name="logs", date_column="at", max_age=DAY))

    assert {number for _, number in await everything(database, logs)} >= set(range(30))


@pytest.mark.parametrize("rest", [")", ", rowid TEXT)", ") WITHOUT ROWID"])
async def test_rows_go_by_their_key_where_none_tells_them_apart_by_place(sqlite_database, rest):
    ddl = f"CREATE TABLE logs (id INTEGER PRIMARY KEY, at DATETIME{rest}"
    await sqlite_database.write(lambda c: c.execute(text(ddl)))
    await sqlite_database.write(lambda c: c.execute(text("CREATE INDEX by_age ON logs (at)")))
    old = "INSERT INTO logs (id, at) VALUES (1, '2020-01-01'), (2, NULL), (3, '2020-01-01')"
    await sqlite_database.write(lambda c: c.execute(text(old)))

    report = await clean(sqlite_database, RowsPolicy(table_name="logs", date_column="at", batch_size=1))

    assert (report.errors, report.deleted) == ((), 2)
    assert await sqlite_database.read(lambda c: c.scalar(text("SELECT id FROM logs"))) == 2


@pytest.mark.postgres
async def test_a_row_that_is_renewed_while_the_deletion_waits_for_it_stays(postgres_url):
    database, others = Database(postgres_url), Mine(postgres_url)
    table = await create(database, Column("id", Integer, primary_key=True), Column("at", UtcDateTime, index=True))
    await fill(database, table, [{"id": number, "at": NOW - 9 * DAY} for number in range(3)])

    async with others.begin("AsyncConnection") as renewing:
        await renewing.execute(update(table).where(table.c.id == 1).values(at=NOW))
        cleaning = asyncio.create_task(clean(database))
        await others.see_one_wait()  # the statement has found the row, and waits for the one who holds it
    report = await cleaning
    left = await values(database, table.c.id)
    await database.close()

    assert (report.errors, report.deleted, left) == ((), 2, [1])


@pytest.mark.postgres
async def test_the_statement_that_deletes_judges_again_what_it_has_found(postgres_url):
    # Since 18.1 and 17.7 PostgreSQL itself asks again whether a row that it has waited for is still where it was found;
    # servers before would delete it. No server of the tests is one of those, so that the statement is read.
    database = Database(postgres_url)
    table = await create(database, Column("id", Integer, primary_key=True), Column("at", UtcDateTime, index=True))
    await fill(database, table, [{"id": 1, "at": NOW - 9 * DAY}])
    sent: list[str] = []

    def note(connection, cursor, statement, *rest):
        sent.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        await clean(database)
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    await database.close()

    (deletion,) = (statement for statement in sent if "DELETE" in statement)
    found, again = deletion.split("array((", 1)[-1].rsplit("LIMIT", 1)
    assert 'at" < ' in found
    assert 'at" < ' in again


@pytest.mark.postgres
async def test_no_more_rows_of_a_partitioned_table_go_than_shall(postgres_url):
    database = Database(postgres_url)
    await database.write(
        lambda c: c.execute(text("CREATE TABLE logs (id int PRIMARY KEY, at timestamptz) PARTITION BY RANGE (id)"))
    )
    for part in range(2):
        ddl = f"CREATE TABLE logs_{part} PARTITION OF logs FOR VALUES FROM ({part}) TO ({part + 1})"
        await database.write(lambda c, ddl=ddl: c.execute(text(ddl)))
    await database.write(lambda c: c.execute(text("CREATE INDEX ON logs (at)")))
    await database.write(lambda c: c.execute(text("INSERT INTO logs VALUES (0, '2020-01-01'), (1, '2020-01-01')")))

    report = await clean(database, RowsPolicy(table_name="logs", date_column="at", max_rows_per_run=1))
    left = await database.read(lambda c: c.scalar(text("SELECT count(*) FROM logs")))
    await database.close()

    assert (report.errors, report.deleted, left) == ((), 1, 1)
