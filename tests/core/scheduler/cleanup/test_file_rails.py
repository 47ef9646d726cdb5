"""Each rail of the files' cleaner keeps a sentinel alive, and without the rail the sentinel goes."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aged_files import later, names, write

from modules.core.scheduler.cleanup import FilesPolicy, carrying_out, clean_files, files, files_by_age, restore_files
from modules.core.scheduler.cleanup import walk as walking

LONG_AFTER = datetime(2200, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def root(tmp_path):
    (tmp_path / "root" / "cleaned" / "inner").mkdir(parents=True)
    return tmp_path / "root"


@pytest.fixture
def cleaned(root):
    return root / "cleaned"


@pytest.fixture
def outside(tmp_path):
    """A folder that nobody may clean; what is in it must survive."""
    write(tmp_path / "outside" / "sentinel")
    return tmp_path / "outside"


@pytest.fixture(params=[True, False], ids=["rail", "no-rail"])
def rail(request):
    """Whether the rail of the test is there: the sentinel must live exactly then."""
    return request.param


def clean(directory: Path, root: Path, **keys):
    policy = FilesPolicy(directory=directory, recursive=True, **keys)
    return clean_files(policy, roots=[root], now=LONG_AFTER, dry_run=False)


def swap_before_it_is_opened(monkeypatch, place: Path, target: Path) -> None:
    """Put a link in the place of a directory at the last moment, after it was looked at, as an attacker would."""
    really = os.open

    def swapped(path, flags, *args, **options):
        if path == place.name and options.get("dir_fd") is not None and not place.is_symlink():
            place.rename(place.with_name("parked"))
            place.symlink_to(target)
        return really(path, flags, *args, **options)

    monkeypatch.setattr(os, "open", swapped)


@pytest.mark.parametrize("swapped", ["cleaned", "cleaned/inner"])
def test_no_link_is_followed_that_takes_a_directorys_place(root, cleaned, outside, monkeypatch, rail, swapped):
    if not rail:
        monkeypatch.setattr(walking, "_FLAGS", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    swap_before_it_is_opened(monkeypatch, root / swapped, outside)

    report = clean(cleaned, root)

    assert (outside / "sentinel").exists() is rail
    assert report.success is not rail


def test_a_directory_must_lie_below_an_allowed_root_at_the_run_too(root, outside, monkeypatch, rail):
    if not rail:
        monkeypatch.setattr(files, "innermost_root", lambda directory, _: directory.parent)

    clean(outside, root)

    assert (outside / "sentinel").exists() is rail


def test_no_mount_is_crossed_even_of_the_same_device(cleaned, root, outside, monkeypatch, rail):
    with bound(outside, cleaned / "inner"):
        if not rail:
            monkeypatch.setattr(walking, "mount_of", lambda _: (0, None))

        clean(cleaned, root)

        assert (outside / "sentinel").exists() is rail


def test_another_device_is_not_entered_whatever_its_mount_id(cleaned, root, monkeypatch, rail):
    """A directory's device is told by its descriptor; here one directory claims to lie on another."""
    sentinel = write(cleaned / "inner" / "sentinel")
    other = (cleaned / "inner").stat().st_ino
    really = walking.mount_of
    if rail:
        monkeypatch.setattr(walking, "mount_of", lambda fd: (-1, None) if os.fstat(fd).st_ino == other else really(fd))

    clean(cleaned, root)

    assert sentinel.exists() is rail


@pytest.mark.parametrize("rules", [{}, {"max_files_per_run": 9}], ids=["by age alone", "judged beforehand"])
def test_a_name_that_another_place_shares_is_not_taken(cleaned, root, outside, monkeypatch, rail, rules):
    os.link(outside / "sentinel", cleaned / "shared")
    if not rail:
        for road in (files, files_by_age):
            monkeypatch.setattr(road, "left_alone", lambda *_: None)

    clean(cleaned, root, **rules)

    assert (cleaned / "shared").exists() is rail


