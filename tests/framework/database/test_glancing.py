"""A glance is a short read: without a thread on a file, without a transaction on a server."""

from __future__ import annotations

import sqlite3

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from framework.database import Database
from framework.database.file import SqliteFile


def run(statement: str) -> object:
    """Return work that runs one statement and returns its first value, if any."""

    def work(c: Connection) -> object:
        result = c.execute(text(statement))
        return result.scalar() if result.returns_rows else None

    return work


async def test_a_glance_sees_what_was_committed_last_and_raises_what_its_work_raises(database: Database) -> None:
    await database.write(run("CREATE TABLE notes (n INTEGER)"))
    await database.read(run("SELECT 1"))
    await database.write(run("INSERT INTO notes (n) VALUES (1)"))

    with pytest.raises(ZeroDivisionError):
        await database.glance(lambda _: 1 / 0)

    assert await database.glance(run("SELECT count(*) FROM notes")) == 1


async def test_a_glance_at_a_locked_file_is_left_to_a_thread_that_waits(
    sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def locked(*_: object) -> None:
        raise OperationalError("SELECT", None, sqlite3.OperationalError("database is locked"))

    monkeypatch.setattr(SqliteFile, "glance", locked)

    assert await sqlite_database.glance(run("SELECT 7")) == 7


@pytest.mark.postgres
async def test_a_glance_over_a_connection_that_is_lost_is_done_anew(postgres_url: str) -> None:
    database, other = Database(postgres_url), Database(postgres_url)
    others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
    await database.read(run("SELECT 1"))
    await other.write(run(f"{others} AND pid != pg_backend_pid()"))

    assert await database.glance(run("SELECT 7")) == 7
    await database.close()
    await other.close()
