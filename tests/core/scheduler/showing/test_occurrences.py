"""How what was asked of single occurrences reads on a terminal."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from modules.core.scheduler.showing.occurrences import backfilled, bounded, shifted, skipped

THREE, SEVEN = datetime(2026, 12, 1, 2, 0, tzinfo=UTC), datetime(2026, 12, 1, 6, 0, tzinfo=UTC)
TOLD = {"scheduled_for": THREE, "due_at": SEVEN, "until": SEVEN, "upcoming": [THREE, SEVEN]}
REPORT = {"name": "report", "timezone": "Europe/Berlin"}


def test_moments_are_shown_as_they_are_given_in_the_zone_of_the_task() -> None:
    next_ = "next: Tue 2026-12-01 03:00:00 CET, Tue 2026-12-01 07:00:00 CET"
    placed = {"placed": 2, "already": 1, "dry_run": True, "first": THREE, "last": SEVEN}

    assert skipped(REPORT, TOLD) == f"report: the run of Tue 2026-12-01 03:00:00 CET is skipped; {next_}"
    moved = "the run of Tue 2026-12-01 03:00:00 CET starts at Tue 2026-12-01 07:00:00 CET"
    assert shifted(REPORT, TOLD) == f"report: {moved}; {next_}"
    assert bounded(REPORT, TOLD) == f"report: runs until Tue 2026-12-01 07:00:00 CET; {next_}"
    span = "Tue 2026-12-01 03:00:00 CET to Tue 2026-12-01 07:00:00 CET"
    assert backfilled(REPORT, placed) == f"report: 2 occurrences would run, {span}; 1 ran, run or wait already"


@pytest.mark.parametrize("zone", ["Nowhere/Land", ""])
def test_a_zone_that_this_machine_does_not_know_hides_no_moment(zone: str) -> None:
    assert "2026" in skipped({"name": "report", "timezone": zone}, TOLD)
