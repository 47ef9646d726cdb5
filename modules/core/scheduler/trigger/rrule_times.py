"""The naive wall-clock times of a recurrence rule: found and counted by year, without walking from its start."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import MAXYEAR, date, datetime, time, timedelta
from functools import lru_cache
from itertools import accumulate, groupby
from typing import ClassVar

from modules.core.scheduler.trigger.bits import mask_of
from modules.core.scheduler.trigger.day_masks import MINUTE, SECOND_TICKS, WHOLE_DAY, TooCoarse
from modules.core.scheduler.trigger.protocol import DAY, TICK, TriggerError
from modules.core.scheduler.trigger.rrule_days import CYCLE, RuleDays
from modules.core.scheduler.trigger.rrule_text import DAILY, HOURLY, MINUTELY, MONTHLY, SECONDLY, WEEKLY, YEARLY, Rule

SECOND = timedelta(seconds=1)
NEVER = datetime.combine(date.max, time.max)
MOST_DAYS = 4_000  # of a rule, looked at in a row that have no time of it
UNITS = {HOURLY: 24, MINUTELY: 1_440, SECONDLY: 86_400}  # of a day, for frequencies shorter than it


@dataclass(frozen=True, slots=True)
class Year:
    """The matching days of a year, the seconds of the day on each, and how many times lie before each day."""

    days: tuple[int, ...]
    seconds: tuple[tuple[int, ...], ...]
    before: tuple[int, ...]

    @property
    def size(self) -> int:
        """How many times the year has."""
        return self.before[-1]

    def rank(self, wall: datetime) -> int:
        """Return how many of its times lie earlier than a time of this year."""
        place = bisect_left(self.days, wall.toordinal())
        if place == len(self.days) or self.days[place] != wall.toordinal():
            return self.before[place]
        second = wall.hour * 3600 + wall.minute * 60 + wall.second + bool(wall.microsecond)
        return self.before[place] + bisect_left(self.seconds[place], second)

    def nth(self, rank: int) -> datetime:
        """Return the time of this rank, from 0."""
        place = bisect_left(self.before, rank + 1) - 1
        midnight = datetime.combine(date.fromordinal(self.days[place]), time())
        return midnight + timedelta(seconds=self.seconds[place][rank - self.before[place]])


@dataclass(frozen=True, slots=True)
class RuleTimes:
    """The times of a rule from `dtstart` to `last` inclusive; 400 years without one, or 4,000 of its days, end it."""

    pattern: RuleDays
    dtstart: datetime
    last: datetime = NEVER
    fixed_hour: ClassVar[bool] = True

    def first_in(self, first: datetime, stop: datetime) -> datetime | None:
        """Return the earliest time in `[first, stop)`."""
        first, stop = self._within(first, stop)
        if first >= stop:
            return None
        rank, looked = self._year(first.year).rank(first), 0
        for year in range(first.year, min(stop.year, first.year + CYCLE) + 1):
            if rank < self._year(year).size:
                found = self._year(year).nth(rank)
                return found if found < stop else None
            rank, looked = 0, looked + len(self._year(year).days)
            if looked > MOST_DAYS:
                return None
        return None

    def last_in(self, first: datetime, stop: datetime) -> datetime | None:
        """Return the latest time in `[first, stop)`."""
        first, stop = self._within(first, stop)
        if first >= stop:
            return None
        for year in range(stop.year, first.year - 1, -1):
            rank = self._year(year).rank(stop) if year == stop.year else self._year(year).size
            if rank:
                found = self._year(year).nth(rank - 1)
                return found if found >= first else None
        return None

    def count_in(self, first: datetime, stop: datetime) -> int:
        """Return how many times lie in `[first, stop)`."""
        first, stop = self._within(first, stop)
        if first >= stop:
            return 0
        whole = sum(self._year(year).size for year in range(first.year, stop.year))
        return whole + self._year(stop.year).rank(stop) - self._year(first.year).rank(first)

    def all_in(self, first: datetime, stop: datetime) -> Iterator[datetime]:
        """Yield the times in `[first, stop)`, oldest first."""
        first, stop = self._within(first, stop)
        for year in range(first.year, stop.year + 1) if first < stop else ():
            times = self._year(year)
            low = times.rank(first) if year == first.year else 0
            high = times.rank(stop) if year == stop.year else times.size
            yield from map(times.nth, range(low, high))

    def kinds_of(self, first: date, days: int) -> Sequence[Hashable]:
        """Return keys of so many days from the first on, equal for those with the same times, in this answer alone."""
        begin, low, high = first.toordinal(), self.dtstart.toordinal(), self.last.toordinal()
        years = [self._year(year) for year in range(first.year, date.fromordinal(begin + days - 1).year + 1)]
        of_day = {day: id(each) for times in years for day, each in zip(times.days, times.seconds, strict=True)}
        of_day |= {low: -low, high: -high}
        return [of_day.get(day, 0) if low <= day <= high else 0 for day in range(begin, begin + days)]

    def rest(self, unit: int) -> int:
        """Return how many microseconds after a unit of so many seconds each time lies; else raises `TooCoarse`."""
        rule = self.pattern.rule
        if unit == MINUTE and (rule.freq == SECONDLY or len(rule.bysecond) > 1):
            raise TooCoarse
        return rule.bysecond[0] % unit * SECOND_TICKS if rule.bysecond else 0

    def mask_of(self, day: date, unit: int) -> int:
        """Return the units of a day in which it has a time, as bits."""
        times, midnight = self._year(day.year), datetime.combine(day, time())
        place = bisect_left(times.days, day.toordinal())
        if place == len(times.days) or times.days[place] != day.toordinal():
            return 0
        first, last = ((wall - midnight) // SECOND for wall in (self.dtstart, min(self.last, midnight + DAY)))
        return mask_of([each // unit for each in times.seconds[place] if first <= each <= last], WHOLE_DAY // unit)

    def _within(self, first: datetime, stop: datetime) -> tuple[datetime, datetime]:
        after_last = self.last + TICK if self.last < NEVER else NEVER
        return max(first, self.dtstart), min(stop, after_last)

    def _year(self, year: int) -> Year:
        return _year(self.pattern, self.dtstart, year)


@lru_cache(maxsize=512)
def rule_times(rule: Rule, dtstart: datetime) -> RuleTimes:
    """Return the times of a rule, or raise `TriggerError` where it has none at all."""
    full = _with_defaults(rule, dtstart)
    times = RuleTimes(RuleDays(full, dtstart.date()), dtstart)
    if not times.pattern.ever() or times.first_in(dtstart, NEVER) is None:
        raise TriggerError(f"the rule {rule.text} never happens", "rrule")
    if rule.until is not None and rule.until.tzinfo is None:
        return replace(times, last=rule.until)
    return times if rule.count is None else replace(times, last=_counted(times, rule.count))


def _counted(times: RuleTimes, count: int) -> datetime:
    """Return the time of this number, from 1; the calendar's end where there are fewer."""
    left = count + times._year(times.dtstart.year).rank(times.dtstart)  # noqa: SLF001  # its own maker
    for year in range(times.dtstart.year, MAXYEAR + 1):
        this = times._year(year)  # noqa: SLF001
        if left <= this.size:
            return this.nth(left - 1)
        left -= this.size
    return NEVER


