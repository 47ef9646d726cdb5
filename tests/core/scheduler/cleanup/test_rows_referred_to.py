"""Rows that other rows refer to are refused, never half deleted."""

from __future__ import annotations

import pytest
from aged_rows import DAY, NOW, clean, create, fill, values
from sqlalchemy import (
    Column,
    ForeignKey,
    Integer,
    String,
    insert,
)

from framework.database import UtcDateTime
from modules.core.scheduler.cleanup import RowsPolicy


@pytest.fixture
async def logs(database):
    return await create(
        database, Column("id", Integer, primary_key=True), Column("at", UtcDateTime), Column("state", String(20))
    )


@pytest.fixture
async def orders(database, logs):
    reference = ForeignKey(logs.c.id)
    return await create(
        database, Column("id", Integer, primary_key=True), Column("log", Integer, reference), name="orders"
    )


async def test_rows_that_others_refer_to_are_refused_before_anything_goes(database, logs, orders):
    await fill(database, logs, [{"id": n, "at": NOW - 2 * DAY} for n in range(250)])
    await fill(database, orders, [{"id": 1, "log": 249}])

    planned = await clean(database, dry_run=True)
    done = await clean(database)

    assert "clean 'orders' first" in done.errors[0]
    assert (planned.errors, done.deleted) == (done.errors, 0)
    assert len(await values(database, logs.c.id)) == 250


async def test_references_to_rows_that_stay_do_not_matter(database, logs, orders):
    await fill(database, logs, [{"id": 1, "at": NOW - 2 * DAY}, {"id": 2, "at": NOW}])
    await fill(database, orders, [{"id": 1, "log": 2}])

    assert (await clean(database)).deleted == 1


async def test_what_the_database_refuses_undoes_its_batch_and_fails_the_run(database, logs, orders):
    await fill(database, logs, [{"id": n, "at": NOW - 2 * DAY} for n in range(30)])
    really_write = database.write

    async def refer_then_write(work):
        await really_write(lambda connection: connection.execute(insert(orders), [{"log": 15}]))
        return await really_write(work)

    database.write = refer_then_write
    policy = RowsPolicy(table_name="logs", date_column="at", max_age=DAY, batch_size=10)

    report = await clean(database, policy)

    assert (report.success, report.deleted, report.batches) == (False, 10, 1)
    assert "the database refused" in report.errors[0]
    assert await values(database, logs.c.id) == list(range(10, 30))
