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
IN_TENS = RowsPolicy(**OLD, batch_size=10, shrink=False)


@pytest.fixture
async def aged(sqlite_database):
    """A database with a hundred old rows."""
    table = await create(sqlite_database, Column("id", Integer, primary_key=True), Column("at", UtcDateTime))
    await fill(sqlite_database, table, [{"id": number, "at": NOW - 2 * DAY} for number in range(100)])
    return sqlite_database


@contextmanager
def opened_elsewhere(path):
    """Have another process read the file and keep it open."""
    words = [sys.executable, "-c", OPENING, path]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout.readline() == b"open\n"
        yield
        other.stdin.close()


@pytest.mark.parametrize(("others_write", "rested"), [(False, 1), (True, 9)])
async def test_a_file_is_left_free_now_and_then_while_others_write_to_it(aged, monkeypatch, others_write, rested):
    other, clock = aged.clone(), PassingClock()
    really_write = aged.write

    async def write_beside(work):
        if others_write:
            await other.write(lambda connection: connection.execute(text("CREATE TABLE IF NOT EXISTS t (x)")))
            await other.write(lambda connection: connection.execute(text("INSERT INTO t VALUES (1)")))
        return await really_write(work)

    monkeypatch.setattr(aged, "write", write_beside)
    monkeypatch.setattr(rows, "delete_rows", taking(clock, 1 / 64))
    await clean(aged, IN_TENS, clock=clock)
    await other.close()

    assert clock.slept == [5 / 64] * rested  # half as long as a batch took; alone only after the first


@pytest.mark.skipif(not neighbours.LOCKS.exists(), reason="this system does not tell who has a file open")
@pytest.mark.parametrize(
    ("a_row", "rested"),
    [
        (1 / 64, [courtesy.LONGEST_REST] + [5 / 64] * 8),  # half as long as a batch takes, which is long
        (1 / 256, [courtesy.LONGEST_REST] + [courtesy.SHORTEST_REST] * 2),  # after every three batches
    ],
)
async def test_a_file_that_another_process_has_open_is_left_free_before_anybody_has_written(
    aged, monkeypatch, a_row, rested
):
    clock = PassingClock()

    with opened_elsewhere(aged.path):
        monkeypatch.setattr(rows, "delete_rows", taking(clock, a_row))
        await clean(aged, IN_TENS, clock=clock)

    assert clock.slept == pytest.approx(rested, abs=1e-5)


@pytest.mark.skipif(not neighbours.LOCKS.exists(), reason="this system does not tell who has a file open")
async def test_a_run_writes_the_log_back_itself_so_that_no_commit_of_others_has_to(aged):
    clock, path = PassingClock(), aged.path
    before = path.stat().st_size  # what is not written back yet is in the log alone
    sizes = []

    async def rest(_seconds):
        sizes.append(path.stat().st_size)

    clock.sleep = rest
    with opened_elsewhere(path):
        await clean(aged, IN_TENS, clock=clock)

    assert min(sizes) > before
