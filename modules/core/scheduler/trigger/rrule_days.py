"""Which days of a year a recurrence rule means, before any time of day."""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import MAXYEAR, date
from functools import lru_cache

from modules.core.scheduler.trigger.rrule_text import DAILY, MONTHLY, WEEKLY, YEARLY, Rule

CYCLE = 400  # years after which the calendar repeats, days of the week included


@dataclass(frozen=True, slots=True)
class RuleDays:
    """The days of a rule whose first period is that of `first`; a day that several parts restrict must satisfy each."""

    rule: Rule
    first: date

    def of_year(self, year: int) -> tuple[int, ...]:
        """Return the ordinals of a year's days, in order."""
        rule = self.rule
        if rule.freq == YEARLY and (year - self.first.year) % rule.interval:
            return ()
        new_year = date(year, 1, 1).toordinal()
        days = (new_year + place for place in _places(rule, _alike(year)))
        if rule.freq in (YEARLY, *range(DAILY + 1, 7)) or (rule.interval == 1):
            return tuple(days)
        first = self.period(self.first.toordinal())
        return tuple(day for day in days if (self.period(day) - first) % rule.interval == 0)

    def period(self, ordinal: int) -> int:
        """Return the number of the year, month, week or day that an ordinal lies in."""
        if self.rule.freq == DAILY:
            return ordinal
        if self.rule.freq == WEEKLY:
            return (ordinal - 1 - self.rule.wkst) // 7
        day = date.fromordinal(ordinal)
        return day.year * 12 + day.month if self.rule.freq == MONTHLY else day.year

    def around(self, year: int) -> tuple[int, ...]:
        """Return the days of a year, with those before and after it that share a week with some of them."""
        if self.rule.freq != WEEKLY:
            return self.of_year(year)
        before = self.of_year(year - 1)[-6:] if year > 1 else ()
        after = self.of_year(year + 1)[:6] if year < MAXYEAR else ()
        return (*before, *self.of_year(year), *after)

    def ever(self) -> bool:
        """Tell whether any year at all has such a day, whatever the interval."""
        return any(_places(self.rule, year) for year in set(_ALIKE.values()))


def _kind(year: int) -> tuple[bool, ...]:
    leap = tuple(calendar.isleap(near) for near in (year - 1, year, year + 1))
    return (*leap, *(calendar.weekday(year, 1, 1) == day for day in range(7)))


_ALIKE: dict[tuple[bool, ...], int] = {_kind(year): year for year in range(2000, 2000 + CYCLE)}


def _alike(year: int) -> int:
    """Return a year near 2000 whose days, and whose neighbours' lengths, are the same."""
    return _ALIKE[_kind(2000 + year % CYCLE)]


@lru_cache(maxsize=1024)
def _places(rule: Rule, year: int) -> tuple[int, ...]:
    """Return the matching days of a year, counted from 0 on 1 January."""
    return tuple(place for place, day in enumerate(_days(year)) if _matches(rule, day, place, year))


def _days(year: int) -> Iterator[date]:
    first = date(year, 1, 1).toordinal()
    return (date.fromordinal(first + place) for place in range(366 if calendar.isleap(year) else 365))


def _matches(rule: Rule, day: date, place: int, year: int) -> bool:
    length = 366 if calendar.isleap(year) else 365
    month_length = calendar.monthrange(year, day.month)[1]
    return (
        (not rule.bymonth or day.month in rule.bymonth)
        and _either(rule.bymonthday, day.day, month_length)
        and _either(rule.byyearday, place + 1, length)
        and (not rule.byweekno or _either(rule.byweekno, *_week(day, rule.wkst)))
        and (not rule.byday or _on_weekday(rule, day, place, length, month_length))
    )


def _either(wanted: tuple[int, ...], number: int, of: int) -> bool:
    """Tell whether a number, or the same counted back from the end (-1 is the last), is wanted."""
    return not wanted or number in wanted or number - of - 1 in wanted


def _on_weekday(rule: Rule, day: date, place: int, length: int, month_length: int) -> bool:
    weekday = day.weekday()
    if rule.freq == MONTHLY or rule.bymonth:
        place, length = day.day - 1, month_length
    forwards, backwards = place // 7 + 1, -((length - 1 - place) // 7 + 1)
    return any(wanted == weekday and which in (0, forwards, backwards) for wanted, which in rule.byday)


def _week(day: date, wkst: int) -> tuple[int, int]:
    """Return the number of a day's week, and how many its year has; week 1 has at least four days in its year."""
    number, year = _week_of(day, wkst)
    return number, _week_of(date(year, 12, 28), wkst)[0]


def _week_of(day: date, wkst: int) -> tuple[int, int]:
    fourth = date.fromordinal(day.toordinal() - (day.weekday() - wkst) % 7 + 3)
    return (fourth.toordinal() - date(fourth.year, 1, 1).toordinal()) // 7 + 1, fourth.year
