"""Partitions go as a whole when their whole range is too old, and no other ones do."""

from __future__ import annotations

from datetime import timedelta

import pytest
from aged_rows import DAY, NOW, clean

from framework.database import Database
from modules.core.scheduler.cleanup import RowsPolicy, check_rows_policy

POLICY = RowsPolicy(table_name="logs", date_column="at", max_age=7 * DAY, action="drop_partition")
TABLE = (
    "CREATE TABLE logs (id int, at timestamptz NOT NULL) PARTITION BY RANGE (at)",
    "CREATE TABLE \"Logs one\" PARTITION OF logs FOR VALUES FROM (MINVALUE) TO ('2025-12-15')",
    "CREATE TABLE logs_two PARTITION OF logs FOR VALUES FROM ('2025-12-15') TO ('2025-12-29 12:00:00+00')",
    "CREATE TABLE logs_three PARTITION OF logs FOR VALUES FROM ('2025-12-29 12:00:00+00') TO ('2026-02-01')",
    "CREATE TABLE logs_four PARTITION OF logs FOR VALUES FROM ('2026-02-01') TO (MAXVALUE)",
    "INSERT INTO logs SELECT n, timestamptz '2025-12-01Z' + n * interval '1 day' FROM generate_series(0, 40) n",
)


@pytest.fixture
async def server(postgres_url):
    database = Database(postgres_url)
    await run(database, *TABLE)
    yield database
    await database.close()


async def run(database, *statements):
    for statement in statements:
        await database.write(lambda c, statement=statement: c.exec_driver_sql(statement))


async def names(server):
    query = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = to_regclass('logs') ORDER BY 1"
    return await server.read(lambda c: [row[0] for row in c.exec_driver_sql(query)])


async def count(server):
    return await server.read(lambda c: c.exec_driver_sql("SELECT count(*) FROM logs").scalar_one())


@pytest.mark.postgres
async def test_only_whole_ranges_that_are_too_old_go_and_a_dry_run_says_so_before(server):
    planned = await clean(server, POLICY, dry_run=True)
    untouched = await count(server)
    report = await clean(server, POLICY)

    assert (report.errors, report.done, report.deleted) == ((), {"partitions": 2}, 29)
    assert (planned.matched, planned.samples, planned.done) == (29, report.samples, {})
    assert planned.freed_bytes == report.freed_bytes == planned.bytes == report.bytes > 0
    assert untouched == 41
    assert await names(server) == ["logs_four", "logs_three"]
    assert await count(server) == 12


@pytest.mark.postgres
async def test_what_is_detached_stays_as_a_table_of_its_own(server):
    policy = POLICY.model_copy(update={"action": "detach_partition"})
    planned = await clean(server, policy, dry_run=True)
    report = await clean(server, policy)
    kept = await server.read(lambda c: c.exec_driver_sql('SELECT count(*) FROM "Logs one"').scalar_one())

    assert (report.errors, report.done, report.deleted, planned.matched) == ((), {"detached": 2}, 29, 29)
    assert (planned.bytes, planned.freed_bytes, report.freed_bytes) == (report.bytes, 0, 0)
    assert await names(server) == ["logs_four", "logs_three"]
    assert (await count(server), kept) == (12, 14)


@pytest.mark.postgres
async def test_a_range_that_ends_a_moment_later_stays(server):
    await clean(server, POLICY, now=NOW - timedelta(microseconds=1))

    assert await names(server) == ["logs_four", "logs_three", "logs_two"]


@pytest.mark.postgres
async def test_a_default_partition_never_goes(server):
    await run(server, "CREATE TABLE other PARTITION OF logs DEFAULT", "DROP TABLE logs_two", "DROP TABLE logs_three")
    await run(server, "INSERT INTO logs VALUES (1, '2025-12-20')")

    await clean(server, POLICY, now=NOW + 900 * DAY)

    assert await names(server) == ["logs_four", "other"]
    assert await count(server) == 1


@pytest.mark.postgres
async def test_what_others_refer_to_is_not_dropped_and_nothing_is_half_done(server):
    await run(server, "ALTER TABLE logs ADD PRIMARY KEY (id, at)")
    await run(
        server,
        "CREATE TABLE notes (log int, at timestamptz, FOREIGN KEY (log, at) REFERENCES logs)",
        "INSERT INTO notes SELECT id, at FROM logs WHERE id = 3",
    )

    report = await clean(server, POLICY)
    left = await count(server)
    await run(server, "DROP TABLE notes")

    assert (report.success, report.deleted, left) == (False, 0, 41)


@pytest.mark.postgres
async def test_a_table_that_is_partitioned_by_something_else_is_refused(server):
    await run(server, "DROP TABLE logs", "CREATE TABLE logs (id int, at timestamptz) PARTITION BY RANGE (id)")

    problems = await server.read(lambda c: check_rows_policy(c, POLICY))

    assert [problem["field"] for problem in problems] == ["action"]


async def test_a_plain_table_is_refused_on_both_databases(database):
    await run(database, "CREATE TABLE logs (id int, at timestamp)")

    problems = await database.read(lambda c: check_rows_policy(c, POLICY))
    report = await clean(database, POLICY)

    assert [problem["field"] for problem in problems] == ["action"]
    assert not report.success
