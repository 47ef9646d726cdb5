"""Naive wall-clock times that a cron expression names: matched, found and counted by year, without any zone."""

from __future__ import annotations

import calendar
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache

SUNDAY_FIRST = (1, 2, 3, 4, 5, 6, 0)  # cron's number of Python's Monday, Tuesday, ...
LAST_WEEK = 0


@dataclass(frozen=True, slots=True)
class Days:
    """Which days of a year match; None for `days` or `weekdays` is unrestricted, where both restrict, either will do.

    `weekdays` counts from Sunday = 0; `nth` holds (weekday, week of the month), `LAST_WEEK` for the last one.
    """

    months: frozenset[int]
    days: frozenset[int] | None
    last_day: bool
    weekdays: frozenset[int] | None
    nth: frozenset[tuple[int, int]]

    def match(self, day: int, length: int, weekday: int) -> bool:
        """Tell whether a day of a matching month of so many days matches; the weekday is cron's."""
        by_day = self.days is None or day in self.days or (self.last_day and day == length)
        by_weekday = (
            self.weekdays is None
            or weekday in self.weekdays
            or (weekday, (day + 6) // 7) in self.nth
            or (day + 7 > length and (weekday, LAST_WEEK) in self.nth)
        )
        if self.days is None or self.weekdays is None:
            return by_day and by_weekday
        return by_day or by_weekday

    def of_year(self, year: int) -> tuple[int, ...]:
        """Return the matching days of a year, counted from 0 on 1 January."""
        return _of_kind(self, calendar.isleap(year), date(year, 1, 1).weekday())

    def ever(self) -> bool:
        """Tell whether any year at all has a matching day; there are only fourteen kinds of year."""
        return any(_of_kind(self, leap, first) for leap in (True, False) for first in range(7))


@lru_cache(maxsize=4096)
def _of_kind(days: Days, leap: bool, first_weekday: int) -> tuple[int, ...]:
    matching = []
    passed = 0
    for month in range(1, 13):
        length = calendar.monthrange(2024 if leap else 2023, month)[1]
        if month in days.months:
            for day in range(1, length + 1):
                weekday = SUNDAY_FIRST[(first_weekday + passed + day - 1) % 7]
                if days.match(day, length, weekday):
                    matching.append(passed + day - 1)
        passed += length
    return tuple(matching)


@dataclass(frozen=True, slots=True)
class Timetable:
    """Days, and the minutes of the day on each of them. `fixed_hour`: each wall-clock time is meant once."""

    days: Days
    minutes: tuple[int, ...]
    fixed_hour: bool

    def first_in(self, first: datetime, stop: datetime) -> datetime | None:
        """Return the earliest matching time in `[first, stop)`."""
        rank = self._rank(first)
        for year in range(first.year, stop.year + 1):
            if rank < self._size(year):
                found = self._nth(year, rank)
                return found if found < stop else None
            rank = 0
        return None

    def last_in(self, first: datetime, stop: datetime) -> datetime | None:
        """Return the latest matching time in `[first, stop)`."""
        rank = self._rank(stop)
        for year in range(stop.year, first.year - 1, -1):
            if rank > 0:
                found = self._nth(year, rank - 1)
                return found if found >= first else None
            rank = self._size(year - 1) if year > first.year else 0
        return None

    def count_in(self, first: datetime, stop: datetime) -> int:
        """Return how many matching times lie in `[first, stop)`."""
        whole = sum(self._size(year) for year in range(first.year, stop.year))
        return max(whole + self._rank(stop) - self._rank(first), 0)

    def all_in(self, first: datetime, stop: datetime) -> Iterator[datetime]:
        """Yield every matching time in `[first, stop)`."""
        ranks = {year: (0, self._size(year)) for year in range(first.year, stop.year + 1)}
        ranks[stop.year] = (0, self._rank(stop))
        ranks[first.year] = (self._rank(first), ranks[first.year][1])
        return (wall for year, (low, high) in ranks.items() for wall in self._slice(year, low, high))

    def kind_of(self, day: date) -> bool:
        """Tell whether the calendar day matches."""
        days = self.days.of_year(day.year)
        index = _day_of_year(day)
        place = bisect_left(days, index)
        return place < len(days) and days[place] == index

    def _size(self, year: int) -> int:
        return len(self.days.of_year(year)) * len(self.minutes)

    def _rank(self, wall: datetime) -> int:
        days = self.days.of_year(wall.year)
        index = _day_of_year(wall)
        place = bisect_left(days, index)
        rank = place * len(self.minutes)
        if place == len(days) or days[place] != index:
            return rank
        minute = wall.hour * 60 + wall.minute + bool(wall.second or wall.microsecond)
        return rank + bisect_left(self.minutes, minute)

    def _slice(self, year: int, low: int, high: int) -> Iterator[datetime]:
        days = self.days.of_year(year)
        new_year = datetime.combine(date(year, 1, 1), time())
        for rank in range(low, high):
            day, minute = divmod(rank, len(self.minutes))
            yield new_year + timedelta(days=days[day], minutes=self.minutes[minute])

    def _nth(self, year: int, rank: int) -> datetime:
        return next(self._slice(year, rank, rank + 1))


def _day_of_year(day: date) -> int:
    return day.toordinal() - date(day.year, 1, 1).toordinal()
