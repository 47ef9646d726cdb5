"""How a plan reads on a terminal."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from modules.core.scheduler.showing.plan import applied_lines, plan_lines

NAMED = {"kind": "task", "module_id": "acme.shop", "name": "report", "task_id": "1"}
TWO, SEVEN = datetime(2026, 12, 1, 2, 0, tzinfo=UTC), datetime(2026, 12, 1, 7, 0, tzinfo=UTC)


def lines(**each: Any) -> list[str]:
    counts = {"add": 0, "change": 0, "remove": 0, "same": 0, "refused": 0}
    return plan_lines({"counts": counts, "differences": [{**NAMED, "changes": {}, **each}]})[:-1]


def test_next_times_are_told_by_the_clock_of_the_task_as_its_schedule_is() -> None:
    schedule = "every day at 03:00 (Europe/Berlin)"
    told = {"timezone": "Europe/Berlin", "schedule": schedule, "next_before": [], "next_after": [TWO]}

    assert lines(action="add", **told)[1:] == [f"    schedule: {schedule}", "    next: Tue 2026-12-01 03:00:00 CET"]


def test_times_of_before_a_change_of_the_zone_are_told_by_the_clock_of_before() -> None:
    zones = {"before": "Europe/Berlin", "after": "America/New_York"}
    moved = {"next_before": [TWO], "next_after": [SEVEN], "timezone": zones["after"], "changes": {"timezone": zones}}

    (*_, times) = lines(action="change", **moved)

    assert times == "    next: Tue 2026-12-01 03:00:00 CET -> Tue 2026-12-01 02:00:00 EST"


def test_what_is_refused_needs_no_zone() -> None:
    assert lines(action="refused", message="no such function") == ["! task report of acme.shop: no such function"]


def test_what_was_applied_is_told_again_only_where_it_is_not_what_was_shown() -> None:
    counts = {"add": 1, "change": 0, "remove": 0, "same": 0, "refused": 0}
    applied = {"counts": counts, "differences": [{**NAMED, "changes": {}, "action": "add"}], "seen": "one"}
    done = "1 added, 0 changed, 0 disabled, 0 the same"

    assert applied_lines(applied, "one") == [done]
    assert applied_lines(applied, "another") == ["done otherwise than shown:", "+ task report of acme.shop", done]