def _with_defaults(rule: Rule, dtstart: datetime) -> Rule:
    """Return the rule with what its start says where it says nothing itself."""
    if not (rule.byweekno or rule.byyearday or rule.bymonthday or rule.byday):
        if rule.freq == WEEKLY:
            rule = replace(rule, byday=((dtstart.weekday(), 0),))
        elif rule.freq in (YEARLY, MONTHLY):
            bymonth = rule.bymonth or ((dtstart.month,) if rule.freq == YEARLY else ())
            rule = replace(rule, bymonth=bymonth, bymonthday=(dtstart.day,))
    return replace(
        rule,
        byhour=rule.byhour or ((dtstart.hour,) if rule.freq < HOURLY else ()),
        byminute=rule.byminute or ((dtstart.minute,) if rule.freq < MINUTELY else ()),
        bysecond=rule.bysecond or ((dtstart.second,) if rule.freq < SECONDLY else ()),
    )


@lru_cache(maxsize=1024)
def _year(pattern: RuleDays, dtstart: datetime, year: int) -> Year:
    rule = pattern.rule
    if rule.bysetpos and rule.freq < DAILY:
        chosen = _chosen(pattern, year)
        alike = {each: each for each in map(tuple, chosen.values())}
        return _counted_up(tuple(chosen), tuple(alike[tuple(each)] for each in chosen.values()))
    days = pattern.of_year(year)
    phases = _phases(rule, dtstart, days)
    seconds = {phase: _seconds(rule, phase) for phase in set(phases)}
    return _counted_up(days, tuple(seconds[phase] for phase in phases))


