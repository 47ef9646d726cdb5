"""The version of a file tells that another connection has committed, and costs nothing while nobody does."""

from __future__ import annotations

import os

import pytest
from sqlalchemy import Connection, text

from framework.database import Database
from framework.database.file import SqliteFile


def create(c: Connection) -> None:
    c.execute(text("CREATE TABLE notes (n INTEGER)"))


def add(c: Connection) -> None:
    c.execute(text("INSERT INTO notes (n) VALUES (1)"))


async def test_the_version_changes_when_another_connection_commits(sqlite_database: Database) -> None:
    await sqlite_database.write(create)
    other = sqlite_database.clone()
    first = await sqlite_database.version()
    unchanged = await sqlite_database.version()

    await other.write(add)

    assert unchanged == first
    assert await sqlite_database.version() != first
    await other.close()


async def test_a_file_that_nobody_has_touched_is_not_asked_for_its_version(
    sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await sqlite_database.write(create)
    other = sqlite_database.clone()
    path = str(sqlite_database.url.database)
    asked: list[int] = []
    ask = SqliteFile._version
    monkeypatch.setattr(SqliteFile, "_version", lambda self: asked.append(1) or ask(self))
    just_written = [await sqlite_database.version() for _ in range(3)]
    for file in (path, f"{path}-wal"):
        os.utime(file, (1_700_000_000, 1_700_000_000))

    untouched = [await sqlite_database.version() for _ in range(3)]
    before = len(asked)
    await other.write(add)
    changed = await sqlite_database.version()

    assert set(untouched) == set(just_written)
    assert before == 4  # each time while the file was new, and once more
    assert changed not in untouched
    await other.close()


@pytest.mark.postgres
async def test_postgresql_has_no_version(postgres_url: str) -> None:
    database = Database(postgres_url)

    assert await database.version() is None
    await database.close()
