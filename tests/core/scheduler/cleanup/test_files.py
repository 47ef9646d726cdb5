"""Files go when they break a limit, and only then."""

from __future__ import annotations

import hashlib
import os
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aged_files import aged, later, names, write

from modules.core.scheduler.cleanup import FilesPolicy, clean_files
from modules.core.scheduler.cleanup import walk as walking

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "cleaned"
    folder.mkdir()
    return folder


def clean(folder: Path, now: datetime, *, dry_run: bool = False, **limits):
    policy = FilesPolicy(directory=folder, **limits)
    return clean_files(policy, roots=[folder.parent], now=now, dry_run=dry_run)


def tree_hash(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in [folder, *sorted(folder.rglob("*"))]:
        found = path.lstat()
        digest.update(f"{path} {found.st_mode} {found.st_ino} {found.st_mtime_ns} {found.st_ctime_ns}\n".encode())
        digest.update(path.read_bytes() if stat.S_ISREG(found.st_mode) else b"")
    return digest.hexdigest()


def test_files_older_than_the_age_go_and_the_others_stay(folder):
    write(folder / "old.log")
    now = later(folder, 2 * DAY)
    os.utime(write(folder / "new.log"), (now.timestamp(), now.timestamp()))

    report = clean(folder, now, max_age=DAY)

    assert names(folder) == {"new.log"}
    assert (report.success, report.examined, report.matched, report.deleted, report.bytes) == (True, 2, 1, 1, 10)


def test_age_counts_from_the_later_of_mtime_and_ctime(folder):
    aged(folder / "restored.log", 900 * DAY)

    report = clean(folder, later(folder, HOUR), max_age=DAY)

    assert names(folder) == {"restored.log"}
    assert report.matched == 0


def test_a_pattern_chooses_by_name_and_hidden_files_count(folder):
    for name in ("a.log", ".hidden.log", "a.txt", "A.LOG"):
        write(folder / name)

    clean(folder, later(folder, 2 * DAY), pattern="*.log", max_age=DAY)

    assert names(folder) == {"a.txt", "A.LOG"}


def test_directories_below_are_left_alone_unless_recursive(folder):
    write(folder / "below" / "deep" / "old.log")
    now = later(folder, 2 * DAY)

    clean(folder, now, max_age=DAY)
    kept = names(folder)
    clean(folder, now, max_age=DAY, recursive=True)

    assert kept == {"below/deep/old.log"}
    assert names(folder) == set()
    assert (folder / "below" / "deep").is_dir()


def test_the_newest_files_stay_and_the_older_ones_go(folder):
    for age in range(10):
        aged(folder / f"backup-{age}", age * DAY)

    report = clean(folder, later(folder, HOUR), max_files=7)

    assert names(folder) == {f"backup-{age}" for age in range(7)}
    assert report.deleted == 3


def test_no_file_stays_when_none_may(folder):
    for age in range(5):
        aged(folder / f"file-{age}", age * DAY)

    clean(folder, later(folder, HOUR), max_files=0)

    assert names(folder) == set()


def test_size_is_counted_from_the_newest(folder):
    for age, size in enumerate((400_000, 400_000, 400_000, 100)):
        aged(folder / f"file-{age}", age * DAY, size)

    report = clean(folder, later(folder, HOUR), max_size_mb=1)

    assert names(folder) == {"file-0", "file-1"}
    assert report.bytes == 400_100


def test_a_file_that_breaks_any_one_of_several_limits_goes(folder):
    now = later(folder, 10 * DAY)
    for name, age, size in (("new", HOUR, 10), ("big", 2 * HOUR, 900_000), ("small", 3 * HOUR, 10)):
        moment = (now - age).timestamp()
        os.utime(write(folder / name, size), (moment, moment))
    aged(folder / "ancient", 20 * DAY)

    clean(folder, now, max_age=9 * DAY, max_files=3, max_size_mb=0.5)

    assert names(folder) == {"new"}


def test_a_file_written_a_second_ago_is_kept_whatever_the_limits_say(folder):
    write(folder / "in-use")
    now = later(folder, timedelta(0))

    report = clean(folder, now, max_files=0)

    assert names(folder) == {"in-use"}
    assert report.kept == {"min_age": 1}
    assert clean(folder, now, max_files=0, min_age=0).deleted == 1


def test_a_run_takes_only_so_many_files_and_the_oldest_of_all_folders_first(folder):
    for age in (3, 1, 4, 2, 0):
        aged(folder / f"{age % 2}" / f"file-{age}", age * DAY)
    limits = {"max_files": 0, "recursive": True, "max_files_per_run": 2}

    report = clean(folder, later(folder, HOUR), **limits)
    kept = names(folder)
    clean(folder, later(folder, HOUR), **limits)

    assert kept == {"0/file-0", "1/file-1", "0/file-2"}
    assert (report.success, report.matched, report.kept) == (True, 2, {"budget": 3})
    assert names(folder) == {"0/file-0"}


def test_a_run_ends_after_its_time_but_not_before_it_took_one(folder):
    for age in range(3):
        aged(folder / f"file-{age}", age * DAY)
    policy = FilesPolicy(directory=folder, max_files=0, max_seconds=60)
    seconds = iter(range(0, 10_000, 61))

    report = clean_files(
        policy,
        roots=[folder.parent],
        now=later(folder, HOUR),
        dry_run=False,
        monotonic=lambda: next(seconds),
    )

    assert names(folder) == {"file-0", "file-1"}
    assert "next run" in report.note


def test_a_run_that_is_told_to_stop_deletes_nothing_more(folder):
    write(folder / "old")
    policy = FilesPolicy(directory=folder)

    report = clean_files(
        policy, roots=[folder.parent], now=later(folder, 99 * DAY), dry_run=False, should_stop=lambda: True
    )

    assert (names(folder), report.deleted) == ({"old"}, 0)


def test_a_missing_directory_is_a_note_and_no_failure(folder):
    report = clean(folder / "gone", datetime(2030, 1, 1, tzinfo=UTC))

    assert report.success
    assert "no directory" in report.note


def test_a_file_that_vanishes_meanwhile_is_no_error(folder, monkeypatch):
    write(folder / "old")
    really_unlink = os.unlink

    def vanish(name, *, dir_fd):
        really_unlink(name, dir_fd=dir_fd)
        really_unlink(name, dir_fd=dir_fd)

    monkeypatch.setattr(os, "unlink", vanish)

    report = clean(folder, later(folder, 99 * DAY))

    assert (report.success, report.matched, report.deleted, report.skipped) == (True, 1, 0, {"vanished": 1})


def test_a_file_that_cannot_be_deleted_fails_the_run_which_goes_on(folder, monkeypatch):
    for name in ("first", "locked", "third"):
        write(folder / name)
    really_unlink = os.unlink

    def unlink(name, *, dir_fd):
        if name == "locked":
            raise PermissionError(1, "Operation not permitted")
        really_unlink(name, dir_fd=dir_fd)

    monkeypatch.setattr(os, "unlink", unlink)

    report = clean(folder, later(folder, 99 * DAY))

    assert names(folder) == {"locked"}
    assert (report.success, report.deleted, report.error_count) == (False, 2, 1)
    assert "locked" in report.errors[0]


def test_a_dry_run_counts_what_a_run_deletes_and_writes_nothing(folder):
    for age in range(6):
        aged(folder / "below" / f"file-{age}", age * DAY, size=100 + age)
    (folder / "link").symlink_to(folder / "below")
    now, limits = later(folder, 99 * DAY), {"max_age": 100 * DAY, "max_files": 2, "recursive": True}
    before = tree_hash(folder)

    planned = clean(folder, now, dry_run=True, **limits)
    after = tree_hash(folder)
    done = clean(folder, now, **limits)

    assert before == after
    assert (planned.deleted, planned.dry_run) == (0, True)
    assert (
        (planned.matched, planned.bytes, planned.examined) == (done.deleted, done.bytes, done.examined) == (4, 414, 7)
    )


def test_a_folder_of_more_files_than_one_chunk_is_cleaned_whole(folder, monkeypatch):
    monkeypatch.setattr(walking, "CHUNK", 3)
    for number in range(10):
        write(folder / f"file-{number}")

    assert clean(folder, later(folder, 99 * DAY)).deleted == 10
