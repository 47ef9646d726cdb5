"""SQLite is opened the same way by everybody: durable, strict, and without a race."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from framework.database import Database
from framework.database.engines import WAL_PAGES


def setting(pragma: str) -> Callable[[Connection], object]:
    return lambda c: c.execute(text(f"PRAGMA {pragma}")).scalar()


@pytest.mark.parametrize(("synchronous", "level"), [("full", 2), ("normal", 1)])
async def test_sqlite_is_opened_durable_and_strict(tmp_path: Path, synchronous: str, level: int) -> None:
    database = Database(f"sqlite:///{tmp_path}/app.db", synchronous=synchronous)

    for pragma, value in [
        ("journal_mode", "wal"),
        ("synchronous", level),
        ("foreign_keys", 1),
        ("wal_autocheckpoint", WAL_PAGES),
    ]:
        assert await database.write(setting(pragma)) == value
        assert await database.read(setting(pragma)) == value
    assert await database.read(setting("busy_timeout")) == 10_000

    await database.close()


async def test_whoever_opens_a_fresh_file_at_the_same_moment_gets_in(tmp_path: Path) -> None:
    for number in range(12):
        databases = [Database(f"sqlite:///{tmp_path}/{number}.db") for _ in range(8)]

        modes = await asyncio.gather(*(database.write(setting("journal_mode")) for database in databases))

        assert modes == ["wal"] * 8
        await asyncio.gather(*(database.close() for database in databases))


@pytest.mark.postgres
async def test_no_statement_waits_for_a_lock_for_ever_but_an_upgrade_for_another(postgres_url: str) -> None:
    database = Database(postgres_url)

    def limit(c: Connection) -> str:
        return str(c.exec_driver_sql("SHOW lock_timeout").scalar_one())

    assert (await database.write(limit), await database.alter(limit)) == ("10s", "0")
    await database.close()


@pytest.mark.postgres
@pytest.mark.parametrize("pooled", [False, True])
async def test_a_process_that_stands_still_in_a_transaction_loses_its_locks_but_a_caller_may_take_his_time(
    postgres_url: str, pooled: bool
) -> None:
    database = Database(postgres_url, pooled=pooled)

    def limit(c: Connection) -> str:
        return str(c.exec_driver_sql("SHOW idle_in_transaction_session_timeout").scalar_one())

    of_turns = await database.write(limit), await database.read(limit)
    async with database.begin() as connection:
        of_a_caller = await connection.run_sync(limit)

    assert (of_turns, of_a_caller) == (("10s", "10s"), "0")
    await database.close()


async def test_a_writer_asks_often_whether_another_one_has_ended_so_that_it_does_not_starve(tmp_path: Path) -> None:
    database, asked, often = Database(f"sqlite:///{tmp_path}/app.db"), [], threading.Event()

    def hear(statement: str) -> None:
        asked.append(statement)
        if asked.count("BEGIN IMMEDIATE") == 20:
            often.set()

    await database.write(lambda c: c.connection.driver_connection.set_trace_callback(hear))  # type: ignore[union-attr]
    holder = sqlite3.connect(tmp_path / "app.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")

    waiting = asyncio.create_task(database.write(setting("foreign_keys")))
    has_asked_often = await asyncio.to_thread(often.wait, 5)
    holder.close()

    assert await waiting == 1
    assert has_asked_often
    await database.close()
