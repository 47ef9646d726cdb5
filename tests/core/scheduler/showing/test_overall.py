"""How the scheduler as a whole reads on a terminal."""

from __future__ import annotations

from typing import Any

from modules.core.scheduler.showing.overall import WIDEST, bars, stats_facts

QUIET: dict[str, Any] = {
    "window": "24h",
    "executions": 0,
    "by_state": {},
    "success_rate": None,
    "duration": {"average": None, "p50": None, "p95": None, "longest": None},
    "lateness": {"average": None, "longest": None},
    "series": [{"at": None, "by_state": {}}],
    "complete": True,
}


def test_what_has_not_run_has_no_times() -> None:
    assert stats_facts(QUIET, "all tasks") == [("of", "all tasks, the last 24h"), ("executions", "0")]


def test_statistics_are_said_in_words() -> None:
    busy = QUIET | {
        "executions": 1_200,
        "by_state": {"succeeded": 1_199, "timed_out": 1},
        "success_rate": 1_199 / 1_200,
        "duration": {"average": 0.02, "p50": 0.01, "p95": 1.5, "longest": 90.0},
        "lateness": {"average": 0.0, "longest": 2.0},
        "series": [{"at": None, "by_state": {"succeeded": each}} for each in (0, 5, 10)],
        "complete": False,
    }

    assert stats_facts(busy, "nightly")[2:] == [
        ("succeeded", "1,199"),
        ("timed out", "1"),
        ("success", "99.92%"),
        ("took", "20 ms on average, 10 ms at the median, 1.5 s at the 95th percentile, 1m 30s at most"),
        ("late", "0 ms on average, 2.0 s at most"),
        ("over time", "▁▅█"),
        ("", "the newest ones only; there are more"),
    ]


def test_a_long_series_is_gathered_into_few_bars() -> None:
    assert bars([]) == bars([0, 0]) == ""
    assert bars([1] * 168) == "█" * 56
    assert len(bars(list(range(1_000)))) <= WIDEST
