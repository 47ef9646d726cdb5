"""Builds calendars, windows, recurrence rules and coincidences from trigger dicts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from framework.duration import parse_duration
from modules.core.scheduler.trigger import reading
from modules.core.scheduler.trigger.all_of import AllOf
from modules.core.scheduler.trigger.calendar_interval import CalendarInterval, on_weekday, phase_of
from modules.core.scheduler.trigger.protocol import TimeTrigger, TriggerError, as_utc
from modules.core.scheduler.trigger.rrule import RRule
from modules.core.scheduler.trigger.wall_clock import Dst
from modules.core.scheduler.trigger.weekdays import EVERY_DAY, MONTHS, WEEKDAYS, named, weekdays
from modules.core.scheduler.trigger.window import Window
from modules.core.scheduler.trigger.zones import resolve
from modules.core.scheduler.trigger.zones import zone as find_zone

UNITS = {"days": ("days", 1), "weeks": ("days", 7), "months": ("months", 1), "years": ("months", 12)}
CALENDAR_KEYS = (*UNITS, "day", "month", "at")
WINDOW_KEYS = ("every", "from", "to", "days")
RRULE_KEYS = ("rrule", "dtstart", "exdates", "rdates")
CLOCK = re.compile(r"[0-9]{1,2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?")


def calendar(given: Mapping[str, Any], zone: str, now: datetime, dst: Dst) -> CalendarInterval:
    """Return the trigger of a calendar dict; what it does not say is that of its `start_date`.

    Without `start_date` it counts from the day or month of `now`, the first that is still ahead.
    """
    chosen = [unit for unit in UNITS if given.get(unit) is not None]
    if len(chosen) != 1:
        raise TriggerError(f"a calendar needs one of {', '.join(UNITS)}", chosen[-1] if chosen else "months")
    unit, factor = UNITS[chosen[0]]
    every = reading.whole_amount(given[chosen[0]], chosen[0]) * factor
    start, end = _bounds(given, zone)
    wall = reading.wall(as_utc(now) if start is None else given["start_date"], zone, "start_date").replace(fold=0)
    day, first = _day(given, chosen[0], wall.date(), start)
    if start is not None and given.get("at") is None:
        start = min(start, resolve(find_zone(zone), wall))  # shown twice: it may be meant at the first pass
    at = _clock(given, "at") if start is None or given.get("at") is not None else wall.time()
    try:
        return CalendarInterval(every, unit, at, zone, day, phase_of(first, unit), start, end, dst)
    except TriggerError as error:
        raise TriggerError(str(error), chosen[0] if error.field == unit else error.field) from None


def _day(given: Mapping[str, Any], unit: str, today: date, start: datetime | None) -> tuple[int | str | None, date]:
    """Return the day of the month, if it is months that are counted, and a day or month from which to count."""
    day, month = given.get("day"), given.get("month")
    if month is not None and unit != "years":
        raise TriggerError("month is for a calendar of years", "month")
    if unit in ("months", "years"):
        if start is None and (day is None or (unit == "years" and month is None)):
            missing = "day" if day is None else "month"
            raise TriggerError(f"a calendar of {unit} needs {missing!r}, or 'start_date'", missing)
        month = today.month if month is None else _month(month)
        return today.day if day is None else day, today.replace(month=month, day=1)
    if day is None:
        return None, today
    weekday = named(day, WEEKDAYS)
    if unit != "weeks" or weekday is None:
        raise TriggerError(f"day, in a calendar of weeks, is a name such as 'friday', not {day!r}", "day")
    return None, on_weekday(today, weekday)


def _month(value: object) -> int:
    number = named(value, MONTHS)
    if number is not None:
        return number + 1
    if type(value) is not int or not 1 <= value <= 12:
        raise TriggerError(f"month is a number from 1 to 12 or a name, not {value!r}", "month")
    return value


def window(given: Mapping[str, Any], zone: str, dst: Dst) -> Window:
    """Return the trigger of a window dict; without `days` it is for every day."""
    interval = _duration(reading.required(given, "every", "the window trigger"))
    days = EVERY_DAY if given.get("days") is None else weekdays(given["days"], "days")
    return Window(interval, _clock(given, "from"), _clock(given, "to"), zone, days, *_bounds(given, zone), dst)


def rrule(given: Mapping[str, Any], zone: str, dst: Dst) -> RRule:
    """Return the trigger of an rrule dict; `dtstart` may be called `start_date`."""
    start, end = _bounds(given, zone)
    key = "dtstart" if start is None or given.get("dtstart") is not None else "start_date"
    dtstart = reading.wall(reading.required(given, key, "the rrule trigger"), zone, key)
    exdates, rdates = (_walls(given.get(field), zone, field, dtstart.time()) for field in ("exdates", "rdates"))
    text = reading.required(given, "rrule", "the rrule trigger")
    return RRule(text, dtstart, zone, exdates, rdates, start, end, dst)


def coinciding(triggers: tuple[TimeTrigger, ...], now: datetime) -> AllOf:
    """Return the trigger that is all of these at once, or raise `TriggerError` where they never are."""
    trigger = AllOf(triggers)
    if trigger.next_after(as_utc(now)) is not None:
        return trigger
    until = trigger.given_up(as_utc(now))
    if until is None:
        raise TriggerError(f"these never coincide: {trigger.describe()}", "triggers")
    raise TriggerError(
        f"these do not coincide before {until:%Y-%m-%d}, where the search ends: {trigger.describe()}", "triggers"
    )


def _bounds(given: Mapping[str, Any], zone: str) -> tuple[datetime | None, datetime | None]:
    start = reading.optional_moment(given, "start_date", zone)
    end = reading.optional_moment(given, "end_date", zone)
    if start is not None and end is not None and end < start:
        raise TriggerError("end_date lies before start_date", "end_date")
    return start, end


def _clock(given: Mapping[str, Any], key: str) -> time:
    value = reading.required(given, key, f"the {given['type']} trigger")
    try:
        if isinstance(value, str) and CLOCK.fullmatch(value.strip()):
            return time.fromisoformat(value.strip().zfill(5) if value.count(":") == 1 else value.strip().zfill(8))
    except ValueError:
        pass
    if isinstance(value, time) and value.tzinfo is None:
        return value
    raise TriggerError(f"{key} is a time of day such as '09:30', not {value!r}", key)


def _duration(value: object) -> timedelta:
    try:
        if isinstance(value, Mapping):
            return timedelta(**{str(unit): reading.amount(count, "every") for unit, count in value.items()})
        return parse_duration(value)
    except (ValueError, TypeError, OverflowError) as error:
        raise TriggerError(f"every is a duration such as '10 minutes': {error}", "every") from None


def _walls(values: object, zone: str, field: str, at: time) -> tuple[datetime, ...]:
    if values is None:
        return ()
    if not isinstance(values, (list, tuple)):
        raise TriggerError(f"{field} must be a list of times, not {values!r}", field)
    return tuple(reading.wall(value, zone, field, at) for value in values)
