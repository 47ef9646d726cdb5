"""Counts the moments of an interval that no closed stretch holds: whole days by their kinds, the ends by stretches."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from itertools import accumulate
from typing import NamedTuple

from modules.core.scheduler.trigger.bits import runs_of
from modules.core.scheduler.trigger.closed import Closed
from modules.core.scheduler.trigger.day_counts import grid_of
from modules.core.scheduler.trigger.day_masks import MINUTE, SECOND, SECOND_TICKS, Grid, Row, TooCoarse
from modules.core.scheduler.trigger.protocol import DAY, LAST, TICK
from modules.core.scheduler.trigger.series import Every

FEW = 3  # whole days, which are looked at by stretches as well
A_DAY = DAY // TICK
Stretch = tuple[int, int]  # in microseconds, the second end not included


def count_outside(interval: Every, closed: Closed, after: datetime, until: datetime, *, moves: bool) -> int:
    """Return how many moments of an interval in `(after, until]` are open, by arithmetic.

    With `moves`, those within a closed stretch are one at the end of it.
    """
    begin = grid_of(max(after, interval.start) + DAY, until, MINUTE)
    end = grid_of(min(until, interval.end or LAST), until, MINUTE)
    days = end.first - begin.first
    if days < FEW:
        return _by_stretches(interval, closed, after, until, moves=moves)
    first, last = begin.midnight() - TICK, end.midnight() - TICK
    whole = _by_kinds(interval, closed, begin._replace(days=days), moves=moves)
    ends = [_by_stretches(interval, closed, *both, moves=moves) for both in ((after, first), (last, until))]
    return whole + sum(ends)


class _Kind(NamedTuple):
    """Closed from its midnight to `head`, and from `tail` to the next one; between, what happens by the phase.

    From `steps[n]` microseconds after midnight on, up to the next of them, a first moment makes `counts[n]` of the day.
    """

    head: int
    tail: int
    steps: Sequence[int]
    counts: Sequence[int]

    def count(self, phase: int) -> int:
        return self.counts[bisect_right(self.steps, phase) - 1]


def _by_kinds(interval: Every, closed: Closed, grid: Grid, *, moves: bool) -> int:
    """Count on whole days on which the interval has begun and not ended."""
    row, grid = _row(closed, grid)
    step, begin, total = interval.interval // TICK, 0, 0
    phase, passed = (interval.start - grid.midnight()) // TICK, interval.passed_since(grid.midnight())
    kinds = [_kind(mask, grid, step, moves=moves) for mask in row.masks]
    shut = _shut_before(closed, grid) if moves else None
    for number in row.kinds:
        kind = kinds[number]
        total += kind.count((phase - begin) % step)
        since = begin if shut is None else shut
        shut = since if kind.head == A_DAY else None
        if shut is None and moves:
            total += _is_one(passed, since, begin + kind.head)
            shut = begin + kind.tail if kind.tail < A_DAY else None
        begin += A_DAY
    return total


def _kind(mask: int, grid: Grid, step: int, *, moves: bool) -> _Kind:
    unit = grid.unit * SECOND_TICKS
    shut, opened = ([(low * unit, high * unit) for low, high in runs_of(each)] for each in (mask, grid.full ^ mask))
    head = shut[0][1] if shut and shut[0][0] == 0 else 0
    tail = shut[-1][0] if shut and shut[-1][1] == A_DAY else A_DAY
    arcs = [(low, high, 1) for low, high in opened]
    for low, high in shut if moves else ():
        if low > 0 and high < A_DAY:
            arcs += [(low, min(high, low + step), 1), *([(high, high + 1, -1)] if high - low >= step else [])]
    return _Kind(head, tail, *_steps(arcs, step))


def _steps(arcs: Iterable[tuple[int, int, int]], step: int) -> tuple[Sequence[int], Sequence[int]]:
    """Return from which phases on how many moments lie in stretches, each of them with what one counts there."""
    changes = {0: 0}
    for low, high, one in arcs:
        whole, rest = divmod(high - low, step)
        start, stop = low % step, (low + rest) % step
        changes[0] += one * (whole + (stop < start))
        changes[start] = changes.get(start, 0) + one
        changes[stop] = changes.get(stop, 0) - one
    steps = sorted(changes)
    return steps, list(accumulate(changes[each] for each in steps))


def _by_stretches(interval: Every, closed: Closed, after: datetime, until: datetime, *, moves: bool) -> int:
    row, grid = _row(closed, grid_of(after, until, MINUTE))
    begin, runs = grid.midnight(), _joined(row, grid)
    shut = _shut_before(closed, grid) if moves else None
    if shut is not None:
        runs[:1] = [(shut, runs[0][1])] if runs and not runs[0][0] else [(shut, 0), *runs[:1]]
    low, high = (after - begin) // TICK + 1, (until - begin) // TICK + 1
    passed = interval.passed_since(begin)
    inside = [(max(start, low), min(stop, high)) for start, stop in runs if start < high and stop > low]
    total = passed(high) - passed(low) - sum(passed(stop) - passed(start) for start, stop in inside)
    ends = [run for run in runs if moves and low <= run[1] < high]
    return total + sum(_is_one(passed, *run) for run in ends)


def _is_one(passed: Callable[[int], int], start: int, stop: int) -> bool:
    """Tell whether some moment is moved from a closed stretch to the end of it, where there is no other one."""
    return passed(start) < passed(stop) == passed(stop + 1)


def _shut_before(closed: Closed, grid: Grid) -> int | None:
    """Return when what is closed just before the first day begins, in microseconds after that day's midnight."""
    since = closed.closed_since(grid.midnight() - TICK)
    return None if since is None else (since - grid.midnight()) // TICK


def _row(closed: Closed, grid: Grid) -> tuple[Row, Grid]:
    """Return what is closed in minutes, or where that is too coarse in seconds."""
    try:
        return closed.on_days(grid), grid
    except TooCoarse:
        grid = grid._replace(unit=SECOND)
        return closed.on_days(grid), grid


def _joined(row: Row, grid: Grid) -> list[Stretch]:
    """Return the closed stretches of some days, over midnight as one."""
    unit = grid.unit * SECOND_TICKS
    of_kind = [[(start * unit, stop * unit) for start, stop in runs_of(mask)] for mask in row.masks]
    runs: list[Stretch] = []
    for day, kind in enumerate(row.kinds):
        for start, stop in ((start + day * A_DAY, stop + day * A_DAY) for start, stop in of_kind[kind]):
            if runs and runs[-1][1] == start:
                runs[-1] = (runs[-1][0], stop)
            else:
                runs.append((start, stop))
    return runs
