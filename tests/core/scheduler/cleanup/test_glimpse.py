"""A dry run shows some of what would go: no more than would, and in the order in which it goes."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from aged_rows import DAY, NOW, clean, create, fill
from sqlalchemy import Column, Date, DateTime, Integer, String

from modules.core.scheduler.cleanup import RowsPolicy

POLICY = RowsPolicy(table_name="logs", date_column="at", max_age=DAY)


@pytest.mark.parametrize("budget", [None, 5])
async def test_what_is_shown_is_what_a_run_would_take(database, budget):
    table = await create(database, Column("id", Integer, primary_key=True), Column("at", DateTime(timezone=True)))
    await fill(database, table, [{"id": 100 - day, "at": NOW - day * DAY} for day in range(30)])

    report = await clean(database, POLICY.model_copy(update={"max_rows_per_run": budget}), dry_run=True)

    taken = [100 - day for day in range(29, 1, -1)][:budget]
    assert report.samples == tuple(f"id={number}" for number in taken[:20])
    assert (report.oldest, report.newest) == (NOW - 29 * DAY, NOW - (100 - taken[-1]) * DAY)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Date(), date(2025, 12, 24)),
        (String(40), "2025-12-24T00:00:00+00:00"),
        (Integer(), int(datetime(2025, 12, 24, tzinfo=UTC).timestamp())),
    ],
)
async def test_a_date_is_shown_as_a_moment_however_it_is_stored(database, kind, value):
    table = await create(
        database, Column("a", Integer, primary_key=True), Column("b", String(5), primary_key=True), Column("at", kind)
    )
    await fill(database, table, [{"a": 1, "b": "x", "at": value}])

    report = await clean(database, dry_run=True)

    assert (report.oldest, report.newest) == (datetime(2025, 12, 24, tzinfo=UTC),) * 2
    assert report.samples == ("a=1, b=x",)


async def test_where_nothing_would_go_nothing_is_shown(database):
    table = await create(database, Column("id", Integer, primary_key=True), Column("at", DateTime(timezone=True)))
    await fill(database, table, [{"id": 1, "at": NOW - timedelta(hours=1)}])

    report = await clean(database, dry_run=True)

    assert (report.oldest, report.newest, report.samples) == (None, None, ())
