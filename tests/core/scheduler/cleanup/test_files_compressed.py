"""A file that is compressed is never lost, whatever happens meanwhile."""

from __future__ import annotations

import gzip
import os
from datetime import timedelta
from pathlib import Path

import pytest
from aged_files import aged, later, names, synced_before_deleted, write

from modules.core.scheduler.cleanup import FilesPolicy, clean_files, compressing

DAY = timedelta(days=1)


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "root" / "cleaned"
    folder.mkdir(parents=True)
    return folder


def clean(folder: Path, days: float = 2, *, dry_run: bool = False):
    policy = FilesPolicy(directory=folder, recursive=True, max_age=DAY, action="compress")
    return clean_files(policy, roots=[folder.parent], now=later(folder.parent, days * DAY), dry_run=dry_run)


def test_compressed_files_keep_content_mode_and_time_and_are_compressed_once(folder):
    aged(folder / "app.log", DAY, 100_000).chmod(0o640)
    content, stamp = (folder / "app.log").read_bytes(), (folder / "app.log").stat().st_mtime_ns

    report = clean(folder)
    packed = folder / "app.log.gz"
    again = clean(folder, days=9)

    assert names(folder) == {"app.log.gz"}
    assert gzip.decompress(packed.read_bytes()) == content
    assert (packed.stat().st_mtime_ns, packed.stat().st_mode & 0o777) == (stamp, 0o640)
    assert (report.done, report.bytes, again.matched, again.kept) == ({"compressed": 1}, 100_000, 0, {"filtered": 1})
    assert report.freed_bytes > 80_000


def test_what_is_compressed_is_on_the_disk_before_the_file_goes(folder, monkeypatch):
    aged(folder / "app.log", DAY, 1000)
    told = synced_before_deleted(monkeypatch)

    clean(folder)

    assert told[-4:] == ["file", ".app.log.gz.partial", "folder", "app.log"]


@pytest.mark.parametrize("point", ["link", "unlink"])
def test_compression_that_was_killed_is_finished_by_the_next_run(folder, monkeypatch, point):
    class KilledError(BaseException):
        pass

    def kill(*_, **__):
        raise KilledError

    log = write(folder / "app.log", 5_000)
    log.write_bytes(content := os.urandom(5_000))
    with monkeypatch.context() as patch:
        if point == "link":
            patch.setattr(os, "link", kill)
        else:
            really, calls = os.unlink, []
            patch.setattr(os, "unlink", lambda *a, **k: kill() if calls else calls.append(1) or really(*a, **k))
            write(folder / ".app.log.gz.partial")
        with pytest.raises(KilledError):
            clean(folder)
    log_survives = log.read_bytes() == content

    report = clean(folder)

    assert log_survives
    assert report.success
    assert names(folder) == {"app.log.gz"}
    assert gzip.decompress((folder / "app.log.gz").read_bytes()) == content


@pytest.mark.parametrize("there", [gzip.compress(b"something else", mtime=0), b"no gzip at all", b""])
def test_compression_never_takes_the_place_of_another_file(folder, there):
    write(folder / "app.log")
    write(folder / "app.log.gz").write_bytes(there)

    report = clean(folder)

    assert names(folder) == {"app.log", "app.log.gz"}
    assert (folder / "app.log.gz").read_bytes() == there
    assert "holds something else" in report.errors[0]


def test_a_file_written_to_while_it_is_compressed_stays(folder, monkeypatch):
    log = write(folder / "app.log")
    really = compressing.dress

    def dress(target, seen):
        really(target, seen)
        log.write_text("written to meanwhile")

    monkeypatch.setattr(compressing, "dress", dress)

    report = clean(folder)

    assert names(folder) == {"app.log"}
    assert report.skipped == {"changed": 1}
