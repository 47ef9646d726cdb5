"""Recurrence rules in plain words: the rhythm, the days, the times of day, and which of them count."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import time
from itertools import product

from modules.core.scheduler.trigger.rrule_text import DAILY, HOURLY, MINUTELY, MONTHLY, SECONDLY, WEEKLY, YEARLY, Rule
from modules.core.scheduler.trigger.rrule_times import RuleTimes
from modules.core.scheduler.trigger.weekdays import (
    EVERY_DAY,
    MONTHS,
    ORDINALS,
    WEEKDAYS,
    clock,
    is_run,
    listed,
    run_text,
)
from modules.core.scheduler.trigger.words import clock_text, counted, ordinal, units_text

UNITS = ("year", "month", "week", "day", "hour", "minute", "second")
MOST_TIMES = 12  # of a day, that are listed


def rule_words(times: RuleTimes, zone: str, more: int, out: int) -> str:
    """Return when a rule happens, with `more` further times and `out` left out."""
    rule = times.pattern.rule
    how = f"every {UNITS[rule.freq]}" if rule.interval == 1 else f"every {counted(rule.interval, UNITS[rule.freq])}"
    how += _days(rule) + _times(rule) + _chosen(rule)
    if rule.interval > 1 and rule.freq >= HOURLY:
        how += f", counted from {times.dtstart.isoformat(' ')}"
    how += f" ({zone})"
    how += f", {counted(rule.count, 'time')}" if rule.count else ""
    if rule.until is not None and rule.until.tzinfo is None:
        how += f", until {rule.until.isoformat(' ')}"
    how += f", and at {counted(more, 'further time')}" if more else ""
    return how + (f", without {counted(out, 'time')}" if out else "")


def _times(rule: Rule) -> str:
    """Return " at 09:00", " at 09:00 and 12:30", " at every 5th minute from 0 to 55 of hours 9 and 10".

    What is shorter than the frequency says when within it; what is longer, in which of them.
    """
    if rule.freq <= DAILY:
        if len(rule.byhour) * len(rule.byminute) * len(rule.bysecond) > MOST_TIMES:
            return f" at {clock_text(rule.byhour, rule.byminute, rule.bysecond)}"
        return f" at {listed(clock(time(*at)) for at in product(rule.byhour, rule.byminute, rule.bysecond))}"
    told = ""
    if rule.freq == HOURLY:
        within = [units_text(rule.byminute, "minute", 60)]
        told = f" at {' of '.join([*_seconds(rule.bysecond), *within])}"
    elif rule.freq == MINUTELY:
        told = "".join(f" at {seconds}" for seconds in _seconds(rule.bysecond))
    limits = [(rule.byhour, "hour", 24)] if rule.byhour else []
    limits += [(rule.byminute, "minute", 60)] if rule.byminute and rule.freq > HOURLY else []
    limits += [(rule.bysecond, "second", 60)] if rule.bysecond and rule.freq == SECONDLY else []
    only = " of ".join(units_text(numbers, unit, of) for numbers, unit, of in reversed(limits))
    return told + (f", only in {only}" if only else "")


def _seconds(seconds: Sequence[int]) -> list[str]:
    return [] if tuple(seconds) == (0,) else [units_text(seconds, "second", 60)]


def _days(rule: Rule) -> str:
    """Return " in March on day 15" and the like; where several parts restrict a day, one in terms of the other."""
    told = f" in {run_text([month - 1 for month in rule.bymonth], MONTHS)}" if rule.bymonth else ""
    if rule.byweekno:
        told += f" in {listed(_week(week) for week in _forwards(rule.byweekno))}"
        told += f" (weeks begin on {WEEKDAYS[rule.wkst]})" if rule.wkst else ""
    days = [listed(map(_month_day, _forwards(rule.bymonthday)))] if rule.bymonthday else []
    days += [listed(map(_year_day, _forwards(rule.byyearday)))] if rule.byyearday else []
    days += [_weekdays(rule, alone=not days)] if rule.byday else []
    days += ["each day"] if rule.byweekno and not days else []
    told += f" on {days[0]}" if days else ""
    told += "".join(f" (where it is also {day})" for day in days[1:])
    if rule.freq == WEEKLY and rule.interval > 1 and rule.wkst:
        told += f" (weeks begin on {WEEKDAYS[rule.wkst]})"
    return told


def _forwards(numbers: Sequence[int]) -> list[int]:
    """Return the numbers with those that count from the end behind the others."""
    return sorted(numbers, key=lambda number: (number < 0, number))


def _weekdays(rule: Rule, *, alone: bool) -> str:
    """Return "Monday and Friday", "each Monday and the second Tuesday", "the 20th Monday of the year"."""
    plain = [day for day, place in rule.byday if not place]
    placed = [_placed(day, place) for day, place in rule.byday if place]
    each = [] if not plain else ["any day"] if tuple(plain) == EVERY_DAY else [run_text(plain, WEEKDAYS)]
    if each and alone and rule.freq <= MONTHLY and len(plain) < len(EVERY_DAY) and not rule.byweekno:
        each = [f"each {each[0]}" if is_run(plain) else listed(f"each {WEEKDAYS[day]}" for day in plain)]
    of = " of the year" if placed and rule.freq == YEARLY and not rule.bymonth else ""
    return listed([*each, *placed]) + of


def _chosen(rule: Rule) -> str:
    """Return ", of these only the last in each month" for BYSETPOS."""
    if not rule.bysetpos:
        return ""
    which = listed(_place(place) for place in _forwards(rule.bysetpos))
    return f", of these only {which} in each {UNITS[rule.freq]}"


def _place(place: int) -> str:
    if place > 0:
        return f"the {_which(place)}"
    return "the last" if place == -1 else f"the last but {-1 - place}"


def _week(week: int) -> str:
    return f"week {week}" if week > 0 else "the last week" if week == -1 else f"the last week but {-1 - week}"


def _year_day(day: int) -> str:
    if day > 0:
        return f"day {day} of the year" + (" (where there is one)" if day == 366 else "")
    return "the last day of the year" if day == -1 else f"the last day but {-1 - day} of the year"


def _month_day(day: int) -> str:
    if day > 0:
        return f"day {day}" + (" (where there is one)" if day > 28 else "")
    return "the last day" if day == -1 else f"the last day but {-1 - day}"


def _placed(day: int, place: int) -> str:
    if place < -1:
        return f"the last {WEEKDAYS[day]} but {-1 - place}"
    return f"the {'last' if place < 0 else _which(place)} {WEEKDAYS[day]}"


def _which(place: int) -> str:
    return ORDINALS[place - 1] if place <= len(ORDINALS) else ordinal(place)
