"""Rows that are gone give their room on the disk back, where SQLite lets them."""

from __future__ import annotations

import sqlite3

import pytest
from aged_rows import DAY, NOW, clean, create, fill
from sqlalchemy import Column, Integer, Text

from framework.database import Database, UtcDateTime
from modules.core.scheduler.cleanup import RowsPolicy


def policy(**keys):
    return RowsPolicy(table_name="logs", date_column="at", max_age=DAY, batch_size=1000, **keys)


@pytest.fixture
async def own(tmp_path):
    """A file with a table of two megabytes, most of them old."""
    database = Database(f"sqlite:///{tmp_path / 'own.db'}")
    await filled(database)
    yield database
    await database.close()


async def filled(database):
    logs = await create(database, Column("id", Integer, primary_key=True), Column("at", UtcDateTime), Column("x", Text))
    old = [{"id": n, "at": NOW - 2 * DAY, "x": "x" * 2000} for n in range(1000)]
    await fill(database, logs, [*old, {"id": 5000, "at": NOW, "x": "kept"}])
    await database.upkeep("PRAGMA wal_checkpoint(TRUNCATE)")
    return logs


@pytest.fixture
async def older(tmp_path):
    """The same in a file that something else has made."""
    path = tmp_path / "older.db"
    made = sqlite3.connect(path)
    made.execute("CREATE TABLE first (id INTEGER)")
    made.commit()
    made.close()
    database = Database(f"sqlite:///{path}")
    await filled(database)
    yield database
    await database.close()


async def test_the_file_becomes_smaller_by_what_the_report_says(own):
    before = own.path.stat().st_size

    report = await clean(own, policy())

    assert (report.errors, report.deleted) == ((), 1000)
    assert report.freed_bytes == before - own.path.stat().st_size > 1_900_000
    assert report.note is None


async def test_little_room_is_kept_for_the_next_rows_unless_all_is_asked_for(own):
    few = await clean(own, policy(max_rows_per_run=50))
    all_asked_for = await clean(own, policy(max_rows_per_run=50, shrink=True))

    assert (few.deleted, few.freed_bytes) == (50, 0)
    assert (all_asked_for.deleted, all_asked_for.freed_bytes > 100_000) == (50, True)


async def test_who_wants_the_room_kept_keeps_it(own):
    before = own.path.stat().st_size

    report = await clean(own, policy(shrink=False))

    assert (report.freed_bytes, own.path.stat().st_size) == (0, before)


async def test_an_older_file_says_what_it_keeps_and_is_written_anew_when_asked(older):
    first = await clean(older, policy(max_rows_per_run=900))
    before = older.path.stat().st_size
    second = await clean(older, policy(shrink=True))
    after = older.path.stat().st_size

    assert first.freed_bytes == 0
    assert "shrink: true" in first.note
    assert second.freed_bytes == before - after > 1_900_000
    assert second.deleted == 100
