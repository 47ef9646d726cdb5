"""What is dropped into the inbox comes in once, whatever it is called, however often, and whoever is killed."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sys
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from aged_files import later
from processes import ROOT
from sqlalchemy import select

from framework.testing import FakeClock
from modules.standard.inbox import inbox_records
from modules.standard.inbox.folder import move, read
from modules.standard.inbox.reading import FileRefused, records_of

CITIES = ROOT / "docs" / "examples" / "cities.csv"


@pytest.fixture
async def inbox(application, database_url, data_dir):
    """A running inbox: `folder`, `run()` for the next run and its result, `rows()` for what is stored."""
    async with application("standard.inbox", database_url, max_file_bytes=2_000) as app:

        async def run():
            newest = next(each for each in await app.advance(5) if each["module_id"] == "standard.inbox")
            assert newest["state"] == "succeeded", newest["error"]
            return newest["result"]

        async def rows():
            stored = select(inbox_records).order_by("content_hash", "position")
            return await app.context.database.read(lambda c: c.execute(stored).all())

        yield SimpleNamespace(folder=data_dir / "inbox", run=run, rows=rows, scheduler=app.scheduler)


def counts(files=0, records=0, failed=0):
    return {"files": files, "records": records, "failed": failed}


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if not path.is_dir() or path.is_symlink()}


async def test_a_dropped_file_becomes_rows_and_is_moved_away(inbox):
    shutil.copy(CITIES, inbox.folder)

    result = await inbox.run()

    rows = await inbox.rows()
    assert result == counts(files=1, records=20)
    assert [row.position for row in rows] == list(range(1, 21))
    assert json.loads(rows[0].record)["time_zone"] == "Pacific/Auckland"
    assert (names(inbox.folder), names(inbox.folder / "done")) == (set(), {"cities.csv"})


async def test_the_same_content_comes_in_once_under_whatever_name(inbox):
    for name in ("a.csv", "b.csv"):
        shutil.copy(CITIES, inbox.folder / name)

    first = await inbox.run()
    shutil.copy(CITIES, inbox.folder / "a.csv")
    again = await inbox.run()

    assert (first, again) == (counts(files=2, records=20), counts(files=1))
    assert len(await inbox.rows()) == 20


async def test_nothing_that_was_done_before_is_overwritten(inbox):
    (inbox.folder / "day.jsonl").write_text('{"day": 1}')
    await inbox.run()
    (inbox.folder / "day.jsonl").write_text('{"day": 2}')

    await inbox.run()

    kept = [path.read_text() for path in (inbox.folder / "done").iterdir()]
    assert sorted(kept) == ['{"day": 1}', '{"day": 2}']


async def test_a_file_that_is_still_being_written_is_left(inbox, clock):
    written = shutil.copy(CITIES, inbox.folder)
    just_before_the_run = clock.now().timestamp() + 5 - 0.9
    os.utime(written, (just_before_the_run, just_before_the_run))

    first = await inbox.run()
    second = await inbox.run()

    assert (first, second) == (counts(), counts(files=1, records=20))


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("short.csv", "a,b\n1,2\n3\n", "line 3 has 1 fields, and the header 2"),
        ("twice.csv", "a,a\n1,2\n", "the first line must name every column, each once"),
        ("broken.jsonl", '{"a": 1}\n{"a": \n', "line 2: "),
        ("number.json", "[1]", "a record must be a JSON object, not int"),
        ("large.csv", "a\n" + "1\n" * 1_000, "it is larger than 2,000 bytes"),
    ],
)
async def test_a_file_that_cannot_be_read_is_set_aside_with_the_reason_and_the_others_come_in(
    inbox, name, content, why
):
    (inbox.folder / name).write_text(content)
    shutil.copy(CITIES, inbox.folder)

    result = await inbox.run()

    failed = inbox.folder / "failed"
    assert result == counts(files=1, records=20, failed=1)
    assert names(failed) == {name, f"{name}.error"}
    assert (failed / f"{name}.error").read_text().startswith(why)


async def test_links_pipes_folders_and_unknown_kinds_are_left_alone(inbox, tmp_path):
    outside = tmp_path / "secret.csv"
    outside.write_text("password\nhunter2\n")
    (inbox.folder / "link.csv").symlink_to(outside)
    os.mkfifo(inbox.folder / "pipe.csv")
    (inbox.folder / "folder.csv").mkdir()
    (inbox.folder / "notes.txt").write_text("hello")

    result = await inbox.run()

    assert result == counts()
    assert names(inbox.folder) == {"link.csv", "pipe.csv", "notes.txt"}
    assert outside.exists()


async def test_a_name_that_is_no_text_and_as_long_as_names_get_does_no_harm(inbox):
    name = os.fsdecode(b"\xff\n" + b"x" * 249 + b".csv")
    (inbox.folder / name).write_text("a\n1\n")

    result = await inbox.run()

    (row,) = await inbox.rows()
    assert result == counts(files=1, records=1)
    assert row.file_name.startswith("?\nx")


async def test_done_files_and_old_records_have_a_retention(inbox, clock):
    shutil.copy(CITIES, inbox.folder)
    await inbox.run()

    clock.move_to(later(inbox.folder, timedelta(days=366)))
    await inbox.scheduler.run_due()

    assert await inbox.rows() == []
    assert names(inbox.folder / "done") == set()


KILLED_BEFORE_THE_MOVE = """
import asyncio, os, signal, sys
from framework import Application
from framework.testing import FakeClock
from modules.core.scheduler import SchedulerService

