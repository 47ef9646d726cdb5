"""Triggers that fire at times of the wall clock: which times is theirs to say, when that is in UTC is found here."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterator, Sequence
from datetime import UTC, date, datetime, time
from itertools import pairwise
from typing import Protocol

from modules.core.scheduler.trigger import wall_clock
from modules.core.scheduler.trigger.protocol import DAY, FIRST, LAST, TICK, as_utc, checked_moment
from modules.core.scheduler.trigger.wall_clock import AS_IT_RUNS, Dst, Stretch, changing_days
from modules.core.scheduler.trigger.zones import offset_shown, shown_at, transitions, zone

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

    def kind_of(self, day: date) -> Hashable:
        """Return a key that is equal for days with the same times of day."""

    def kinds_of(self, first: date, days: int) -> Sequence[Hashable]:
        """Return the keys of so many days from the first on."""


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

    def day_pattern(self, after: datetime) -> Hashable | None:
        after = as_utc(after)
        shown = shown_at(zone(self.zone), after)
        if self._is_plain(shown) and (self.start is None or self.start <= after) and after + DAY <= (self.end or LAST):
            first, kind_of = shown + TICK, self.times.kind_of
            day = first.date()
            return ((True, TICK, first.time(), DAY, kind_of(day), kind_of(day + DAY)),)  # one stretch, the whole day
        return tuple(self._kind_of(stretch, after) for stretch in self._stretches(after, after + DAY))

    def day_patterns(self, after: datetime, days: int) -> Sequence[Hashable | None]:
        """Between two changes of the clocks each day is only asked of which kind it is."""
        found: list[Hashable | None] = []
        after = as_utc(after)
        while (left := days - len(found)) > 0:
            at = after + len(found) * DAY
            alike = min(left, self._plain_days(at))
            before = 0 if self.start is None else (self.start - TICK - at) // DAY
            empty = left if self.end is not None and at >= self.end else min(left, before)
            if empty > 0:
                found += [()] * empty
            else:
                found += self._patterns(at, alike) if alike > 0 else [self.day_pattern(at)]
        return found

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

    def _is_plain(self, shown: datetime) -> bool:
        """Tell whether the clocks change neither on the day that they show nor on the next one."""
        place, following = zone(self.zone), shown.date() + DAY
        return (shown.month, shown.day) not in changing_days(place, shown.year) and (
            following.month,
            following.day,
        ) not in changing_days(place, following.year)

    def _plain_days(self, at: datetime) -> int:
        """Return of how many days from a moment on the clocks change on none, nor on the days beside them."""
        place = zone(self.zone)
        if self.start is not None and at < self.start:
            return 0
        stop = self.end or LAST
        for year in range((at - AROUND_A_CHANGE).year, stop.year + 1):
            change = next((each.at for each in transitions(place, year) if each.at > at - AROUND_A_CHANGE), None)
            if change is not None:
                return min((change - AROUND_A_CHANGE - at) // DAY, (stop - at) // DAY)
            if year > at.year + 1:
                return min(365, (stop - at) // DAY)
        return (stop - at) // DAY

    def _patterns(self, after: datetime, days: int) -> list[Hashable]:
        """Return the keys of plain days."""
        first = shown_at(zone(self.zone), after) + TICK
        begins, kinds = first.time(), self.times.kinds_of(first.date(), days + 1)
        return [((True, TICK, begins, DAY, *two),) for two in pairwise(kinds)]

    def _kind_of(self, stretch: Stretch, after: datetime) -> Hashable:
        """Return a key that is equal for stretches with the same times, as seen from the moment `after`."""
        first, length = stretch.first, stretch.stop - stretch.first
        days = (first.date() + number * DAY for number in range((stretch.stop.date() - first.date()).days + 1))
        begins = stretch.instant(first) - after
        return (stretch.at is None, begins, first.time(), length, *(self.times.kind_of(day) for day in days))

    def _stretches(self, after: datetime, until: datetime, *, newest_first: bool = False) -> Iterator[Stretch]:
        after = max(as_utc(after), self.start - TICK if self.start else FIRST)
        until = min(as_utc(until), self.end or LAST)
        dst = self.dst if self.times.fixed_hour else AS_IT_RUNS
        return wall_clock.stretches(zone(self.zone), after, until, dst, newest_first=newest_first)
