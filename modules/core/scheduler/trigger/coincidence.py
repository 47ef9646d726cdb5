"""Counts the moments of several intervals, each moment once: inclusion and exclusion, by arithmetic alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from math import gcd

from modules.core.scheduler.trigger.day_masks import Grid, Row, Rows, nothing
from modules.core.scheduler.trigger.protocol import FIRST, LAST, TICK
from modules.core.scheduler.trigger.series import MAX_INTERVAL, Every, Once

NONE, SECOND = timedelta(0), timedelta(seconds=1)


def count_union(intervals: Sequence[Every | Once], after: datetime, until: datetime) -> int:
    """Return how many different moments of the intervals lie in `(after, until]`."""
    if not intervals:
        return 0
    first, rest = intervals[0], intervals[1:]
    shared = [common for other in rest if (common := meet(first, other)) is not None]
    return (
        first.count_between(after, until)
        + count_union(rest, after, until)
        - count_union(_distinct(shared), after, until)
    )


def meet(left: Every | Once, right: Every | Once) -> Every | Once | None:
    """Return the moments that two series share, None when there are none (the Chinese remainder theorem).

    Where they meet less often than every hundred years, only the first meeting counts.
    """
    if isinstance(left, Once):
        return left if right.count_between(left.run_date - TICK, left.run_date) else None
    if isinstance(right, Once):
        return meet(right, left)
    one, two = left.interval // TICK, right.interval // TICK
    apart = (right.start - left.start) // TICK
    common = gcd(one, two)
    if apart % common:
        return None
    steps = apart // common * pow(one // common, -1, two // common) % (two // common)
    together = one // common * two
    latest = max(left.start, right.start)
    offset = steps * one  # of a meeting from left.start
    offset += max(-((offset - (latest - left.start) // TICK) // together), 0) * together
    return _series(left.start, offset, together, min(left.end or LAST, right.end or LAST))


def has_fractions(trigger: object) -> bool:
    """Tell whether its times, or those of a trigger within it, are apart by fractions of a second."""
    inner = getattr(trigger, "triggers", None) or [getattr(trigger, "trigger", None)]
    interval = getattr(trigger, "interval", NONE)
    return bool(interval % SECOND) or any(has_fractions(each) for each in inner if each is not None)


def beside(interval: Every | Once, rests: Iterable[int], grid: Grid) -> Rows:
    """Return, by the day, what an interval has of the moments that lie so many microseconds after a unit."""
    return {rest: _beside(interval, rest, grid) for rest in rests}


def _beside(interval: Every | Once, rest: int, grid: Grid) -> Row:
    common = meet(interval, Every(timedelta(seconds=grid.unit), FIRST + rest * TICK))
    rows = {} if common is None else common.on_days(grid)
    return rows.get(rest) or nothing(grid)


def _series(start: datetime, offset: int, together: int, end: datetime) -> Every | Once | None:
    if offset > (end - start) // TICK:
        return None
    first = start + offset * TICK
    interval = together * TICK if together <= MAX_INTERVAL // TICK else timedelta(0)
    return Every(interval, first, end if end < LAST else None) if interval else Once(first)


def _distinct(series: Sequence[Every | Once]) -> list[Every | Once]:
    return list(dict.fromkeys(series))
