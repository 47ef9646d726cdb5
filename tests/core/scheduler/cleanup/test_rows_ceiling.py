"""A run that would go beyond a guard while it goes on ends there, as failed, and tells what it did."""

from __future__ import annotations

import pytest
from aged_rows import DAY, NOW, OLD, clean, create, fill, values
from sqlalchemy import Column, ForeignKey, Integer

from framework.database import UtcDateTime
from modules.core.scheduler.cleanup import Ceiling, RowsPolicy


@pytest.fixture(params=["by date", "by key", "without a key"])
async def logs(request, database):
    """Ten old rows, in a table whose rows are walked by their date, by their key, or by where they lie."""
    table = await create(
        database,
        Column("id", Integer, primary_key=request.param != "without a key"),
        Column("at", UtcDateTime, index=request.param == "by date"),
    )
    await fill(database, table, [{"id": n, "at": NOW - 9 * DAY} for n in range(10)])
    return table


@pytest.mark.parametrize("ceiling", [Ceiling(own=4), Ceiling(together=4)])
@pytest.mark.parametrize("count_kept", [True, False])
async def test_a_run_takes_what_a_guard_allows_and_no_more(database, logs, ceiling, count_kept):
    policy = RowsPolicy(**OLD, batch_size=3, count_kept=count_kept)

    broken = await clean(database, policy, ceiling=ceiling)
    left = await values(database, logs.c.id)
    rest = await clean(database, policy, ceiling=Ceiling(own=6, together=6))

    assert (broken.code, broken.success, broken.deleted, len(left)) == ("GUARD_EXCEEDED", False, 4, 6)
    assert "broken off" in broken.errors[0]
    assert (rest.code, rest.success, rest.deleted) == (None, True, 6)


@pytest.mark.parametrize(("ceiling", "left"), [(Ceiling(together=7), 1), (Ceiling(), 0)], ids=["rail", "no-rail"])
async def test_rows_of_other_tables_count_and_a_batch_too_many_is_undone(database, ceiling, left):
    carts = await create(
        database, Column("id", Integer, primary_key=True), Column("at", UtcDateTime, index=True), name="carts"
    )
    lines = await create(
        database,
        Column("id", Integer, primary_key=True),
        Column("cart", Integer, ForeignKey(carts.c.id, ondelete="CASCADE"), index=True),
        name="lines",
    )
    await fill(database, carts, [{"id": n, "at": NOW - 9 * DAY} for n in range(3)])
    await fill(database, lines, [{"id": n, "cart": n // 2} for n in range(6)])

    report = await clean(database, RowsPolicy(**{**OLD, "table_name": "carts"}, batch_size=1), ceiling=ceiling)

    assert (len(await values(database, carts.c.id)), len(await values(database, lines.c.id))) == (left, 2 * left)
    assert (report.deleted, report.cascades) == (3 - left, {"lines": 6 - 2 * left})
    assert report.code == ("GUARD_EXCEEDED" if left else None)


@pytest.mark.parametrize("key", [True, False], ids=["by date", "by key"])
async def test_a_batch_of_too_many_bytes_is_undone(sqlite_database, key):
    logs = await create(
        sqlite_database,
        Column("id", Integer, primary_key=True),
        Column("at", UtcDateTime, index=key),
        Column("bytes", Integer),
    )
    await fill(sqlite_database, logs, [{"id": n, "at": NOW - 9 * DAY, "bytes": 100} for n in range(10)])
    policy = RowsPolicy(**OLD, batch_size=3, size_column="bytes", max_bytes=500)

    report = await clean(sqlite_database, policy, ceiling=Ceiling(bytes=500))

    assert (report.code, report.deleted, report.bytes) == ("GUARD_EXCEEDED", 3, 300)
    assert len(await values(sqlite_database, logs.c.id)) == 7
    assert (await clean(sqlite_database, policy, ceiling=Ceiling(bytes=700))).bytes == 700


async def test_the_bytes_of_the_trash_count_too(sqlite_database):
    table = await create(
        sqlite_database,
        Column("id", Integer, primary_key=True),
        Column("at", UtcDateTime),
        Column("gone_at", UtcDateTime),
        Column("bytes", Integer),
    )
    rows = [{"id": n, "at": NOW - 9 * DAY, "gone_at": None if n < 3 else NOW - 9 * DAY, "bytes": 10} for n in range(6)]
    await fill(sqlite_database, table, rows)
    policy = RowsPolicy(**OLD, action="trash", trash_column="gone_at", trash_for=DAY, size_column="bytes", batch_size=1)

    planned = await clean(sqlite_database, policy, dry_run=True)
    report = await clean(sqlite_database, policy, ceiling=Ceiling(bytes=40))

    assert planned.bytes == 60
    assert (report.code, report.bytes, report.deleted) == ("GUARD_EXCEEDED", 40, 1)


async def test_the_trash_counts_together_with_what_goes_into_it(database):
    table = await create(
        database,
        Column("id", Integer, primary_key=True),
        Column("at", UtcDateTime),
        Column("gone_at", UtcDateTime),
    )
    rows = [{"id": n, "at": NOW - 9 * DAY, "gone_at": None if n < 3 else NOW - 9 * DAY} for n in range(6)]
    await fill(database, table, rows)
    policy = RowsPolicy(**OLD, action="trash", trash_column="gone_at", trash_for=DAY)

    report = await clean(database, policy, ceiling=Ceiling(together=4))

    assert (report.code, report.done, report.deleted) == ("GUARD_EXCEEDED", {"trashed": 3}, 1)
