"""No more files go than a run may take, whatever turns up while it goes on."""

from __future__ import annotations

from datetime import timedelta

import pytest
from aged_files import aged, later, names

from modules.core.scheduler.cleanup import FilesPolicy, clean_files
from modules.core.scheduler.cleanup.judging import Judge

DAY = timedelta(days=1)


@pytest.fixture
def folder(tmp_path):
    for place in range(4):
        aged(tmp_path / "cleaned" / f"{place}.log", (10 - place) * DAY)
    return tmp_path / "cleaned"


@pytest.mark.parametrize("most", range(6))
@pytest.mark.parametrize("dry_run", [False, True])
def test_no_more_go_than_a_run_may_take_even_where_that_is_none(folder, most, dry_run):
    policy = FilesPolicy(directory=folder, max_files=0)

    report = clean_files(policy, roots=[folder.parent], now=later(folder, DAY), dry_run=dry_run, max_deletions=most)

    going = min(most, 4)
    assert (report.matched, report.kept) == (going, {"budget": 4 - going} if going < 4 else {})
    assert names(folder) == {f"{place}.log" for place in range(0 if dry_run else going, 4)}


@pytest.mark.parametrize("most", [0, 2])
def test_files_that_turn_up_once_the_run_was_judged_do_not_go_beyond_it(folder, monkeypatch, most):
    learn = Judge.learn

    def learn_and_be_surprised(self, look, needed=0):
        learn(self, look, needed)
        for place in range(20):
            aged(folder / f"late-{place}.log", 100 * DAY)

    monkeypatch.setattr(Judge, "learn", learn_and_be_surprised)
    policy = FilesPolicy(directory=folder, max_age=DAY, age_by="mtime")

    report = clean_files(policy, roots=[folder.parent], now=later(folder, DAY), dry_run=False, max_deletions=most)

    assert (report.deleted, report.kept) == (most, {"budget": 24 - most})
    assert len(names(folder)) == 24 - most
