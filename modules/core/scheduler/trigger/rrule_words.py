"""Recurrence rules in plain words; a rule for which there are none is shown as it is."""

from __future__ import annotations

from datetime import datetime, time

from modules.core.scheduler.trigger.rrule_text import MONTHLY, WEEKLY, YEARLY, Rule
from modules.core.scheduler.trigger.rrule_times import RuleTimes
from modules.core.scheduler.trigger.weekdays import MONTHS, ORDINALS, WEEKDAYS, clock, listed, run_text
from modules.core.scheduler.trigger.words import counted, until_text

UNITS = ("year", "month", "week", "day", "hour", "minute", "second")


def rule_words(said: Rule, times: RuleTimes, zone: str, end: datetime | None, more: int, out: int) -> str:
    """Return when a rule happens, with `more` further times and `out` left out."""
    rule = times.pattern.rule
    how = f"every {UNITS[rule.freq]}" if rule.interval == 1 else f"every {counted(rule.interval, UNITS[rule.freq])}"
    days, at = _days(rule), _at(rule)
    if days is None or at is None:
        how = f"by the rule {_without_end(said)} from {times.dtstart.isoformat(' ')}"
    else:
        how += days + at
    how += f" ({zone})"
    how += f", {counted(rule.count, 'time')}" if rule.count else ""
    if rule.until is not None and rule.until.tzinfo is None:
        how += f", until {rule.until.isoformat(' ')}"
    how += f", and at {counted(more, 'further time')}" if more else ""
    return how + (f", without {counted(out, 'time')}" if out else "") + until_text(end)


def _without_end(rule: Rule) -> str:
    """Return the rule without its end, which is told in words."""
    return ";".join(part for part in rule.text.split(";") if not part.startswith(("COUNT=", "UNTIL=")))


def _at(rule: Rule) -> str | None:
    """Return " at 09:00" for a single time of day."""
    if any(len(values) != 1 for values in (rule.byhour, rule.byminute, rule.bysecond)):
        return None
    return f" at {clock(time(rule.byhour[0], rule.byminute[0], rule.bysecond[0]))}"


def _days(rule: Rule) -> str | None:
    """Return " in March on day 15" and the like; None where the days are said in another way."""
    if rule.freq > WEEKLY + 1 or rule.bysetpos or rule.byweekno or rule.byyearday:
        return None
    if rule.byday and rule.bymonthday:
        return None
    months = f" in {listed(MONTHS[month - 1] for month in rule.bymonth)}" if rule.bymonth else ""
    if rule.bymonthday:
        return f"{months} on {listed(_month_day(day) for day in rule.bymonthday)}"
    if not rule.byday:
        return months
    if not any(place for _, place in rule.byday):
        days = [day for day, _ in rule.byday]
        return f"{months} on {'any day' if len(days) == 7 else run_text(days, WEEKDAYS)}"
    if rule.freq == YEARLY and not rule.bymonth:
        return None
    if rule.freq not in (YEARLY, MONTHLY) or not all(place in (1, 2, 3, 4, -1) for _, place in rule.byday):
        return None
    return f"{months} on {listed(_placed(day, place) for day, place in rule.byday)}"


def _month_day(day: int) -> str:
    if day > 0:
        return f"day {day}" + (" (where there is one)" if day > 28 else "")
    return "the last day" if day == -1 else f"the last day but {-1 - day}"


def _placed(day: int, place: int) -> str:
    return f"the {'last' if place < 0 else ORDINALS[place - 1]} {WEEKDAYS[day]}"
