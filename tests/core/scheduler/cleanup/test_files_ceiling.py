"""A run of files that would go beyond a guard ends there, as failed; what leaves the trash counts like what enters."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from aged_files import names, write

from modules.core.scheduler.cleanup import Ceiling, FilesPolicy, Limits, clean_files

LATER = datetime(2200, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def folder(tmp_path):
    """Five files of a hundred bytes."""
    for number in range(5):
        write(tmp_path / "files" / str(number), 100)
    return tmp_path / "files"


def clean(folder, now=LATER, dry_run=False, action="delete", **how):
    policy = FilesPolicy(directory=folder, max_age=DAY, action=action)
    return clean_files(policy, roots=[folder.parent], now=now, dry_run=dry_run, **how)


@pytest.mark.parametrize(
    ("ceiling", "gone"),
    [(Ceiling(own=2), 2), (Ceiling(together=2), 2), (Ceiling(bytes=299), 2), (Ceiling(), 5)],
    ids=["own", "together", "bytes", "no-rail"],
)
def test_a_run_takes_what_a_guard_allows_and_no_more(folder, ceiling, gone):
    broken = clean(folder, ceiling=ceiling)
    left = names(folder)
    rest = clean(folder, ceiling=Ceiling(3, 3, 300))

    assert (broken.code, broken.deleted, broken.bytes) == ("GUARD_EXCEEDED" if left else None, gone, 100 * gone)
    assert len(left) == 5 - gone
    assert (rest.code, rest.success, rest.deleted) == (None, True, 5 - gone)


@pytest.mark.parametrize("ceiling", [Ceiling(together=2), Ceiling(bytes=200)])
def test_what_leaves_the_trash_counts(folder, ceiling):
    clean(folder, action="trash")
    planned = clean(folder, now=LATER + 40 * DAY, action="trash", dry_run=True)

    broken = clean(folder, now=LATER + 40 * DAY, action="trash", ceiling=ceiling)
    rest = clean(folder, now=LATER + 40 * DAY, action="trash")

    assert (planned.done, planned.bytes) == ({"purged": 5}, 500)
    assert (broken.code, broken.done) == ("GUARD_EXCEEDED", {"purged": 2})
    assert (rest.code, rest.done) == (None, {"purged": 3})
    assert len(Limits(max_deletions=4, max_bytes=499).judge(planned, 0)) == 2


def test_no_more_than_planned_leaves_the_trash(folder):
    clean(folder, action="trash")

    report = clean(folder, now=LATER + 40 * DAY, action="trash", max_deletions=2)

    assert (report.success, report.done, report.kept) == (True, {"purged": 2}, {"budget": 3})
