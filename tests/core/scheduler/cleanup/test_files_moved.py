"""What is moved instead of being deleted is whole where it went, and comes back as it was."""

from __future__ import annotations

import errno
import os
import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from aged_files import aged, later, names, synced_before_deleted, write

from modules.core.scheduler.cleanup import (
    FilesPolicy,
    clean_files,
    moving,
    purge_roots,
    restorable_files,
    restore_files,
)
from modules.core.scheduler.cleanup.walk import TRASH

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture
def root(tmp_path):
    (tmp_path / "root" / "cleaned").mkdir(parents=True)
    return tmp_path / "root"


@pytest.fixture
def folder(root):
    return root / "cleaned"


def policy_of(folder: Path, **keys) -> FilesPolicy:
    return FilesPolicy(directory=folder, recursive=True, max_age=DAY, **keys)


def archiving(folder: Path) -> FilesPolicy:
    return policy_of(folder, action="archive", archive_to={"directory": folder.parent / "archive"})


def clean(policy: FilesPolicy, days: float = 2, *, dry_run: bool = False):
    root = policy.directory.parent
    return clean_files(policy, roots=[root], now=later(root, days * DAY), dry_run=dry_run)


def restore(policy: FilesPolicy, **options):
    root = policy.directory.parent
    return restore_files(policy, roots=[root], now=later(root, 2 * DAY), **options)


