"""Whoever writes has one transaction, whoever reads has one snapshot, on both databases."""

from __future__ import annotations

import asyncio
import threading
from datetime import timedelta

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from framework.clock import SystemClock
from framework.database import Database
from framework.testing import FakeClock


def run(statement: str) -> object:
    """Return work that runs one statement and returns its first value, if any."""

    def work(c: Connection) -> object:
        result = c.execute(text(statement))
        return result.scalar() if result.returns_rows else None

    return work


COUNT = run("SELECT count(*) FROM notes")
ADD = run("INSERT INTO notes (n) VALUES (1)")


@pytest.fixture
async def database(database: Database) -> Database:
    await database.write(run("CREATE TABLE notes (n INTEGER)"))
    return database


async def test_what_is_written_is_there_for_the_next_reader(database: Database) -> None:
    await database.write(ADD)

    assert await database.read(COUNT) == 1


async def test_work_that_raises_is_undone(database: Database) -> None:
    def work(c: Connection) -> None:
        ADD(c)
        raise LookupError("second thoughts")

    with pytest.raises(LookupError, match="second thoughts"):
        await database.write(work)

    assert await database.read(COUNT) == 0


async def test_a_commit_that_fails_raises_and_leaves_nothing(database: Database) -> None:
    await database.write(run("CREATE TABLE homes (id INTEGER PRIMARY KEY)"))
    await database.write(run("CREATE TABLE cats (home INTEGER REFERENCES homes DEFERRABLE INITIALLY DEFERRED)"))

    with pytest.raises(IntegrityError):
        await database.write(run("INSERT INTO cats VALUES (9)"))

    assert await database.write(run("SELECT count(*) FROM cats")) == 0


async def test_a_reader_cannot_write(database: Database) -> None:
    with pytest.raises(DBAPIError, match=r"read-?only"):
        await database.read(ADD)

    await database.write(ADD)
    assert await database.read(COUNT) == 1


async def test_a_reader_keeps_its_snapshot_and_a_writer_does_not_wait_for_it(database: Database) -> None:
    async with database.connect() as reader:
        before = await reader.run_sync(COUNT)
        await database.write(ADD)
        after = await reader.run_sync(COUNT)

    assert (before, after) == (0, 0)
    assert await database.read(COUNT) == 1


async def test_a_reader_does_not_wait_for_a_writer(database: Database) -> None:
    async with database.begin() as writer:
        await writer.run_sync(ADD)
        seen = await database.read(COUNT)

    assert seen == 0


async def test_writers_beyond_the_pool_wait_their_turn(database: Database) -> None:
    await asyncio.gather(*(database.write(ADD) for _ in range(100)))

    assert await database.read(COUNT) == 100


async def test_writers_are_served_in_the_order_they_came(sqlite_database: Database) -> None:
    served: list[int] = []
    async with sqlite_database.begin():
        waiting = [asyncio.create_task(sqlite_database.write(lambda _c, n=n: served.append(n))) for n in range(20)]
        await asyncio.gather(*(database_is_asked() for _ in range(3)))
    await asyncio.gather(*waiting)

    assert served == list(range(20))


async def database_is_asked() -> None:
    """Give the tasks that were made a turn of the loop."""
    await asyncio.get_running_loop().run_in_executor(None, int)


async def test_a_transaction_inside_a_transaction_is_refused_instead_of_waiting_for_ever(database: Database) -> None:
    async with database.begin() as writer:
        with pytest.raises(RuntimeError, match="already in a transaction"):
            await database.write(ADD)
        with pytest.raises(RuntimeError, match="already in a transaction"):
            async with database.begin():
                pass
        await writer.run_sync(ADD)

    await database.write(ADD)
    assert await database.read(COUNT) == 2


async def test_a_cancelled_writer_leaves_nothing_and_holds_up_nobody(database: Database) -> None:
    entered = asyncio.Event()

    async def slow() -> None:
        async with database.begin() as writer:
            await writer.run_sync(ADD)
            entered.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(slow())
    await entered.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    await database.write(ADD)
    assert await database.read(COUNT) == 1


@pytest.mark.parametrize("where", ["file", "memory"])
async def test_writers_cancelled_anywhere_leave_all_or_nothing(database: Database, where: str) -> None:
    subject = database if where == "file" else Database("sqlite://")
    if where == "memory":
        await subject.write(run("CREATE TABLE notes (n INTEGER)"))

    def twice(c: Connection) -> None:
        ADD(c)
        ADD(c)

    for turns in range(60):
        task = asyncio.create_task(subject.write(twice))
        for _ in range(turns % 20):
            await database_is_asked()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    await subject.write(twice)
    count = await subject.read(COUNT)
    assert isinstance(count, int)
    assert count % 2 == 0
    assert count >= 2
    await subject.close()


async def test_closing_twice_changes_nothing_and_a_closed_database_says_so(database: Database) -> None:
    await database.close()
    await database.close()

    with pytest.raises(RuntimeError, match="the database is closed"):
        await database.write(ADD)
    with pytest.raises(RuntimeError, match="the database is closed"):
        await database.read(COUNT)


async def test_a_transaction_open_at_closing_still_ends_well(database: Database) -> None:
    async with database.begin() as writer:
        await database.close()
        await writer.run_sync(ADD)

    again = database.clone()
    assert await again.read(COUNT) == 1
    await again.close()


async def test_a_clone_serves_a_thread_with_a_loop_of_its_own(database: Database) -> None:
    async def beat() -> None:
        clone = database.clone()
        await clone.write(ADD)
        await clone.close()

    thread = threading.Thread(target=lambda: asyncio.run(beat()))
    thread.start()
    await asyncio.get_running_loop().run_in_executor(None, thread.join)

    assert await database.read(COUNT) == 1


async def test_a_database_in_memory_keeps_its_rows_refuses_readers_that_write_and_cannot_be_cloned() -> None:
    database = Database("sqlite://")
    await database.write(run("CREATE TABLE notes (n INTEGER)"))
    await asyncio.gather(*(database.write(ADD) for _ in range(10)), *(database.read(COUNT) for _ in range(10)))

    with pytest.raises(DBAPIError, match="readonly"):
        await database.read(ADD)
    with pytest.raises(ValueError, match="cannot be cloned"):
        database.clone()
    assert await database.read(COUNT) == 10
    assert await database.version() is None
    await database.close()


async def test_the_offset_between_the_clocks_is_measured(database: Database) -> None:
    clock = SystemClock()
    clock.correct(timedelta(hours=1))

    offset = await database.clock_offset(clock)

    expected = timedelta(hours=-1) if database.dialect == "postgresql" else timedelta(0)
    assert abs(offset - expected) < timedelta(seconds=5)
    assert await database.clock_offset(FakeClock()) == timedelta(0)
    assert database._reader.sync_engine.pool.checkedin() == 0  # over a connection that other looks use, too