def _counted_up(days: tuple[int, ...], seconds: tuple[tuple[int, ...], ...]) -> Year:
    return Year(days, seconds, tuple(accumulate(map(len, seconds), initial=0)))


def _chosen(pattern: RuleDays, year: int) -> dict[int, list[int]]:
    """Return the seconds of each day of a year that BYSETPOS chooses within its year, month or week."""
    seconds = _seconds(replace(pattern.rule, bysetpos=()), 0)
    first, last = date(year, 1, 1).toordinal(), date(year, 12, 31).toordinal()
    chosen: dict[int, list[int]] = {}
    for _, period in groupby(pattern.around(year), pattern.period):
        days = list(period)
        for place in _positions(pattern.rule, len(days) * len(seconds)):
            day, second = days[place // len(seconds)], seconds[place % len(seconds)]
            if first <= day <= last:
                chosen.setdefault(day, []).append(second)
    return chosen


def _positions(rule: Rule, size: int) -> list[int]:
    """Return the places from 0, in order, that BYSETPOS chooses among so many; all where it is not given."""
    if not rule.bysetpos:
        return list(range(size))
    places = {place - 1 if place > 0 else size + place for place in rule.bysetpos}
    return sorted(place for place in places if 0 <= place < size)


def _phases(rule: Rule, dtstart: datetime, days: Sequence[int]) -> list[int]:
    """Return the first hour, minute or second of each day that is in phase with the start; 0 for longer frequencies."""
    if rule.freq not in UNITS:
        return [0] * len(days)
    units = UNITS[rule.freq]
    since = (dtstart - datetime.combine(dtstart.date(), time())) // (DAY / units) + dtstart.toordinal() * units
    return [(since - day * units) % rule.interval for day in days]


@lru_cache(maxsize=2048)
def _seconds(rule: Rule, phase: int) -> tuple[int, ...]:
    """Return the seconds of the day at which a matching day happens."""
    if rule.freq <= HOURLY:
        inner = [minute * 60 + second for minute in rule.byminute for second in rule.bysecond]
    else:
        inner = list(rule.bysecond) if rule.freq == MINUTELY else [0]
    if rule.freq <= DAILY:
        inner = [hour * 3600 + second for hour in rule.byhour for second in inner]
    inner = [inner[place] for place in _positions(rule, len(inner))]
    if rule.freq <= DAILY:
        return tuple(inner)
    units = UNITS[rule.freq]
    starts = [unit * (86_400 // units) for unit in range(phase, units, rule.interval)]
    return tuple(start + second for start in starts if _allowed(rule, start) for second in inner)


def _allowed(rule: Rule, start: int) -> bool:
    hour, minute, second = start // 3600, start // 60 % 60, start % 60
    return (
        (not rule.byhour or hour in rule.byhour)
        and (rule.freq < MINUTELY or not rule.byminute or minute in rule.byminute)
        and (rule.freq <= MINUTELY or not rule.bysecond or second in rule.bysecond)
    )
