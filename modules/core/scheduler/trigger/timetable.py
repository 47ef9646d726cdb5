"""Naive wall-clock times that a cron expression names: found and counted by tables, without any zone."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache

from modules.core.scheduler.trigger.day_masks import HOUR, MINUTE, SECOND_TICKS, TooCoarse, mask_of
from modules.core.scheduler.trigger.days import Calendar, Days, calendar_of

NONE = -1


@dataclass(frozen=True, slots=True)
class Timetable:
    """Days, and the hours, minutes and seconds on each; `years` of None are all.

    With `fixed_hour` each wall-clock time is meant once.
    """

    days: Days
    years: frozenset[int] | None
    hours: tuple[int, ...]
    minutes: tuple[int, ...]
    seconds: tuple[int, ...]
    fixed_hour: bool
    _calendar: Calendar = field(init=False, compare=False, repr=False)
    _next: tuple[tuple[int, ...], ...] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_calendar", calendar_of(self.days, self.years))
        object.__setattr__(self, "_next", (_next(self.hours), _next(self.minutes), _next(self.seconds)))

    def ever(self) -> bool:
        """Tell whether there is any such time at all."""
        return self._calendar.ever()

    def first_in(self, first: datetime, stop: datetime) -> datetime | None:
        """Return the earliest matching time in `[first, stop)`."""
        hour, minute, second, day_over = self._time_from(first)
        year, month, day = first.year, first.month, first.day
        place = month * 32 + day + day_over
        found = self._calendar.following(year)[place]
        while not found:
            year += 1
            if year > self._calendar.last_year:
                return None
            found = self._calendar.following(year)[0]
        if found != place or year != first.year or day_over:
            hour, minute, second = self.hours[0], self.minutes[0], self.seconds[0]
        wall = datetime(year, found >> 5, found & 31, hour, minute, second)  # noqa: DTZ001  # a wall-clock time
        return wall if wall < stop else None

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
        for year in range(first.year, stop.year + 1):
            low = self._rank(first) if year == first.year else 0
            high = self._rank(stop) if year == stop.year else self._size(year)
            for rank in range(low, high):
                yield self._nth(year, rank)

    def kind_of(self, day: date) -> bool:
        """Tell whether the calendar day matches."""
        place = day.month * 32 + day.day
        return self._calendar.following(day.year)[place] == place

    def kinds_of(self, first: date, days: int) -> Sequence[int]:
        """Tell of so many days from the first on whether each matches."""
        found = bytearray()
        while len(found) < days:
            of_year = self._calendar.flags(first.year)
            found += of_year[first.timetuple().tm_yday - 1 :]
            if first.year == date.max.year:
                break
            first = date(first.year + 1, 1, 1)
        return bytes(found[:days])

    def rest(self, unit: int) -> int:
        """Return how many microseconds after a unit of so many seconds each time lies; else raises `TooCoarse`."""
        if unit == MINUTE and len(self.seconds) > 1:
            raise TooCoarse
        return self.seconds[0] % unit * SECOND_TICKS

    def mask_of(self, day: date, unit: int) -> int:
        """Return the units of a day in which it has a time, as bits."""
        if not self.kind_of(day):
            return 0
        within_minute = 1 if unit == MINUTE else mask_of(self.seconds, MINUTE)
        within_hour = sum(within_minute << minute * MINUTE // unit for minute in self.minutes)
        return sum(within_hour << hour * HOUR // unit for hour in self.hours)

    def _time_from(self, first: datetime) -> tuple[int, int, int, bool]:
        """Return the earliest time of day from this one on, and whether it is only that of a later day."""
        next_hour, next_minute, next_second = self._next
        second = next_second[first.second + (first.microsecond > 0)]
        minute = next_minute[first.minute + (second == NONE)]
        hour = next_hour[first.hour + (minute == NONE)]
        if hour != first.hour:
            return hour, self.minutes[0], self.seconds[0], hour == NONE
        if minute != first.minute:
            return hour, minute, self.seconds[0], False
        return hour, minute, second, False

    def _size(self, year: int) -> int:
        return len(self._calendar.in_year(year)) * self._a_day()

    def _a_day(self) -> int:
        return len(self.hours) * len(self.minutes) * len(self.seconds)

    def _rank(self, wall: datetime) -> int:
        """Return how many matching times of its year lie before a time."""
        days = self._calendar.in_year(wall.year)
        place = wall.month * 32 + wall.day
        passed = bisect_left(days, place)
        rank = passed * self._a_day()
        if passed == len(days) or days[passed] != place:
            return rank
        hours = bisect_left(self.hours, wall.hour)
        rank += hours * len(self.minutes) * len(self.seconds)
        if hours == len(self.hours) or self.hours[hours] != wall.hour:
            return rank
        minutes = bisect_left(self.minutes, wall.minute)
        rank += minutes * len(self.seconds)
        if minutes == len(self.minutes) or self.minutes[minutes] != wall.minute:
            return rank
        return rank + bisect_left(self.seconds, wall.second + (wall.microsecond > 0))

    def _nth(self, year: int, rank: int) -> datetime:
        rank, second = divmod(rank, len(self.seconds))
        rank, minute = divmod(rank, len(self.minutes))
        day, hour = divmod(rank, len(self.hours))
        place = self._calendar.in_year(year)[day]
        return datetime(  # noqa: DTZ001  # a wall-clock time
            year, place >> 5, place & 31, self.hours[hour], self.minutes[minute], self.seconds[second]
        )


@lru_cache(maxsize=4096)
def _next(values: tuple[int, ...]) -> tuple[int, ...]:
    """Return, for 0 to 60, the first of the values from there on, or `NONE`."""
    return tuple(next((value for value in values if value >= number), NONE) for number in range(61))
