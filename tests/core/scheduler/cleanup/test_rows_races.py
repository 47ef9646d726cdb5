"""What changes between the choice and the deletion: every rule is judged again in the statement that deletes."""

from __future__ import annotations

import pytest
from aged_rows import DAY, NOW, clean, create, fill, values
from sqlalchemy import Boolean, Column, Index, Integer, delete, update

from framework.database import UtcDateTime
from modules.core.scheduler.cleanup import RowsPolicy
from modules.core.scheduler.cleanup.target import Target

ROWS = {"table_name": "logs", "date_column": "at"}


@pytest.fixture
async def logs(database):
    """The table of the test."""
    return await nine_rows(database)


async def nine_rows(database):
    """Rows 1 to 9, row 1 the oldest, a day between them; two owners take turns."""
    table = await create(
        database,
        Column("id", Integer, primary_key=True),
        Column("at", UtcDateTime),
        Column("owner", Integer, nullable=False),
        Column("shift", Integer),
        Column("held", Boolean),
        Column("bytes", Integer),
        Index("ix_logs_owner", "owner", "at"),
    )
    await fill(
        database,
        table,
        [
            {"id": n, "at": NOW - (10 - n) * DAY, "owner": n % 2, "shift": n % 2, "held": False, "bytes": 1000}
            for n in range(1, 10)
        ],
    )
    return table


def interrupted(database, statement):
    """Have somebody else's statement come between the choice and the first batch."""
    really_write = database.write

    async def interrupt_then_write(work):
        database.write = really_write
        await really_write(lambda connection: connection.execute(statement))
        return await really_write(work)

    database.write = interrupt_then_write


def changes(table):
    """By name: the policy, what somebody else does, what must be left, and what is left where nobody looks again."""
    newest_gone = delete(table).where(table.c.id >= 8)
    hold = update(table).where(table.c.id == 2).values(held=True)
    renew = update(table).where(table.c.id == 2).values(at=NOW)
    return {
        "renewed": ({"max_age": 4 * DAY}, renew, {2, 6, 7, 8, 9}, {6, 7, 8, 9}),
        "held": ({"max_age": 4 * DAY, "hold_column": "held"}, hold, {2, 6, 7, 8, 9}, {6, 7, 8, 9}),
        "max_rows": ({"max_rows": 4}, newest_gone, {4, 5, 6, 7}, {6, 7}),
        "keep_where": ({"max_age": 4 * DAY, "keep_where": {"held": True}}, hold, {2, 6, 7, 8, 9}, {6, 7, 8, 9}),
        "max_size_mb": (
            {"max_size_mb": 0.004, "size_column": "bytes"},
            newest_gone,
            {1, 2, 3, 4, 5, 6, 7},
            {6, 7},
        ),
        "keep_newest": ({"keep_newest": {"count": 4}}, newest_gone, {4, 5, 6, 7}, {6, 7}),
        "of each": ({"keep_newest": {"count": 2, "per": ["owner"]}}, newest_gone, {4, 5, 6, 7}, {6, 7}),
        "of each, unindexed": (
            {"keep_newest": {"count": 2, "per": ["shift"]}},
            newest_gone,
            {4, 5, 6, 7},
            {6, 7},
        ),
        "tiers": ({"tiers": {"daily": 3}}, newest_gone, {1, 2, 3, 4, 5, 6, 7}, {7}),
        "min_kept": ({"min_kept": 4}, newest_gone, {1, 2, 3, 4, 5, 6, 7}, {6, 7}),
    }


NAMES = [
    "renewed",
    "held",
    "keep_where",
    "max_size_mb",
    "max_rows",
    "keep_newest",
    "of each",
    "of each, unindexed",
    "tiers",
    "min_kept",
]


@pytest.mark.parametrize("name", NAMES)
async def test_a_row_that_a_rule_keeps_by_now_stays(database, logs, name):
    rules, change, left, _ = changes(logs)[name]
    interrupted(database, change)

    report = await clean(database, RowsPolicy(**ROWS, **rules))

    assert set(await values(database, logs.c.id)) == left
    assert report.skipped["changed"] == report.matched - report.deleted > 0


@pytest.mark.parametrize("name", NAMES)
async def test_without_the_second_look_it_would_go(sqlite_database, name, monkeypatch):
    table = await nine_rows(sqlite_database)
    rules, change, _, unseen = changes(table)[name]
    interrupted(sqlite_database, change)
    monkeypatch.setattr(Target, "again", lambda self, keys: self.rows.among(self.table, keys))

    await clean(sqlite_database, RowsPolicy(**ROWS, **rules))

    assert set(await values(sqlite_database, table.c.id)) == unseen


async def test_the_next_run_gets_right_what_this_one_left_alone(database, logs):
    policy = RowsPolicy(**ROWS, tiers={"daily": 3})
    interrupted(database, delete(logs).where(logs.c.id >= 8))
    await clean(database, policy)

    await clean(database, policy)

    assert await values(database, logs.c.id) == [5, 6, 7]
