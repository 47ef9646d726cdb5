"""No file outside of the cleaned directory is ever deleted, whatever lies or happens in it."""

from __future__ import annotations

import os
import stat
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from modules.core.scheduler.cleanup import FilesPolicy, clean_files
from modules.core.scheduler.cleanup import walk as walking
from modules.core.scheduler.cleanup.files_by_age import left_alone

LONG_AFTER = datetime(2200, 1, 1, tzinfo=UTC)
PASSES = 100


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "root"
    (root / "cleaned").mkdir(parents=True)
    return root


@pytest.fixture
def victim(tmp_path):
    """A file outside of the root that must survive."""
    outside = tmp_path / "outside"
    outside.mkdir()
    victim = outside / "victim"
    victim.write_text("precious")
    return victim


def clean(directory: Path, root: Path, **limits):
    policy = FilesPolicy(directory=directory, recursive=True, **limits)
    return clean_files(policy, roots=[root], now=LONG_AFTER, dry_run=False)


def test_a_link_to_a_file_is_neither_followed_nor_removed(root, victim):
    link = root / "cleaned" / "link"
    link.symlink_to(victim)

    report = clean(root / "cleaned", root)

    assert victim.exists()
    assert link.is_symlink()
    assert report.skipped == {"symlink": 1}


def test_a_link_to_a_directory_is_not_entered(root, victim):
    (root / "cleaned" / "link").symlink_to(victim.parent)

    report = clean(root / "cleaned", root)

    assert victim.exists()
    assert (report.examined, report.deleted) == (1, 0)


@pytest.mark.parametrize("depth", ["cleaned", "cleaned/deeper", "cleaned/deeper/deepest"])
def test_a_link_among_the_components_is_refused(root, victim, depth):
    directory = root / "cleaned"
    directory.rmdir()
    directory.symlink_to(victim.parent)
    below = root / depth
    if below != directory:
        below.mkdir(parents=True)
        (below / "victim").write_text("precious")

    report = clean(below, root)

    assert (below / "victim").exists()
    assert not report.success
    assert "symbolic link" in report.errors[0]


def test_a_root_that_is_a_link_is_refused(tmp_path, root, victim):
    linked = tmp_path / "linked"
    linked.symlink_to(victim.parent.parent)

    report = clean(linked / "outside", linked)

    assert victim.exists()
    assert "symbolic link" in report.errors[0]


def test_a_directory_below_no_allowed_root_is_refused_at_the_run_too(tmp_path, root, victim):
    for directory in (victim.parent, root, tmp_path / "rootless"):
        report = clean(directory, root)

        assert "no allowed root" in report.errors[0]
    assert victim.exists()


def test_a_path_that_climbs_out_is_refused_at_the_run_even_if_it_got_into_a_policy(root, victim):
    climbing = root / "cleaned" / ".." / ".." / "outside"
    checked = FilesPolicy(directory=root / "cleaned")
    unchecked = checked.model_copy(update={"directory": climbing})

    report = clean_files(unchecked, roots=[root], now=LONG_AFTER, dry_run=False)

    assert victim.exists()
    assert not report.success


def test_a_file_with_another_hard_link_is_left_alone(root, victim):
    os.link(victim, root / "cleaned" / "hard")

    report = clean(root / "cleaned", root, max_files=0)

    assert (root / "cleaned" / "hard").exists()
    assert report.skipped == {"hard_link": 1}


def test_what_is_no_regular_file_is_left_alone(root):
    os.mkfifo(root / "cleaned" / "pipe")

    report = clean(root / "cleaned", root)

    assert report.skipped == {"not_a_file": 1}


def test_another_mount_below_is_not_entered(root, monkeypatch):
    (root / "cleaned" / "mounted").mkdir()
    (root / "cleaned" / "mounted" / "other").write_text("precious")
    mounted = (root / "cleaned" / "mounted").stat().st_ino
    really = walking.mount_of

    def mount_of(fd):
        device, mount_id = really(fd)
        return (device, "bind") if os.fstat(fd).st_ino == mounted else (device, mount_id)

    monkeypatch.setattr(walking, "mount_of", mount_of)

    below = clean(root / "cleaned", root)
    directly = clean(root / "cleaned" / "mounted", root)

    assert (root / "cleaned" / "mounted" / "other").exists()
    assert below.skipped == {"other_mount": 1}
    assert "another mount" in directly.errors[0]


@pytest.mark.skipif(not Path("/proc/self/fdinfo").is_dir(), reason="mount ids are known on Linux only")
def test_two_mounts_are_told_apart_by_their_id(root):
    here, there = (os.open(path, os.O_RDONLY | os.O_DIRECTORY) for path in (root, "/proc"))
    try:
        ids = [walking.mount_of(fd)[1] for fd in (here, there)]
    finally:
        os.close(here)
        os.close(there)

    assert None not in ids
    assert ids[0] != ids[1]


def test_a_file_that_changed_after_it_was_judged_is_kept(root, monkeypatch):
    judged = root / "cleaned" / "log"
    judged.write_text("old")
    really = os.stat

    def stat(path, **options):
        if path == "log":
            judged.write_text("written to again")
            os.utime(judged)
        return really(path, **options)

    monkeypatch.setattr(os, "stat", stat)

    report = clean(root / "cleaned", root, max_files_per_run=9)

    assert judged.exists()
    assert report.skipped == {"changed": 1}


def test_a_tree_deeper_than_the_limit_is_told_and_leaks_no_descriptor(root):
    before = len(list(Path("/dev/fd").iterdir()))
    (root / "cleaned" / Path(*["d"] * (walking.MAX_DEPTH + 5))).mkdir(parents=True)

    report = clean(root / "cleaned", root)

    assert "directories deep" in report.errors[0]
    assert len(list(Path("/dev/fd").iterdir())) == before


def test_file_names_with_odd_bytes_are_deleted_like_others(root):
    names = [b"new\nline", b"\xff\xfe", b"-rf", b"a" * 255]
    for name in names:
        (root / "cleaned" / os.fsdecode(name)).write_text("x")

    assert clean(root / "cleaned", root).deleted == len(names)


def test_a_racing_link_never_leads_outside(root, victim):
    inner = root / "cleaned" / "inner"
    parked = root / "parked"
    inner.mkdir()
    stop = threading.Event()

    def swap():
        while not stop.is_set():
            inner.rename(parked)
            inner.symlink_to(victim.parent)
            os.sched_yield()  # the link shall be met
            inner.unlink()
            parked.rename(inner)

    attacker = threading.Thread(target=swap)
    attacker.start()
    try:
        for _ in range(PASSES):
            clean(root / "cleaned", root)
            clean(inner, root)
            if not victim.exists():
                break
    finally:
        stop.set()
        attacker.join()

    assert victim.exists()


def test_the_oldest_age_a_policy_can_ask_for_is_reached_without_overflow(root):
    report = clean(root / "cleaned", root, max_age=timedelta(days=365_250))

    assert report.success


def test_a_file_of_another_device_than_its_directory_is_left_alone():
    seen = {"st_mode": stat.S_IFREG, "st_nlink": 1}

    assert left_alone(SimpleNamespace(st_dev=1, **seen), 1) is None
    assert left_alone(SimpleNamespace(st_dev=2, **seen), 1) == "other_mount"
