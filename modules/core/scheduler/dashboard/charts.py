"""Charts as plain numbers: what the templates draw, within a box of a fixed size that the page stretches."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

WIDTH, HEIGHT = 600, 120
MINUTE = 60
OUTCOMES = {
    "succeeded": ("succeeded",),
    "failed": ("failed", "timed_out", "lost"),
    "missed": ("missed",),
    "skipped": ("skipped", "cancelled"),
}
"""The areas of the chart, from the bottom up: of each the states that it holds."""


def stacked(series: Sequence[Mapping[str, Any]], step: int, last: float) -> dict[str, Any]:
    """Return executions per minute by outcome, `{"areas", "columns", "top", "totals"}`; `last` are the seconds of the
    newest step that have passed.

    An area is `{"outcome", "points"}`, the points of a polygon; a column `{"x", "width", "at", "counts"}`, for what is
    told of one step; `top` is the value at the upper edge.
    """
    counts = [{name: _number(each, states) for name, states in OUTCOMES.items()} for each in series]
    lengths = [*[step] * (len(counts) - 1), max(last, step / 2)]  # of a step that has just begun, no wild guess
    rates = [
        {name: number * MINUTE / seconds for name, number in each.items()}
        for each, seconds in zip(counts, lengths, strict=False)
    ]
    top = ceiling(max((sum(each.values()) for each in rates), default=0.0))
    totals = {name: sum(_number(each, states) for each in series) for name, states in OUTCOMES.items()}
    wide = WIDTH / max(len(series), 1)
    columns = [
        {"x": _round(place * wide), "width": _round(wide), "at": each["at"], "counts": counts[place]}
        for place, each in enumerate(series)
    ]
    return {"areas": _areas(rates, totals, top), "columns": columns, "top": top, "totals": totals}


def _areas(rates: Sequence[Mapping[str, float]], totals: Mapping[str, int], top: float) -> list[dict[str, str]]:
    areas, below = [], [0.0] * len(rates)
    for name in OUTCOMES:
        above = [lower + each[name] for lower, each in zip(below, rates, strict=True)]
        if totals[name]:
            edges = [*_line(above, top), *reversed(_line(below, top))]
            areas.append({"outcome": name, "points": " ".join(f"{x},{y}" for x, y in edges)})
        below = above
    return areas


def _line(values: Sequence[float], top: float) -> list[tuple[float, float]]:
    """Return the points of a line through the middles of the steps, from edge to edge."""
    wide = WIDTH / max(len(values), 1)
    heights = [_round(HEIGHT * (1 - value / top)) for value in values]
    middles = [(_round((place + 0.5) * wide), height) for place, height in enumerate(heights)]
    return [(0, heights[0]), *middles, (WIDTH, heights[-1])] if heights else []


def ceiling(value: float) -> float:
    """Return the smallest of 1, 2 and 5, by powers of ten, that is no less; 1 for nothing."""
    if value <= 0:
        return 1
    power = 10.0 ** math.floor(math.log10(value))
    best = next(step * power for step in (1, 2, 5, 10) if step * power >= value * (1 - 1e-9))
    return int(best) if best >= 1 else best


def _number(step: Mapping[str, Any], states: Sequence[str]) -> int:
    return sum(step["by_state"].get(state, 0) for state in states)


def _round(value: float) -> float:
    return round(value, 2)
