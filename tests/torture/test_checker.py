"""The checker complains of every wrong that it is there to find, and of nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from benchmarks.torture.checker import check
from benchmarks.torture.evidence import Evidence
from benchmarks.torture.explained import LOST, OVERLAPPED, SET_ASIDE
from benchmarks.torture.ledger import Entry

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
ANYTHING = {LOST, SET_ASIDE, OVERLAPPED}


def task(**changes: Any) -> dict[str, Any]:
    """Return a one-time task that has run; with an interval, a recurring one."""
    row = {"id": "a", "recurring": False, "interval_type": None, "interval_value": None, "status": "completed"}
    row |= {"execution_count": 1, "max_executions": None, "overlap": "skip", "max_instances": 1}
    row |= {"status_reason": None, "function_name": "work"}
    return row | {"delivery": "at_least_once", "next_execution": None} | changes


def row(execution: str = "1", **changes: Any) -> dict[str, Any]:
    """Return an execution that succeeded."""
    fields = {"id": execution, "event_id": "a", "scheduled_for": NOON, "attempt": 1, "state": "succeeded"}
    fields |= {"reason": None, "origin": "schedule", "open_key": None, "start_time": NOON, "end_time": NOON}
    return fields | {"success": True, "missed_count": 0} | changes


def lost(execution: str = "1", **changes: Any) -> dict[str, Any]:
    """Return an execution whose node died."""
    return row(execution, **{"state": "lost", "success": False, "reason": "NODE_LOST", **changes})


def ran(execution: str = "1", attempt: int = 1, tick: int = 0, *whats: str) -> list[Entry]:
    """Return the lines of a run, by default of one that came to its end."""
    lines = whats or ("start", "end")
    wall = NOON.timestamp()
    return [
        Entry(what, execution, "a", NOON.isoformat(), attempt, 7, wall, tick + number)
        for number, what in enumerate(lines)
    ]


GOOD = Evidence([task()], [row()], [], ran(), frozenset({"a"}))
AGAIN = Evidence([task()], [lost(), row("2", attempt=2)], [], [*ran("1", 1, 0, "start"), *ran("2", 2, 9)], frozenset())
EVERY_SECOND = task(recurring=True, interval_type="seconds", interval_value=1, execution_count=2, max_executions=2)
LATER = row("2", scheduled_for=NOON + 3 * SECOND, missed_count=2)
CAUGHT_UP = Evidence(
    [EVERY_SECOND],
    [row(), LATER],
    [],
    [*ran(), *[replace(each, scheduled_for=LATER["scheduled_for"].isoformat()) for each in ran("2", 1, 9)]],
    frozenset(),
    {"a": NOON},
)
FOR_EVER = task(**{**EVERY_SECOND, "status": "pending", "max_executions": None})
GOES_ON = replace(CAUGHT_UP, tasks=[{**FOR_EVER, "next_execution": NOON + 4 * SECOND}])
SKIPPED = row(state="skipped", success=None, reason="OVERLAP", attempt=0, start_time=None)
FAILED = row(state="failed", success=False, reason=None)
ASIDE = row("2", attempt=2, state="failed", success=False, reason="CRASH_LIMIT")


@pytest.mark.parametrize(
    "evidence", [GOOD, AGAIN, CAUGHT_UP, GOES_ON], ids=["once", "run again", "caught up", "goes on"]
)
def test_what_is_right_is_not_complained_of(evidence: Evidence) -> None:
    assert check(evidence, allowed={LOST}) == []


@pytest.mark.parametrize(
    ("evidence", "complaint"),
    [
        (AGAIN, "nothing here explains lost (NODE_LOST)"),
        (replace(GOOD, rows=[FAILED], ledger=[]), "nothing here explains failed (None)"),
        (replace(GOOD, rows=[SKIPPED], ledger=[]), "nothing here explains skipped (OVERLAP)"),
        (replace(AGAIN, rows=[lost(), ASIDE]), "nothing here explains failed (CRASH_LIMIT)"),
    ],
)
def test_what_a_torment_does_not_explain_is_complained_of(evidence: Evidence, complaint: str) -> None:
    assert [each for each in check(evidence) if complaint in each]


def test_what_one_function_may_come_to_another_may_not() -> None:
    evidence = replace(GOOD, rows=[FAILED], ledger=[])

    assert check(evidence, allowed={"failed of hog"})
    assert (
        check(replace(evidence, tasks=[task(function_name="hog", execution_count=1)]), allowed={"failed of hog"}) == []
    )


@pytest.mark.parametrize(
    ("evidence", "complaint"),
    [
        (replace(GOOD, rows=[row(), row("2")]), "2 rows for a"),
        (replace(GOOD, orphans=[row("9")]), "a row without a task"),
        (replace(GOOD, rows=[row(success=False)]), "contradicts itself"),
        (replace(GOOD, rows=[row(open_key="a#0")]), "contradicts itself"),
        (replace(GOOD, rows=[lost(reason=None)]), "contradicts itself"),
        (replace(GOOD, rows=[row(state="running", success=None, end_time=None)]), "still open"),
        (replace(GOOD, tasks=[task(status="pending")]), "never ended"),
        (replace(AGAIN, rows=[lost(), row("2", attempt=3)]), "attempts [1, 3]"),
        (replace(AGAIN, rows=[row(), row("2", attempt=2)]), "completed twice"),
        (replace(AGAIN, rows=[row(), row("2", attempt=2)]), "followed by another attempt"),
        (replace(AGAIN, rows=[lost()]), "started without a row"),
        (replace(GOOD, rows=[lost()]), "cut off and not run again"),
        (replace(GOOD, ledger=[*ran(), *ran()]), "started 2 times"),
        (replace(GOOD, ledger=ran("1", 2)), "started as something else"),
        (replace(GOOD, rows=[row(state="pending", success=None, end_time=None, start_time=None)]), "does not say so"),
        (replace(GOOD, ledger=ran("1", 1, 0, "start")), "came to its end 0 times"),
        (replace(AGAIN, tasks=[task(delivery="at_most_once")]), "at most once, and started 2 times"),
        (
            replace(AGAIN, rows=[row(), row("2", attempt=2)], ledger=[*ran("1", 1, 0), *ran("2", 2, 0)]),
            "at the same time",
        ),
        (replace(GOOD, acknowledged=frozenset({"b"})), "acknowledged and lost: b"),
        (replace(GOOD, rows=[], ledger=[]), "a task without any row"),
        (replace(CAUGHT_UP, rows=[row(), {**LATER, "missed_count": 1}]), "2 nominal times of a"),
        (replace(GOOD, tasks=[task(execution_count=2)]), "counts 2 occurrences and has 1"),
        (replace(CAUGHT_UP, tasks=[{**EVERY_SECOND, "max_executions": 1}]), "was fired 2 times"),
        (replace(CAUGHT_UP, tasks=[{**EVERY_SECOND, "status": "pending"}]), "a recurring task that stands still"),
        (replace(CAUGHT_UP, tasks=[{**EVERY_SECOND, "status": "paused"}]), "a recurring task that stands still"),
        (replace(CAUGHT_UP, tasks=[FOR_EVER]), "a recurring task that stands still"),
        (replace(CAUGHT_UP, promised={"a": NOON - SECOND}), "1 nominal times of a before"),
        (replace(CAUGHT_UP, tasks=[{**EVERY_SECOND, "max_executions": 3}]), "ended after 2 of 3"),
        (replace(GOES_ON, tasks=[{**FOR_EVER, "next_execution": NOON + 6 * SECOND}]), "2 nominal times of a after"),
        (replace(GOOD, rows=[SKIPPED], ledger=[]), "asked for and never tried: a (skipped)"),
        (replace(AGAIN, rows=[lost(), ASIDE]), "set aside after 2 crashes"),
        (replace(GOOD, ledger=[replace(each, wall=each.wall - 2) for each in ran()]), "started 2.0 s early"),
    ],
)
def test_every_wrong_is_complained_of(evidence: Evidence, complaint: str) -> None:
    complaints = check(evidence, earliest=1, allowed=ANYTHING)

    assert [each for each in complaints if complaint in each], complaints


def test_two_open_executions_of_a_task_that_allows_one_are_complained_of() -> None:
    opened = {"state": "running", "success": None, "end_time": None}
    rows = [row(open_key="a#0", **opened), row("2", scheduled_for=NOON + SECOND, open_key="a#0", **opened)]

    complaints = check(replace(GOOD, rows=rows, ledger=[]), settled=False)

    assert complaints == ["key a#0 is held 2 times", "2 executions of a are open"]
