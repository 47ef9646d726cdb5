"""A backup opens with data, and an older one goes only after a newer one has been verified."""

from __future__ import annotations

import logging
import sqlite3
import stat
from contextlib import closing
from types import SimpleNamespace

import pytest
from sqlalchemy import text

from framework import Application
from framework.database import file_copy
from framework.database.file_copy import BackupDamaged, copy_verified
from modules.core.scheduler import ExecutionCancelled, SchedulerService

PAGE = 4096  # bytes of a page, SQLite's default


@pytest.fixture
async def backups(application, sqlite_url, data_dir):
    """A running backup module: `folder`, and `night()` to let a day pass and return the execution of its backup."""
    async with application("standard.backup", sqlite_url) as app:

        async def night():
            return next(each for each in await app.advance("1 day") if each["module_id"] == "standard.backup")

        yield SimpleNamespace(folder=data_dir / "backups", night=night, app_context=app.context)


@pytest.fixture
def source(tmp_path):
    """A SQLite file in WAL mode with 20,000 rows."""
    path = tmp_path / "app.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE numbers (number INTEGER, filling TEXT)")
        numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)"
        connection.execute(f"INSERT INTO numbers {numbers} SELECT i, hex(randomblob(250)) FROM n")
    return path


def ignore(done, total):
    """Nobody wants to know."""


def count(path):
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT count(*) FROM numbers").fetchone()[0]


def names(folder):
    return sorted(path.name for path in folder.iterdir())


async def test_a_nightly_backup_is_one_private_file_named_after_its_moment(backups):
    execution = await backups.night()

    (backup,) = backups.folder.iterdir()
    assert backup.name == "test-20260106T120000Z.db"
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    assert execution["result"] == {"file": backup.name, "bytes": backup.stat().st_size, "pruned": 0}


async def test_an_application_starts_from_a_restored_backup_with_its_data(backups, tmp_path, clock):
    await backups.app_context.database.write(lambda c: c.execute(text("CREATE TABLE mine (word TEXT)")))
    await backups.app_context.database.write(lambda c: c.execute(text("INSERT INTO mine VALUES ('kept')")))
    await backups.night()

    (backup,) = backups.folder.iterdir()
    restored = backup.rename(tmp_path / "restored.db")
    settings = {"framework": {"database_url": f"sqlite+aiosqlite:///{restored}", "data_dir": str(tmp_path / "new")}}
    async with Application(["core.scheduler"], settings | {"core.scheduler": {"enabled": False}}, clock) as other:
        words = await other.database.read(lambda c: c.execute(text("SELECT word FROM mine")).scalars().all())
        tasks = (await other.get_service(SchedulerService).list_tasks(search="Back up")).unwrap()["tasks"]

    assert words == ["kept"]
    assert [task["name"] for task in tasks] == ["Back up the database"]


async def test_the_newest_seven_stay_and_foreign_files_are_not_touched(backups):
    await backups.night()
    (backups.folder / "notes.txt").write_text("mine")
    (backups.folder / "other-20200101T000000Z.db").write_text("of another database")

    executions = [await backups.night() for _ in range(8)]

    kept = [f"test-202601{day:02}T120000Z.db" for day in range(8, 15)]
    assert names(backups.folder) == ["notes.txt", "other-20200101T000000Z.db", *kept]
    assert [execution["result"]["pruned"] for execution in executions] == [0] * 6 + [1, 1]


async def test_nothing_is_pruned_when_the_new_backup_is_damaged(backups, monkeypatch):
    for _ in range(7):
        await backups.night()
    before = names(backups.folder)

    def damaged(_database):
        raise BackupDamaged("the copy is damaged: row 7 missing from index")

    monkeypatch.setattr(file_copy, "verify", damaged)
    execution = await backups.night()

    assert (execution["state"], execution["attempt"]) == ("failed", 1)
    assert execution["error"].startswith("BACKUP_DAMAGED: the copy is damaged: row 7")
    assert names(backups.folder) == before


async def test_the_newest_stays_although_the_clock_was_set_back(backups, clock):
    backups.folder.mkdir()
    for year in range(2030, 2040):
        (backups.folder / f"test-{year}0101T000000Z.db").touch()

    execution = await backups.night()

    assert execution["result"]["pruned"] == 4
    assert execution["result"]["file"] in names(backups.folder)


async def test_a_restart_finds_the_same_task_again(application, sqlite_url):
    found = []
    for _ in range(2):
        async with application("standard.backup", sqlite_url) as app:
            listed = await app.scheduler.list_tasks(module_id="standard.backup")
            found.append([task["id"] for task in listed.unwrap()["tasks"]])

    assert found[0] == found[1]
    assert len(found[0]) == 1


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.postgres)])
def url_of_no_file(request):
    """The URL of a database that is no file."""
    return "sqlite+aiosqlite:///:memory:" if request.param == "memory" else request.getfixturevalue("postgres_url")


async def test_where_there_is_no_file_nothing_is_scheduled_and_one_line_says_so(application, url_of_no_file, caplog):
    caplog.set_level(logging.INFO, "modules.standard.backup")

    async with application("standard.backup", url_of_no_file) as app:
        listed = await app.scheduler.list_tasks(module_id="standard.backup")
        health = await app.context.health()

    assert listed.unwrap()["tasks"] == []
    assert health["modules"]["standard.backup"]["status"] == "healthy"
    said = [record.getMessage() for record in caplog.records if record.name.startswith("modules.standard.backup")]
    assert len(said) == 1
    assert "no backups are scheduled" in said[0]


def test_a_copy_of_a_damaged_database_is_not_kept(source, tmp_path):
    with source.open("r+b") as file:
        file.seek(100 * PAGE)
        file.write(bytes(PAGE))

    with pytest.raises(BackupDamaged, match="the copy is damaged: "):
        copy_verified(source, tmp_path / "copy.db", ignore)

    assert not list(tmp_path.glob("copy.db*")) + list(tmp_path.glob("app.partial*"))


def test_a_copy_is_one_snapshot_while_others_write(source, tmp_path):
    target = tmp_path / "copy.db"
    rows_written = 0

    def write_meanwhile(done, total):
        nonlocal rows_written
        with closing(sqlite3.connect(source, isolation_level=None)) as other:
            other.execute("INSERT INTO numbers VALUES (0, 'written meanwhile')")
        rows_written += 1

    copy_verified(source, target, write_meanwhile)

    assert rows_written > 1
    assert (count(target), count(source)) == (20_000, 20_000 + rows_written)
    assert not list(tmp_path.glob("copy.db-*"))


def test_a_copy_that_is_told_to_stop_leaves_nothing_behind(source, tmp_path):
    def stop(done, total):
        raise ExecutionCancelled

    with pytest.raises(ExecutionCancelled):
        copy_verified(source, tmp_path / "copy.db", stop)

    assert not list(tmp_path.glob("copy.db*")) + list(tmp_path.glob("app.partial*"))


def test_what_a_killed_process_left_does_not_stand_in_the_way(source, tmp_path):
    (tmp_path / "app.partial").write_bytes(b"half")
    (tmp_path / "app.partial-journal").write_bytes(b"half")

    copy_verified(source, tmp_path / "copy.db", ignore)

    assert count(tmp_path / "copy.db") == 20_000
    assert not list(tmp_path.glob("app.partial*"))