os.replace = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)

async def main(data_dir, url):
    settings = {"framework": {"data_dir": data_dir, "database_url": url}, "core.scheduler": {"enabled": False}}
    clock = FakeClock()
    async with Application(["core.scheduler", "standard.inbox"], settings, clock) as app_context:
        clock.advance(5)
        await app_context.get_service(SchedulerService).run_due()

asyncio.run(main(*sys.argv[1:]))
"""


async def test_killed_between_commit_and_move_the_rows_stay_single_and_the_next_start_moves_the_file(
    application, database_url, data_dir
):
    (data_dir / "inbox").mkdir(parents=True)
    shutil.copy(CITIES, data_dir / "inbox")
    program = [sys.executable, "-c", KILLED_BEFORE_THE_MOVE, str(data_dir), database_url]
    process = await asyncio.create_subprocess_exec(*program, cwd=ROOT)
    assert await process.wait() == -signal.SIGKILL
    left = names(data_dir / "inbox")

    async with application("standard.inbox", database_url) as app:
        await app.advance(60)
        rows = await app.context.database.read(lambda c: c.execute(select(inbox_records)).all())

    assert left == {"cities.csv"}
    assert len(rows) == 20
    assert (names(data_dir / "inbox"), names(data_dir / "inbox" / "done")) == (set(), {"cities.csv"})


@pytest.mark.parametrize(
    ("name", "content", "records"),
    [
        ("x.CSV", b'\xef\xbb\xbfa,b\r\n1,"2\n3"\r\n\r\n', [{"a": "1", "b": "2\n3"}]),
        ("x.json", b'{"a": [1, null]}', [{"a": [1, None]}]),
        ("x.json", b'[{"a": 1}, {"a": 2}]', [{"a": 1}, {"a": 2}]),
        ("x.json", b"[]", []),
        ("x.jsonl", '{"a": "\u2028"}\n\n{"a": 2}\r\n'.encode(), [{"a": "\u2028"}, {"a": 2}]),
    ],
)
def test_each_kind_of_file_is_read_into_records(name, content, records):
    assert [json.loads(text) for text in records_of(name, content)] == records


@pytest.mark.parametrize("content", [b"", b"\n", b"a,\n1,2\n", b"a\n\xff\n", b'a\n"1\n'])
def test_a_csv_that_is_none_is_refused(content):
    with pytest.raises(FileRefused):
        records_of("x.csv", content)


def test_a_file_that_is_swapped_for_a_link_or_a_pipe_after_the_look_is_not_followed(tmp_path):
    (tmp_path / "secret").write_text("a\nhunter2\n")
    (tmp_path / "link.csv").symlink_to(tmp_path / "secret")
    os.mkfifo(tmp_path / "pipe.csv")

    for name in ("link.csv", "pipe.csv"):
        with pytest.raises(FileRefused):
            read(tmp_path, name, max_bytes=100)


def test_nothing_is_moved_through_a_link_that_stands_where_done_should(tmp_path):
    (tmp_path / "inbox").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "inbox" / "done").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "inbox" / "a.csv").write_text("a\n1\n")

    with pytest.raises(OSError, match=r"symbolic links|Not a directory"):
        move(tmp_path / "inbox", "a.csv", "done", FakeClock().now())

    assert names(tmp_path / "elsewhere") == set()
