"""Memory does not grow with the number of files."""

from __future__ import annotations

import tracemalloc
from datetime import timedelta

import pytest
from aged_files import later

from modules.core.scheduler.cleanup import FilesPolicy, clean_files, cuts
from modules.core.scheduler.cleanup import walk as walking

FEW, MANY = 200, 1_600
POLICIES = {
    "age": {"max_age": "1 day"},
    "groups": {"max_files": 0, "keep_newest": {"count": 3, "per": "suffix"}, "tiers": {"daily": 3}},
    "budget": {"max_age": "1 day", "min_kept": 50, "max_files_per_run": 100},
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Return a folder of few files and one of many; nothing is deleted from them."""
    found = {}
    for count in (FEW, MANY):
        found[count] = tmp_path_factory.mktemp("root") / "cleaned"
        found[count].mkdir()
        for number in range(count):
            (found[count] / f"{number}.log").touch()
    return found


@pytest.mark.parametrize("rules", POLICIES.values(), ids=POLICIES.keys())
def test_many_files_take_no_more_memory_than_few(folders, monkeypatch, rules):
    monkeypatch.setattr(walking, "CHUNK", 50)
    monkeypatch.setattr(cuts, "MOST_BUCKETS", 50)
    monkeypatch.setattr(cuts, "STEP", 1)

    peaks = {count: peak(folders[count], rules) for count in (FEW, MANY)}

    assert peaks[MANY] < 1.5 * peaks[FEW]


def peak(folder, rules) -> int:
    """Return the most bytes held at once by a run: the least of three, for whatever else lives here is traced too."""
    policy = FilesPolicy(directory=folder, **rules)
    now = later(folder, timedelta(days=2))
    report = clean_files(policy, roots=[folder.parent], now=now, dry_run=True)
    assert report.matched + sum(report.kept.values()) == len(list(folder.iterdir()))
    return min(traced_peak(policy, folder, now) for _ in range(3))


def traced_peak(policy, folder, now) -> int:
    tracemalloc.start()
    try:
        clean_files(policy, roots=[folder.parent], now=now, dry_run=True)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
