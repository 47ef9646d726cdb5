"""Which days of a year match: days of the month, weekdays, counted from the front or from the end."""

from __future__ import annotations

import calendar
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache

from modules.core.scheduler.trigger.bits import mask_of

LAST = 0  # of `nth`: the last such weekday of a month; of `nearest`: the last working day
SATURDAY, SUNDAY = 6, 0
LONGEST_MONTH, WEEK = 31, 7
SOME_FEBRUARY = 29
LENGTHS = (31, SOME_FEBRUARY, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
PLACES = 13 * 32  # a day's place in its year is 32 times its month plus its day


@dataclass(frozen=True, slots=True)
class Days:
    """A rule for days. None is unrestricted; where days and weekdays both restrict, either will do, unless `both`.

    Weekdays count from Sunday = 0. `from_last` counts back from the last day, which is 0; `nearest` holds days of the
    month whose nearest working day (Monday to Friday) of that month is meant; `nth` (weekday, week of the month);
    `weeks` are those of ISO 8601.
    """

    months: frozenset[int]
    days: frozenset[int] | None = None
    from_last: frozenset[int] = frozenset()
    nearest: frozenset[int] = frozenset()
    weekdays: frozenset[int] | None = None
    nth: frozenset[tuple[int, int]] = frozenset()
    weeks: frozenset[int] | None = None
    both: bool = False

    def of_month(self, year: int, month: int) -> list[int]:
        """Return the matching days of a month, in order."""
        if month not in self.months:
            return []
        first, length = calendar.monthrange(year, month)
        found = set(range(1, length + 1))
        by_day = found if self.days is None else self._by_day(first, length)
        by_weekday = found if self.weekdays is None else self._by_weekday(first, length)
        either = self.days is not None and self.weekdays is not None and not self.both
        found = by_day | by_weekday if either else by_day & by_weekday
        if self.weeks is not None:
            found = {day for day in found if date(year, month, day).isocalendar().week in self.weeks}
        return sorted(found)

    def _by_day(self, first: int, length: int) -> set[int]:
        found = {day for day in self.days or () if day <= length}
        found |= {length - back for back in self.from_last if back < length}
        return found | {_working_day(day or length, first, length) for day in self.nearest if day <= length}

    def _by_weekday(self, first: int, length: int) -> set[int]:
        named, nth = self.weekdays or frozenset(), self.nth
        found = set()
        for day in range(1, length + 1):
            weekday = (first + day) % 7
            in_nth = (weekday, (day + 6) // 7) in nth or (day + 7 > length and (weekday, LAST) in nth)
            if in_nth or weekday in named:
                found.add(day)
        return found


def simplest(days: Days) -> Days:
    """Return the same rule without a restriction that every day meets: `1-31`, or all weekdays.

    Where all of its months are equally long, days that are counted from the last one are counted from the first.
    """
    days = _from_the_first(days)
    any_day = days.days is not None and len(days.days) == LONGEST_MONTH
    any_weekday = days.weekdays is not None and len({day % 7 for day in days.weekdays}) == WEEK
    if not (any_day or any_weekday):
        return days
    either_will_do = days.days is not None and days.weekdays is not None and not days.both
    if any_day or either_will_do:
        days = replace(days, days=None, from_last=frozenset(), nearest=frozenset())
    if any_weekday or either_will_do:
        days = replace(days, weekdays=None, nth=frozenset())
    return replace(days, both=False)


def _from_the_first(days: Days) -> Days:
    lengths = {LENGTHS[month - 1] for month in days.months}
    if days.days is None or len(lengths) > 1 or lengths == {SOME_FEBRUARY}:
        return days
    (length,) = lengths
    counted = {day for day in days.days if day <= length} | {length - back for back in days.from_last if back < length}
    if not counted:
        return days
    if len(counted) == length:
        counted = set(range(1, LONGEST_MONTH + 1))
    return replace(days, days=frozenset(counted), from_last=frozenset())


def _working_day(day: int, first: int, length: int) -> int:
    """Return the working day nearest to a day, in the same month, of which the first day's weekday (Monday 0) is."""
    weekday = (first + day) % 7
    if weekday == SATURDAY:
        return day - 1 if day > 1 else day + 2
    if weekday == SUNDAY:
        return day + 1 if day < length else day - 2
    return day


class Calendar:
    """The matching days of every year, as bits of places: found once for each kind of year, of which there are 21."""

    def __init__(self, days: Days, years: frozenset[int] | None) -> None:
        self._days = days
        self._years = years
        self._of_year: dict[int, int] = {}
        self._flags: dict[int, bytes] = {}
        self.last_year = max(years) if years else date.max.year

    def of_year(self, year: int) -> int:
        """Return the places of a year's matching days, as bits."""
        found = self._of_year.get(year)
        return self._look(year) if found is None else found

    def flags(self, year: int) -> bytes:
        """Tell of each day of a year whether it matches."""
        if year not in self._flags:
            digits = f"{self.of_year(year):0{PLACES}b}"[::-1]
            lengths = [(month * 32 + 1, calendar.monthrange(year, month)[1]) for month in range(1, 13)]
            self._flags[year] = bytes(
                int(digit) for first, length in lengths for digit in digits[first : first + length]
            )
        return self._flags[year]

    def ever(self) -> bool:
        """Tell whether any year at all has a matching day: the calendar repeats itself after 400 years."""
        return any(self.of_year(year) for year in self._years or sorted(set(_first_alike()), reverse=True))

    def _look(self, year: int) -> int:
        if self._years is None:
            alike = _first_alike()[year % 400]
            found = self._of_year.get(alike) or _places(self._days, alike)
            self._of_year[alike] = found
        else:
            found = _places(self._days, year) if year in self._years else 0
        self._of_year[year] = found
        return found


@lru_cache(maxsize=1024)
def calendar_of(days: Days, years: frozenset[int] | None) -> Calendar:
    """Return the calendar of a rule, one for all that share it; `years` of None are all."""
    return Calendar(days, years)


@lru_cache(maxsize=1)
def _first_alike() -> tuple[int, ...]:
    """Return, for each year of 2000 to 2399, the first one with the same calendar and the same ISO weeks."""
    first: dict[tuple[int, bool, bool], int] = {}
    years = range(2000, 2400)
    kinds = [(date(year, 1, 1).weekday(), calendar.isleap(year), calendar.isleap(year - 1)) for year in years]
    for kind, year in zip(kinds, years, strict=True):
        first.setdefault(kind, year)
    return tuple(first[kind] for kind in kinds)


def _places(days: Days, year: int) -> int:
    return mask_of([month * 32 + day for month in range(1, 13) for day in days.of_month(year, month)], PLACES)
