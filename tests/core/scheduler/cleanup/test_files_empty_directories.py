"""Directories that are empty, or left empty, go when a policy says so."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest
from aged_files import later, write

from modules.core.scheduler.cleanup import FilesPolicy, clean_files

DAY = timedelta(days=1)


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "root" / "cleaned"
    folder.mkdir(parents=True)
    return folder


def clean(folder: Path, days: float = 2, *, dry_run: bool = False):
    policy = FilesPolicy(directory=folder, recursive=True, max_age=DAY, remove_empty=True)
    return clean_files(policy, roots=[folder.parent], now=later(folder.parent, days * DAY), dry_run=dry_run)


def test_directories_left_empty_go_when_they_are_old_and_the_cleaned_one_never(folder):
    for empty in ("a/b/c", "full", "linked"):
        (folder / empty).mkdir(parents=True)
    write(folder / "emptied" / "old")
    (folder / "linked" / "link").symlink_to(folder)
    write(folder / "full" / "young")
    now = later(folder, 2 * DAY)
    os.utime(folder / "full" / "young", (now.timestamp(), now.timestamp()))

    planned = clean(folder, dry_run=True)
    report = clean(folder)

    assert {str(path.relative_to(folder)) for path in folder.rglob("*")} == {
        "full",
        "full/young",
        "linked",
        "linked/link",
    }
    assert planned.done == report.done == {"directories": 4}


def test_a_directory_that_changed_lately_stays_though_it_is_empty(folder):
    (folder / "fresh").mkdir()

    report = clean(folder, days=0.5)

    assert (folder / "fresh").exists()
    assert report.done == {}
