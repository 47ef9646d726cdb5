"""Others who write to the same SQLite file find it free now and then, while a cleanup of rows goes on."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager

import pytest
from aged_rows import DAY, NOW, OLD, PassingClock, clean, create, fill, taking
from sqlalchemy import Column, Integer, text

from framework.database import UtcDateTime, neighbours
from modules.core.scheduler.cleanup import RowsPolicy, courtesy, rows

OPENING = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
connection.execute("SELECT * FROM logs").fetchall()
print("open", flush=True)
sys.stdin.read()
"""


@contextmanager
def opened_elsewhere(path):
    """Have another process read the file and keep it open."""
    words = [sys.executable, "-c", OPENING, path]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout.readline() == b"open\n"
        yield
        other.stdin.close()


@pytest.mark.parametrize(("others_write", "rests"), [(False, 1), (True, 9)])
async def test_a_file_is_left_free_now_and_then_while_others_write_to_it(
    sqlite_database, monkeypatch, others_write, rests
):
    other, clock = sqlite_database.clone(), PassingClock()
    table = await create(sqlite_database, Column("id", Integer, primary_key=True), Column("at", UtcDateTime))
    await fill(sqlite_database, table, [{"id": number, "at": NOW - 2 * DAY} for number in range(100)])
    really_write = sqlite_database.write

    async def write_beside(work):
        if others_write:
            await other.write(lambda connection: connection.execute(text("CREATE TABLE IF NOT EXISTS t (x)")))
            await other.write(lambda connection: connection.execute(text("INSERT INTO t VALUES (1)")))
        return await really_write(work)

    monkeypatch.setattr(sqlite_database, "write", write_beside)
    monkeypatch.setattr(rows, "delete_rows", taking(clock, 1 / 64))
    await clean(sqlite_database, RowsPolicy(**OLD, batch_size=10, shrink=False), clock=clock)
    await other.close()

    assert clock.slept == [5 / 64] * rests  # half as long as a batch took; alone only after the first


@pytest.mark.skipif(not neighbours.LOCKS.exists(), reason="this system does not tell who has a file open")
async def test_a_file_that_another_process_has_open_is_left_free_before_anybody_has_written(
    sqlite_database, monkeypatch
):
    table = await create(sqlite_database, Column("id", Integer, primary_key=True), Column("at", UtcDateTime))
    await fill(sqlite_database, table, [{"id": number, "at": NOW - 2 * DAY} for number in range(100)])
    clock, policy = PassingClock(), RowsPolicy(**OLD, batch_size=10, shrink=False)

    with opened_elsewhere(sqlite_database.path):
        monkeypatch.setattr(rows, "delete_rows", taking(clock, 1 / 64))
        await clean(sqlite_database, policy, clock=clock)

    assert clock.slept == [5 / 64] + [courtesy.SHORTEST_REST] * 8  # the first while nobody knows yet
