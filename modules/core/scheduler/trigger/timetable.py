"""Naive wall-clock times that a cron expression names: found and counted in a bit mask per field, without any zone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from modules.core.scheduler.trigger.bits import NONE, first_from, last_before, numbers_of
from modules.core.scheduler.trigger.day_masks import HOUR, MINUTE, SECOND_TICKS, TooCoarse
from modules.core.scheduler.trigger.days import PLACES, Calendar, Days, calendar_of

NEXT = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Timetable:
    """Days, and the hours, minutes and seconds on each as bits; `years` of None are all.

    With `fixed_hour` each wall-clock time is meant once.
    """

    days: Days
    years: frozenset[int] | None
    hours: int
    minutes: int
    seconds: int
    fixed_hour: bool
    _calendar: Calendar = field(init=False, compare=False, repr=False)
    _earliest: tuple[int, int, int] = field(init=False, compare=False, repr=False)
    _latest: tuple[int, int, int] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        fields = (self.hours, self.minutes, self.seconds)
        object.__setattr__(self, "_calendar", calendar_of(self.days, self.years))
        object.__setattr__(self, "_earliest", tuple(first_from(mask, 0) for mask in fields))
        object.__setattr__(self, "_latest", tuple(mask.bit_length() - 1 for mask in fields))

    def ever(self) -> bool:
        """Tell whether there is any such time at all."""
        return self._calendar.ever()

    def first_in(self, first: datetime, stop: datetime) -> datetime | None:
        """Return the earliest matching time in `[first, stop)`."""
        hour, minute, second = self._time_from(first)
        year, place = first.year, first.month * 32 + first.day + (hour == NONE)
        found = first_from(self._calendar.of_year(year), place)
        if found != place or hour == NONE:
            hour, minute, second = self._earliest
        while found == NONE:
            year += 1
            if year > self._calendar.last_year:
                return None
            found = first_from(self._calendar.of_year(year), 0)
        wall = datetime(year, found >> 5, found & 31, hour, minute, second)  # noqa: DTZ001  # a wall-clock time
        return wall if wall < stop else None

    def last_in(self, first: datetime, stop: datetime) -> datetime | None:
        """Return the latest matching time in `[first, stop)`."""
        hour, minute, second = self._time_before(stop)
        year, place = stop.year, stop.month * 32 + stop.day
        found = last_before(self._calendar.of_year(year), place + (hour != NONE))
        if found != place:
            hour, minute, second = self._latest
        while found == NONE:
            year -= 1
            if year < first.year:
                return None
            found = last_before(self._calendar.of_year(year), PLACES)
        wall = datetime(year, found >> 5, found & 31, hour, minute, second)  # noqa: DTZ001  # a wall-clock time
        return wall if wall >= first else None

    def count_in(self, first: datetime, stop: datetime) -> int:
        """Return how many matching times lie in `[first, stop)`."""
        days = sum(self._calendar.of_year(year).bit_count() for year in range(first.year, stop.year))
        whole = days * self.hours.bit_count() * self.minutes.bit_count() * self.seconds.bit_count()
        return max(whole + self._passed(stop) - self._passed(first), 0)

    def all_in(self, first: datetime, stop: datetime) -> Iterator[datetime]:
        """Yield every matching time in `[first, stop)`."""
        while (wall := self.first_in(first, stop)) is not None:
            yield wall
            first = wall + NEXT

    def kind_of(self, day: date) -> int:
        """Tell whether the calendar day matches."""
        return self._calendar.of_year(day.year) >> day.month * 32 + day.day & 1

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
        if unit == MINUTE and self.seconds.bit_count() > 1:
            raise TooCoarse
        return self._earliest[2] % unit * SECOND_TICKS

    def mask_of(self, day: date, unit: int) -> int:
        """Return the units of a day in which it has a time, as bits."""
        if not self.kind_of(day):
            return 0
        within_minute = 1 if unit == MINUTE else self.seconds
        within_hour = sum(within_minute << minute * MINUTE // unit for minute in numbers_of(self.minutes))
        return sum(within_hour << hour * HOUR // unit for hour in numbers_of(self.hours))

    def _time_from(self, first: datetime) -> tuple[int, int, int]:
        """Return the earliest time of day from this one on; the hour `NONE` where the day has none any more."""
        second = first_from(self.seconds, first.second + (first.microsecond > 0))
        minute = first_from(self.minutes, first.minute + (second == NONE))
        hour = first_from(self.hours, first.hour + (minute == NONE))
        if hour != first.hour:
            return hour, self._earliest[1], self._earliest[2]
        return hour, minute, second if minute == first.minute else self._earliest[2]

    def _time_before(self, stop: datetime) -> tuple[int, int, int]:
        """Return the latest time of day before this one; the hour `NONE` where the day has none yet."""
        second = last_before(self.seconds, stop.second + (stop.microsecond > 0))
        minute = last_before(self.minutes, stop.minute + (second != NONE))
        hour = last_before(self.hours, stop.hour + (minute != NONE))
        if hour != stop.hour:
            return hour, self._latest[1], self._latest[2]
        return hour, minute, second if minute == stop.minute else self._latest[2]

    def _passed(self, wall: datetime) -> int:
        """Return how many matching times of its year lie before a time."""
        passed, is_among = 0, 1
        for mask, number in (
            (self._calendar.of_year(wall.year), wall.month * 32 + wall.day),
            (self.hours, wall.hour),
            (self.minutes, wall.minute),
            (self.seconds, wall.second + (wall.microsecond > 0)),
        ):
            passed = passed * mask.bit_count() + is_among * (mask & (1 << number) - 1).bit_count()
            is_among &= mask >> number
        return passed
