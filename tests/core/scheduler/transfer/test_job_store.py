"""Job stores are read where they are, and nothing else of their database is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from framework.database import Database
from modules.core.scheduler.transfer.job_store import StoreError, read_store


async def test_a_store_on_either_database_is_read_by_its_url(database: Database, database_url: str) -> None:
    def fill(connection: object) -> None:
        binary = "BLOB" if database.dialect == "sqlite" else "BYTEA"
        literal = "X'80054E2E'" if database.dialect == "sqlite" else "'\\x80054E2E'::bytea"
        connection.exec_driver_sql(f"CREATE TABLE mine (id TEXT PRIMARY KEY, job_state {binary})")  # type: ignore[attr-defined]
        connection.exec_driver_sql(f"INSERT INTO mine VALUES ('b', {literal}), ('a', NULL)")  # type: ignore[attr-defined]

    await database.write(fill)
    plain = database_url.replace("+aiosqlite", "").replace("+asyncpg", "+psycopg2")

    assert await read_store(plain, "mine") == [("a", b""), ("b", b"\x80\x05N.")]


@pytest.mark.parametrize(
    ("source", "table", "told"),
    [
        ("nowhere.db", "apscheduler_jobs", "cannot be read"),
        ("mysql://user:s3cr3t@host/name", "apscheduler_jobs", "cannot be read"),
        ("postgresql://me:s3cr3t@127.0.0.1:1/x", "apscheduler_jobs", "cannot be read"),
        ("://", "apscheduler_jobs", "cannot be read"),
        ("jobs.db", 'jobs"; DROP TABLE jobs; --', "is no name of a table"),
    ],
)
async def test_what_cannot_be_read_is_told_without_its_password(
    source: str, table: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    with pytest.raises(StoreError, match=told) as refused:
        await read_store(source, table)

    assert "s3cr3t" not in str(refused.value)
    assert os.listdir(tmp_path) == []  # noqa: PTH208