def contents(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {name: ((folder / name).read_bytes(), (folder / name).stat().st_mtime_ns) for name in names(folder)}


@pytest.fixture(params=["archive", "trash"])
def moving_policy(request, folder):
    return archiving(folder) if request.param == "archive" else policy_of(folder, action="trash", trash_for="7 days")


def test_moved_files_keep_content_path_and_time_and_come_back_as_they_were(folder, moving_policy):
    aged(folder / "a.txt", DAY, 11)
    aged(folder / "deep" / "er" / "a.txt", 2 * DAY, 12)
    before = contents(folder)

    report = clean(moving_policy)
    (stored,) = restorable_files(moving_policy, roots=[folder.parent])
    emptied = names(folder)
    restored = restore(moving_policy)

    assert emptied == set()
    assert (report.matched, report.deleted, sum(report.done.values())) == (2, 2, 2)
    assert (stored["files"], stored["bytes"]) == (2, 23)
    assert (restored.success, restored.done) == (True, {"restored": 2})
    assert contents(folder) == before
    assert restorable_files(moving_policy, roots=[folder.parent]) == []


def test_one_file_comes_back_by_its_path_and_one_run_by_its_id(folder, moving_policy):
    write(folder / "one")
    write(folder / "two")
    clean(moving_policy, days=2)
    write(folder / "three")
    clean(moving_policy, days=3)
    latest, first = restorable_files(moving_policy, roots=[folder.parent])

    by_path = restore(moving_policy, path=folder / "one")
    of_path = names(folder)
    restore(moving_policy, archive=latest["archive"])

    assert (by_path.matched, of_path) == (1, {"one"})
    assert first["files"] == 2
    assert names(folder) == {"one", "three"}


def test_a_restore_never_puts_a_file_over_another(folder, moving_policy):
    for number in range(2):
        write(folder / "log").write_text(f"of day {number}")
        clean(moving_policy, days=2 + number)

    planned = restore(moving_policy, dry_run=True)
    done = restore(moving_policy)

    assert (folder / "log").read_text() == "of day 1"
    assert planned.done == done.done == {"restored": 1}
    assert planned.skipped == done.skipped == {"exists": 1}


def test_a_dry_run_moves_and_restores_nothing(folder, moving_policy):
    write(folder / "old")

    planned = clean(moving_policy, dry_run=True)
    untouched = names(folder.parent)
    clean(moving_policy)
    moved = names(folder.parent)
    restore(moving_policy, dry_run=True)

    assert (planned.matched, sum(planned.done.values()), untouched) == (1, 1, {"cleaned/old"})
    assert names(folder.parent) == moved != untouched


def test_an_id_that_is_not_there_is_an_error(folder, moving_policy):
    assert "no archive" in restore(moving_policy, archive="20260101T000000000000Z").errors[0]


def test_trash_is_deleted_when_its_time_is_over_and_not_before(folder):
    policy = policy_of(folder, action="trash", trash_for="7 days")
    write(folder / "deep" / "old")
    clean(policy, days=2)

    early = clean(policy, days=8.9)
    waiting = names(folder.parent)
    planned = clean(policy, days=9.1, dry_run=True)
    late = clean(policy, days=9.1)

    assert early.done == {}
    assert len(waiting) == 1
    assert planned.done == late.done == {"purged": 1}
    assert list((folder.parent / TRASH).iterdir()) == []


def test_what_in_the_trash_is_no_batch_of_ours_stays(folder):
    stranger = write(folder.parent / TRASH / "20010101T000000000000Z-2001" / "mine")
    write(folder.parent / TRASH / "mine")

    clean(policy_of(folder, action="trash"), days=9_999)

    assert stranger.exists()


def test_a_wider_policy_does_not_go_into_the_trash_of_a_root_within(tmp_path, folder, root):
    write(folder / "old")
    clean(policy_of(folder, action="trash"))

    report = clean_files(policy_of(root), roots=[tmp_path], now=later(root, 99 * DAY), dry_run=False)

    assert report.deleted == 0
    assert len(names(root / TRASH)) == 1


def test_a_file_goes_to_another_file_system_by_a_durable_copy(folder, monkeypatch):
    def rename(*_, **__):
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    aged(folder / "old", DAY, 3_000_000).chmod(0o640)
    before = contents(folder)
    monkeypatch.setattr(os, "rename", rename)
    told = synced_before_deleted(monkeypatch)
    policy = archiving(folder)

    report = clean(policy)
    (moved,) = (folder.parent / "archive").rglob("old")

    assert (names(folder), report.deleted) == (set(), 1)
    assert (moved.read_bytes(), moved.stat().st_mtime_ns) == before["old"]
    assert moved.stat().st_mode & 0o777 == 0o640
    assert told[: told.index("old")][-2:] == ["file", "folder"]


@pytest.mark.parametrize("step", ["check_unchanged", "_copy"])
def test_a_move_that_fails_leaves_the_file_and_nothing_half_in_the_archive(folder, monkeypatch, step):
    def fail(*_, **__):
        raise OSError(errno.EXDEV, "no")

    write(folder / "old")
    monkeypatch.setattr(os, "rename", fail)
    monkeypatch.setattr(moving, step, fail)

    report = clean(archiving(folder))

    assert names(folder.parent) == {"cleaned/old"}
    assert (report.success, report.deleted) == (False, 0)


def test_what_lies_in_the_trash_is_listed_and_comes_back_when_the_action_is_another(folder):
    write(folder / "old")
    clean(policy_of(folder, action="trash"), days=2)
    deleting = policy_of(folder)

    (batch,) = restorable_files(deleting, roots=[folder.parent])
    report = restore(deleting, archive=batch["archive"])

    assert (batch["files"], report.done) == (1, {"restored": 1})
    assert names(folder) == {"old"}


def test_one_directory_that_cannot_take_its_files_back_keeps_no_other_from_it(folder):
    policy = policy_of(folder, action="trash")
    for place in ("bad", "good"):
        write(folder / place / "old")
    clean(policy, days=2)
    shutil.rmtree(folder / "bad")
    write(folder / "bad")

    report = restore(policy)

    assert (report.success, report.error_count, report.done) == (False, 1, {"restored": 1})
    assert "bad" in report.errors[0]
    assert names(folder) == {"bad", "good/old"}


def test_a_trash_that_no_cleanup_empties_is_emptied_in_time(folder):
    write(folder / "old")
    clean(policy_of(folder, action="trash", trash_for="7 days"), days=2)
    how = {"should_stop": lambda: False}

    early = purge_roots([folder.parent], later(folder.parent, timedelta(days=3)), dry_run=False, **how)
    planned = purge_roots([folder.parent], later(folder.parent, timedelta(days=30)), dry_run=True, **how)
    late = purge_roots([folder.parent], later(folder.parent, timedelta(days=30)), dry_run=False, **how)

    assert (early.done, planned.done, late.done) == ({}, {"purged": 1}, {"purged": 1})
    assert restorable_files(policy_of(folder), roots=[folder.parent]) == []
