"""How a forecast and its pile-ups read on a terminal."""

from __future__ import annotations

from typing import Any

from framework.testing import START
from modules.core.scheduler.showing.ahead import (
    field_rows,
    load_rows,
    pile_up_lines,
    verdict_of_findings,
    verdict_of_forecast,
)


def bar(running: int, waiting: int) -> dict[str, Any]:
    return {"at": START, "occurrences": 7, "running": running, "waiting": waiting}


def test_bars_are_drawn_to_scale_and_no_wider_than_the_widest() -> None:
    assert [row[-1] for row in load_rows([bar(2, 1), bar(0, 0)])] == ["██░", ""]
    assert [row[-1] for row in load_rows([bar(100, 300), bar(100, 0)])] == ["█" * 10 + "░" * 30, "█" * 10]


def test_fields_say_what_they_mean() -> None:
    fields = {
        "minute": {"text": "*/30", "values": [0, 30]},
        "day": {"text": "L", "values": None},
        "month": {"text": "*", "values": [1, 2]},
        "day_of_week": {"text": "1-2", "values": [1, 2]},
    }

    assert [meaning for _, _, meaning in field_rows(fields)] == ["0, 30", "by the month", "every one", "mon, tue"]


def test_a_pile_up_names_its_first_tasks_and_what_would_help() -> None:
    outcome = {"before": {"waiting": 50, "late": 450.0}, "after": {"waiting": 0, "late": 0.0}}
    pile_up = {
        "at": START,
        "times": 24,
        "count": 7,
        "waited": 4,
        "tasks": [{"id": name, "name": name} for name in "abcdefg"],
        "advice": [{"change": "jitter", "text": "jitter of 5m for each of them", **outcome}],
    }

    _, head, names, advice = pile_up_lines([pile_up])

    assert head.startswith("7 tasks at Mon 2026-01-05 ")
    assert head.endswith(", 24 times: 4 have to wait")
    assert names == "  a, b, c, d, e and 2 more"
    assert advice == "  jitter of 5m for each of them: now 50 wait, up to 7m 30s; then 0 wait, up to 0s"


def test_a_forecast_that_is_cut_or_late_says_so() -> None:
    told = {
        "total": 100_000,
        "until": START,
        "slots": 10,
        "nodes": 2,
        "is_cut": True,
        "skipped": 3,
        "use": 0.5,
        "peak": {"running": 10, "waiting": 4},
        "late": {"name": "report", "at": START, "late": 90.0},
    }

    where, cut, use, late = verdict_of_forecast(told)

    assert where.endswith("on 10 slots (2 living)")
    assert cut == "there are more: the forecast ends where 100,000 are reached"
    assert use == "50.0% of the slots' time; at most 10 run and 4 wait, 3 are skipped by overlap"
    assert late.endswith(", 1m 30s late")


def test_findings_are_counted() -> None:
    findings = [{"severity": severity} for severity in ("error", "warning", "warning")]

    told = verdict_of_findings({"findings": findings, "looked_at": 1_200, "is_cut": False})

    assert told == "1,200 pending tasks looked at: 1 error, 2 warnings"
