"""Triggers that fire at times of the wall clock: which times is theirs to say, when that is in UTC is found here."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterator, Sequence
from datetime import UTC, date, datetime, time
from typing import Protocol

from modules.core.scheduler.trigger import wall_clock
from modules.core.scheduler.trigger.day_masks import Grid, Rows, first_of_each, row_of, within
from modules.core.scheduler.trigger.protocol import DAY, FIRST, LAST, TICK, as_utc, checked_moment
from modules.core.scheduler.trigger.wall_clock import AS_IT_RUNS, Dst, Stretch, changing_days
from modules.core.scheduler.trigger.wall_days import on_utc_days, wall_dates
from modules.core.scheduler.trigger.zones import offset_shown, shown_at, zone

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
WALL_EPOCH = EPOCH.replace(tzinfo=None)
END = LAST.replace(tzinfo=None) + DAY  # no zone's wall clock is further ahead
AROUND_A_CHANGE = 2 * DAY  # no change of the clocks leaves out or repeats more than a day
MIDNIGHT = time()
combine = datetime.combine


class WallTimes(Protocol):
    """A set of naive wall-clock times, in order."""

    @property
    def fixed_hour(self) -> bool:
        """Whether each time is meant once; otherwise the times follow elapsed time, whatever the clock is set to."""

    def first_in(self, first: datetime, stop: datetime) -> datetime | None:
        """Return the earliest time in `[first, stop)`."""

    def last_in(self, first: datetime, stop: datetime) -> datetime | None:
        """Return the latest time in `[first, stop)`."""

    def count_in(self, first: datetime, stop: datetime) -> int:
        """Return how many times lie in `[first, stop)`, without visiting each."""

    def all_in(self, first: datetime, stop: datetime) -> Iterator[datetime]:
        """Yield the times in `[first, stop)`, oldest first."""

    def kinds_of(self, first: date, days: int) -> Sequence[Hashable]:
        """Return keys of so many days from the first on, equal for those with the same times, in this answer alone."""

    def rest(self, unit: int) -> int:
        """Return how many microseconds after a unit of so many seconds each time lies; else raises `TooCoarse`."""

    def mask_of(self, day: date, unit: int) -> int:
        """Return the units of a day in which it has a time, as bits."""


class OnWallClock(ABC):
    """A time trigger made of wall-clock times in a zone, within `[start, end]`, resolved as `dst` says."""

    __slots__ = ()
    zone: str
    start: datetime | None
    end: datetime | None
    dst: Dst

    @property
    @abstractmethod
    def times(self) -> WallTimes:
        """The wall-clock times."""

    def next_after(self, moment: datetime) -> datetime | None:
        """Wall clock first, and one mapping to UTC; only around a change of the clocks stretch by stretch."""
        after, until = as_utc(moment), self.end or LAST
        if self.start is not None and after < self.start:
            after = self.start - TICK
        place = zone(self.zone)
        while after < until:
            shown = shown_at(place, after)
            if (shown.month, shown.day) not in changing_days(place, shown.year):
                wall = self.times.first_in(combine(shown.date(), shown.time()) + TICK, END)
                if wall is None:
                    return None
                found = EPOCH + (wall - WALL_EPOCH - offset_shown(place, wall))
                if (wall.month, wall.day) not in changing_days(place, wall.year):
                    return found if found <= until else None
                after = max(after, found - AROUND_A_CHANGE)
            nearby = after + min(2 * AROUND_A_CHANGE, until - after)
            for stretch in self._stretches(after, nearby):
                wall = self.times.first_in(stretch.first, stretch.stop)
                if wall is not None:
                    return stretch.instant(wall)
            after = nearby
        return None

    def latest_until(self, moment: datetime, after: datetime) -> datetime | None:
        """As `next_after`, backwards."""
        until, after = min(as_utc(moment), self.end or LAST), as_utc(after)
        if self.start is not None and after < self.start:
            after = self.start - TICK
        place = zone(self.zone)
        earliest = combine(after.date(), MIDNIGHT) - DAY
        while after < until:
            shown = shown_at(place, until)
            if (shown.month, shown.day) not in changing_days(place, shown.year):
                wall = self.times.last_in(earliest, combine(shown.date(), shown.time()) + TICK)
                if wall is None:
                    return None
                found = EPOCH + (wall - WALL_EPOCH - offset_shown(place, wall))
                if (wall.month, wall.day) not in changing_days(place, wall.year):
                    return found if found > after else None
                until = min(until, found + AROUND_A_CHANGE)
            nearby = until - min(2 * AROUND_A_CHANGE, until - after)
            for stretch in self._stretches(nearby, until, newest_first=True):
                wall = self.times.last_in(stretch.first, stretch.stop)
                if wall is not None:
                    return stretch.instant(wall)
            until = nearby
        return None

    def count_between(self, after: datetime, until: datetime) -> int:
        return sum(self._count(stretch) for stretch in self._stretches(after, until))

    def between(self, after: datetime, until: datetime) -> Iterator[datetime]:
        for stretch in self._stretches(after, until):
            walls = self.times.all_in(stretch.first, stretch.stop)
            if stretch.at is None:
                yield from (stretch.instant(wall) for wall in walls)
            elif next(walls, None) is not None:
                yield stretch.at

    def on_days(self, grid: Grid) -> Rows:
        first, days = wall_dates(grid)
        rest, kinds = self.times.rest(grid.unit), self.times.kinds_of(first, days)
        one_of = first_of_each(kinds)
        walls = row_of(kinds, {kind: self.times.mask_of(first + day * DAY, grid.unit) for kind, day in one_of.items()})
        rows = on_utc_days(walls, rest, zone(self.zone), self._dst, grid)
        return within(rows, grid, self.start - TICK if self.start else FIRST, self.end or LAST)

    def _check_window(self) -> None:
        """For `__post_init__`: bring `start` and `end` to UTC; raises `TriggerError`, also for an unknown zone."""
        zone(self.zone)
        for field in ("start", "end"):
            moment = getattr(self, field)
            if moment is not None:
                object.__setattr__(self, field, checked_moment(moment, field))

    def _count(self, stretch: Stretch) -> int:
        count = self.times.count_in(stretch.first, stretch.stop)
        return count if stretch.at is None else min(count, 1)

    def _stretches(self, after: datetime, until: datetime, *, newest_first: bool = False) -> Iterator[Stretch]:
        after = max(as_utc(after), self.start - TICK if self.start else FIRST)
        until = min(as_utc(until), self.end or LAST)
        return wall_clock.stretches(zone(self.zone), after, until, self._dst, newest_first=newest_first)

    @property
    def _dst(self) -> Dst:
        return self.dst if self.times.fixed_hour else AS_IT_RUNS
