"""Rows that cannot be archived are not deleted, and an archive that does not fit restores nothing."""

from __future__ import annotations

import asyncio
import os
import stat
import threading

import pytest
from aged_rows import NOW, clean, create, values
from archived_rows import TO_TABLE, archiving, old_and_new, restored
from sqlalchemy import Column, Integer, Text, insert

from framework.database import UtcDateTime
from framework.testing.statements import watched
from modules.core.scheduler.cleanup import Means, check_rows_policy


@pytest.fixture
def means(tmp_path):
    return Means(roots=(tmp_path,), archive_folder=tmp_path / "archive")


@pytest.fixture
async def logs(database):
    return await create(database, Column("id", Integer, primary_key=True), Column("at", UtcDateTime), Column("x", Text))


@pytest.fixture
async def old_logs(database):
    columns = Column("id", Integer, primary_key=True), Column("at", UtcDateTime), Column("x", Text)
    return await create(database, *columns, name="old_logs")


async def test_rows_that_cannot_be_archived_are_not_deleted(database, logs, means, tmp_path):
    await old_and_new(database, logs)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "archive").symlink_to(tmp_path / "elsewhere")

    report = await clean(database, archiving(), means=means)

    assert "symbolic link" in report.errors[0]
    assert len(await values(database, logs.c.id)) == 28
    assert list((tmp_path / "elsewhere").iterdir()) == []


async def test_rows_are_on_the_disk_before_their_deletion_is_committed(database, logs, means, monkeypatch):
    await old_and_new(database, logs, old=6)
    events = []
    really_sync = os.fsync

    def sync(fd):
        really_sync(fd)
        if stat.S_ISREG(os.fstat(fd).st_mode):
            events.append("on the disk")

    monkeypatch.setattr(os, "fsync", sync)
    with watched(database, lambda statement, _: events.append(statement.split()[0])):
        await clean(database, archiving(batch_size=3), means=means)

    order = [event for event in events if event in ("on the disk", "DELETE", "COMMIT")]
    assert order == ["on the disk", "DELETE", "COMMIT"] * 2


async def test_a_slow_disk_holds_up_nobody_but_the_cleanup(database, logs, means, monkeypatch):
    await old_and_new(database, logs, old=6)
    loop, answered = asyncio.get_running_loop(), []

    def slow(_fd):
        others_go_on = threading.Event()
        loop.call_soon_threadsafe(others_go_on.set)
        answered.append(others_go_on.wait(5))

    monkeypatch.setattr(os, "fsync", slow)
    report = await clean(database, archiving(), means=means)

    assert report.done == {"archived": 6}
    assert answered
    assert all(answered)


async def test_a_row_renewed_after_it_was_chosen_is_neither_archived_nor_deleted(database, logs, means):
    await old_and_new(database, logs, old=6, new=0)
    really_write = database.write

    async def renew_then_write(work):
        renewal = logs.update().where(logs.c.id == 4).values(at=NOW)
        await really_write(lambda connection: connection.execute(renewal))
        return await really_write(work)

    database.write = renew_then_write
    report = await clean(database, archiving(), means=means)
    database.write = really_write

    assert (report.deleted, report.done, report.skipped) == (5, {"archived": 5}, {"changed": 1})
    assert await values(database, logs.c.id) == [4]
    assert await restored(database, archiving(), means) == (5, 0)


async def test_a_table_that_has_the_key_already_stops_the_move_and_nothing_is_half_moved(
    database, logs, old_logs, means
):
    await old_and_new(database, logs)
    await database.write(lambda c: c.execute(insert(old_logs), [{"id": 12, "x": "another"}]))

    report = await clean(database, archiving(**TO_TABLE), means=means)

    assert (report.success, report.deleted) == (False, 0)
    assert len(await values(database, logs.c.id)) == 28
    assert await values(database, old_logs.c.id) == [12]


@pytest.mark.parametrize(
    ("keys", "field"),
    [
        ({"archive_to": {"table": "missing"}}, "archive_to.table"),
        ({"archive_to": {"table": "logs"}}, "archive_to.table"),
        ({"archive_to": {"table": "narrow"}}, "archive_to.table"),
        ({"children": "delete"}, "children"),
    ],
)
async def test_a_place_that_does_not_fit_is_refused(database, logs, means, keys, field):
    await create(database, Column("id", Integer, primary_key=True), Column("at", UtcDateTime), name="narrow")

    problems = await database.read(lambda c: check_rows_policy(c, archiving(**keys)))

    assert field in [problem["field"] for problem in problems]


async def test_rows_that_would_go_along_unarchived_are_a_reason_to_refuse(database, logs, means):
    notes = (
        "CREATE TABLE notes (id INTEGER PRIMARY KEY, log INTEGER,"
        " FOREIGN KEY (log) REFERENCES logs (id) ON DELETE CASCADE)"
    )
    await database.write(lambda c: c.exec_driver_sql(notes))
    await old_and_new(database, logs)

    report = await clean(database, archiving(), means=means)
    await database.write(lambda c: c.exec_driver_sql("DROP TABLE notes"))

    assert "'notes'" in report.errors[0]
    assert len(await values(database, logs.c.id)) == 28


async def test_an_archive_of_another_table_is_refused(database, logs, means):
    await old_and_new(database, logs)
    await clean(database, archiving(), means=means)
    (file,) = (means.archive_folder / "logs").iterdir()
    file.write_bytes(file.read_bytes().replace(b'"table":"logs"', b'"table":"blog"'))

    with pytest.raises(Exception, match="no archive of 'logs'"):
        await restored(database, archiving(), means)


async def test_a_column_that_is_gone_is_named_and_nothing_is_restored(database, logs, means):
    await old_and_new(database, logs)
    await clean(database, archiving(), means=means)
    await database.write(lambda c: c.exec_driver_sql("ALTER TABLE logs DROP COLUMN x"))

    with pytest.raises(Exception, match="no column 'x'"):
        await restored(database, archiving(), means)

    assert await values(database, logs.c.id) == [100, 101, 102]
