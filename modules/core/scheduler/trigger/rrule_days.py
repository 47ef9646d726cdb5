"""Which days of a year a recurrence rule means, before any time of day."""

from __future__ import annotations

import calendar
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import MAXYEAR, date
from functools import lru_cache
from itertools import compress

from modules.core.scheduler.trigger.rrule_text import DAILY, MONTHLY, WEEKLY, YEARLY, Rule

WEEK = 7
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
    length = 366 if calendar.isleap(year) else 365
    found = bytearray(b"\1") * length
    if rule.bymonth:
        _keep(found, (day for month in rule.bymonth for day in _month(year, month)))
    if rule.bymonthday:
        months = [_month(year, month) for month in range(1, 13)]
        _keep(found, (day for month in months for each in rule.bymonthday for day in _nth(month, each)))
    if rule.byyearday:
        _keep(found, (day for each in rule.byyearday for day in _nth(range(length), each)))
    if rule.byday:
        periods = [range(length)]
        if rule.freq == MONTHLY or rule.bymonth:
            periods = [_month(year, month) for month in range(1, 13)]
        _keep(found, (day for period in periods for each in rule.byday for day in _weekdays(year, period, *each)))
    days = compress(range(length), found)
    if not rule.byweekno:
        return tuple(days)
    first = date(year, 1, 1).toordinal()
    return tuple(day for day in days if _in_week(rule, date.fromordinal(first + day)))


def _keep(found: bytearray, wanted: Iterable[int]) -> None:
    """Leave of the days only those that are wanted."""
    kept = bytearray(len(found))
    for day in wanted:
        kept[day] = found[day]
    found[:] = kept


def _month(year: int, month: int) -> range:
    first = date(year, month, 1).timetuple().tm_yday - 1
    return range(first, first + calendar.monthrange(year, month)[1])


def _nth(period: range, number: int) -> range:
    """Return the day of this number of a period, from 1, or counted back from its end (-1 is the last)."""
    place = number - 1 if number > 0 else len(period) + number
    return period[place : place + 1] if place >= 0 else period[:0]


def _weekdays(year: int, period: range, weekday: int, number: int) -> range:
    """Return the days of a period that are this day of the week; with a number, only that one of them."""
    first = (weekday - calendar.weekday(year, 1, 1) - period.start) % WEEK
    every = period[first::WEEK]
    return every if number == 0 else _nth(every, number)


def _in_week(rule: Rule, day: date) -> bool:
    """Tell whether a day's week, by its number or by that counted back from the last of its year, is wanted."""
    number, of = _week(day, rule.wkst)
    return number in rule.byweekno or number - of - 1 in rule.byweekno


def _week(day: date, wkst: int) -> tuple[int, int]:
    """Return the number of a day's week, and how many its year has; week 1 has at least four days in its year."""
    number, year = _week_of(day, wkst)
    return number, _week_of(date(year, 12, 28), wkst)[0]


def _week_of(day: date, wkst: int) -> tuple[int, int]:
    fourth = date.fromordinal(day.toordinal() - (day.weekday() - wkst) % 7 + 3)
    return (fourth.toordinal() - date(fourth.year, 1, 1).toordinal()) // 7 + 1, fourth.year
