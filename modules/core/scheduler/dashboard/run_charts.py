"""Geometry of small charts: numbers become rectangles on a canvas of a fixed size, and templates only draw them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from statistics import fmean
from typing import Any

from modules.core.scheduler.dashboard.wording import OUTCOMES, seconds

STEP, GAP = 12, 3
HEIGHT, CAP = 72, 3
LEAST = 2  # what is next to nothing is still seen


@dataclass(frozen=True, slots=True)
class Bar:
    """A rectangle; `cap` is where a smaller one above it begins, which marks what went wrong, else None."""

    x: int
    y: float
    width: int
    height: float
    kind: str
    title: str
    cap: float | None = None


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars side by side, oldest first, and in words what they show."""

    width: int
    height: int
    bars: tuple[Bar, ...]
    top: str
    words: str


def durations(executions: Sequence[Mapping[str, Any]]) -> Chart:
    """Return how long executions, newest first, took."""
    return _chart(executions, [each["duration"] for each in executions], "took", marked=True)


def latenesses(executions: Sequence[Mapping[str, Any]]) -> Chart:
    """Return how long after they might have started executions, newest first, did."""
    return _chart(executions, [lateness(each) for each in executions], "started late by", marked=False)


def lateness(execution: Mapping[str, Any]) -> float | None:
    """Return by how many seconds an execution started after it might have; None where it has not started."""
    if execution["start_time"] is None:
        return None
    late: timedelta = execution["start_time"] - execution["due_at"]
    return max(late.total_seconds(), 0.0)


def _chart(
    executions: Sequence[Mapping[str, Any]], values: Sequence[float | None], verb: str, *, marked: bool
) -> Chart:
    known = [value for value in values if value is not None]
    most = max(known, default=0.0)
    bars = [
        _bar(number, each, value, most, verb, marked=marked)
        for number, (each, value) in enumerate(zip(reversed(executions), reversed(values), strict=True))
    ]
    words = f"{seconds(fmean(known))} on average, {seconds(most)} at most" if known else "none has started"
    return Chart(max(len(bars), 1) * STEP, HEIGHT, tuple(bars), seconds(most), words)


def _bar(
    number: int, execution: Mapping[str, Any], value: float | None, most: float, verb: str, *, marked: bool
) -> Bar:
    room = HEIGHT - 2 * CAP
    height = LEAST if not value or not most else round(max(room * value / most, LEAST), 1)
    state = execution["state"]
    kind = OUTCOMES.get(state, "quiet") if marked else "plain"
    told = "did not run" if value is None else f"{verb} {seconds(value)}"
    is_bad = marked and kind == "bad"
    top = round(HEIGHT - height, 1)
    title = f"{execution['scheduled_for']:%Y-%m-%d %H:%M:%S} UTC: {state.replace('_', ' ')}, {told}"
    cap = round(top - 2 * CAP, 1) if is_bad else None
    return Bar(number * STEP, top, STEP - GAP, height, kind, title, cap)
