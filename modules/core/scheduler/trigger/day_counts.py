"""Counts what fires on many days, in minutes where that will do, and moves on what falls into closed times."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Protocol

from modules.core.scheduler.trigger.day_masks import (
    MINUTE,
    SECOND,
    Grid,
    Row,
    Rows,
    TooCoarse,
    any_of,
    merged,
    nothing,
    paired,
    row_of,
    within,
    without,
)
from modules.core.scheduler.trigger.protocol import TICK


class OnDays(Protocol):
    """What can tell its times by the day."""

    def on_days(self, grid: Grid) -> Rows:
        """Return what fires on each day; raises `TooCoarse`."""


def grid_of(after: datetime, until: datetime, unit: int) -> Grid:
    """Return the days that have a part in `(after, until]` (UTC)."""
    first = (after + TICK).toordinal()
    return Grid(first, max(until.toordinal() - first + 1, 0), unit)


def count(trigger: OnDays, after: datetime, until: datetime) -> int:
    """Return how many times lie in `(after, until]` (UTC), by the day; raises `TooCoarse` where seconds are."""
    if after >= until:
        return 0
    rows, grid = finest(trigger, after, until)
    return counted(within(rows, grid, after, until))


def finest(trigger: OnDays, after: datetime, until: datetime) -> tuple[Rows, Grid]:
    """Return the days of a trigger in minutes, or where it needs them in seconds; raises `TooCoarse`."""
    grid = grid_of(after, until, MINUTE)
    try:
        return trigger.on_days(grid), grid
    except TooCoarse:
        grid = grid._replace(unit=SECOND)
        return trigger.on_days(grid), grid


def counted(rows: Rows) -> int:
    """Return how many times there are on all days."""
    return sum(
        number * row.masks[kind].bit_count() for row in rows.values() for kind, number in Counter(row.kinds).items()
    )


def moved_on(rows: Rows, skipped: Row, closed: Row, grid: Grid, *, is_moving: bool) -> Rows:
    """Return what is open, and at the end of a closed stretch one time where some in it are not skipped.

    `is_moving`: one comes in from before the first day. A stretch is a run of bits: adding one of its own bits to it
    carries into the bit behind it, from one day into the next.
    """
    to_move = without(any_of([nothing(grid), *rows.values()]), skipped)
    kinds, pairs = paired(to_move.kinds, closed.kinds, (len(to_move.masks), len(closed.masks)))
    known: dict[tuple[int, bool], tuple[int, bool]] = {}
    moved = []
    for kind in kinds:
        if (kind, is_moving) not in known:
            fires, shut = to_move.masks[pairs[kind][0]], closed.masks[pairs[kind][1]]
            carried = (fires & shut | is_moving & shut) + shut
            known[kind, is_moving] = (carried & ~shut & grid.full | is_moving & ~shut & 1, bool(carried >> grid.width))
        mask, is_moving = known[kind, is_moving]
        moved.append(mask)
    masks = {mask for mask, _ in known.values()}
    open_rows = {rest: without(row, closed) for rest, row in rows.items()}
    return merged([open_rows, {0: row_of(moved, {mask: mask for mask in masks})}])