def test_a_file_that_takes_the_place_of_the_one_judged_is_not_deleted(cleaned, root, monkeypatch, rail):
    """Another file is renamed to the name of the old one just after that was condemned."""
    write(cleaned / "log")
    sentinel = write(root / "fresh", 99)
    really = files._Run._take

    def take(*args):
        sentinel.replace(cleaned / "log")
        return really(*args)

    monkeypatch.setattr(files._Run, "_take", take)
    if not rail:
        monkeypatch.setattr(carrying_out, "check_unchanged", lambda *_: None)

    clean(cleaned, root, max_files_per_run=9)

    assert (cleaned / "log").exists() is rail


@pytest.mark.parametrize("action", ["archive", "trash"])
def test_nothing_is_moved_through_a_link(cleaned, root, outside, monkeypatch, rail, action):
    secret = write(cleaned / "secret")
    place = {"archive_to": {"directory": root / "archive"}} if action == "archive" else {}
    (root / ("archive" if place else ".trash")).symlink_to(outside)
    if not rail:
        monkeypatch.setattr(walking, "_FLAGS", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)

    clean(cleaned, root, action=action, **place)

    assert secret.exists() is rail
    assert (names(outside) == {"sentinel"}) is rail


def test_nothing_is_restored_through_a_link(cleaned, root, outside, monkeypatch, rail):
    write(cleaned / "inner" / "file")
    policy = FilesPolicy(directory=cleaned, recursive=True, action="trash")
    clean_files(policy, roots=[root], now=LONG_AFTER, dry_run=False)
    (cleaned / "inner").rmdir()
    (cleaned / "inner").symlink_to(outside)
    if not rail:
        monkeypatch.setattr(walking, "_FLAGS", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)

    restore_files(policy, roots=[root], now=LONG_AFTER)

    assert (names(outside) == {"sentinel"}) is rail


def test_the_trash_is_not_cleaned_by_a_policy_around_it(root, cleaned, monkeypatch, rail):
    write(cleaned / "file")
    clean(cleaned, root, action="trash")
    if not rail:
        monkeypatch.setattr(walking, "TRASH", ".other")

    clean_files(FilesPolicy(directory=root, recursive=True), roots=[root.parent], now=LONG_AFTER + DAY, dry_run=False)

    assert bool(names(root / ".trash")) is rail


def test_a_storm_of_renames_takes_nothing_young_and_nothing_outside(root, cleaned, outside):
    """Folders, young and old files trade places all the time; only what is old within the directory may go."""
    now = later(root, 2 * DAY)
    for number in range(4):
        young = write(cleaned / f"folder-{number}" / "young")
        os.utime(young, (now.timestamp(), now.timestamp()))
    stop, policy, passes = threading.Event(), FilesPolicy(directory=cleaned, recursive=True, max_age=DAY), 0

    def storm():
        for number in itertools.cycle(range(4)):
            if stop.is_set():
                return
            write(cleaned / f"folder-{number}" / "old")
            (cleaned / f"folder-{number}").rename(cleaned / "inner" / "passing")
            (cleaned / f"folder-{(number + 1) % 4}").rename(cleaned / f"folder-{number}")
            (cleaned / "inner" / "passing").rename(cleaned / f"folder-{(number + 1) % 4}")

    attacker = threading.Thread(target=storm)
    attacker.start()
    deleted = 0
    try:
        while passes < 300:
            deleted += clean_files(policy, roots=[root], now=now, dry_run=False).deleted
            passes += 1
    finally:
        stop.set()
        attacker.join()

    assert deleted
    assert len(list(cleaned.rglob("young"))) == 4
    assert (outside / "sentinel").exists()


@contextmanager
def bound(source: Path, target: Path):
    """Bind a folder to another place, or skip where this process may not mount."""
    mount = shutil.which("mount")
    done = mount and subprocess.run([mount, "--bind", source, target], capture_output=True, check=False)
    if not done or done.returncode:
        pytest.skip("a bind mount needs the right to mount; run the tests as root to see this rail")
    try:
        yield
    finally:
        subprocess.run(["umount", target], check=True)
