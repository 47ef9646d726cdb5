"""Reads calendars: definitions as people write them, and as `to_json` gave them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import lru_cache
from typing import Any, NoReturn

from framework import strict_json
from modules.core.scheduler.trigger import reading
from modules.core.scheduler.trigger.calendar import EVERY_DAY, WEEKDAYS, WHOLE_DAY, Calendar, Days, Window, YearlyDays
from modules.core.scheduler.trigger.closed import Span
from modules.core.scheduler.trigger.ical import closing_of
from modules.core.scheduler.trigger.ical_text import read_file
from modules.core.scheduler.trigger.protocol import TriggerError
from modules.core.scheduler.trigger.zones import zone as find_zone

PARTS = ("weekdays", "dates", "ranges", "windows", "spans", "file", "ical", "calendars")
KEYS = (*PARTS, "timezone", "invert")
TIME = re.compile(r"(\d\d?):(\d\d)(?::(\d\d))?")
LONGEST_LIST = 10_000
DEEPEST = 8
EPOCH = 1970

Lookup = Callable[[str], Calendar]


def no_calendar(name: str) -> NoReturn:
    """Refuse a name where calendars have none."""
    raise TriggerError(f"there is no calendar {name!r} here", "calendars")


def read_calendar(
    given: object, zone: str, lookup: Lookup = no_calendar, *, year: int = EPOCH, depth: int = DEEPEST
) -> Calendar:
    """Return the calendar that a definition means, its wall clock in `zone` where it names none.

    `lookup` finds other calendars by name; iCalendar text is read as of the `year`. Raises `TriggerError`, with the
    wrong key in `field`.
    """
    if not isinstance(given, Mapping):
        raise TriggerError(f"a calendar is defined by a dict with one of {', '.join(PARTS)}, not by {given!r}")
    reading.check_keys(given, KEYS, "a calendar")
    if all(given.get(key) is None for key in PARTS):
        raise TriggerError(f"a calendar needs one of {', '.join(PARTS)}")
    if not isinstance(given.get("invert", False), bool):
        raise TriggerError(f"invert is true or false, not {given['invert']!r}", "invert")
    if depth == 0:
        raise TriggerError(f"calendars are nested more than {DEEPEST} deep", "calendars")
    name = find_zone(zone if given.get("timezone") is None else given["timezone"]).key
    once, yearly = _days(given)
    closing = [closing_of(text, name, year) for text in _texts(given)]
    return Calendar(
        zone=name,
        weekdays=frozenset() if given.get("weekdays") is None else _weekdays(given["weekdays"]),
        days=(*once, *(days for each in closing for days in each.days)),
        yearly=yearly,
        windows=tuple(_window(each) for each in _list(given, "windows")),
        spans=(
            *(_span(each, name) for each in _list(given, "spans")),
            *(span for each in closing for span in each.spans),
        ),
        members=tuple(_member(each, name, lookup, year, depth) for each in _list(given, "calendars")),
        invert=given.get("invert", False),
    )


def checked(given: dict[str, Any]) -> dict[str, Any]:
    """Return a definition that is right, or raise `TriggerError`; its file and other calendars may come later."""
    readable = {key: [] if key == "file" else value for key, value in given.items()}
    read_calendar(readable, "UTC", lambda _: Calendar("UTC"))
    return given


def stored_calendar(stored: object) -> Calendar:
    """Return the calendar that `to_json` told of; the same one for the same JSON, so that its years are found once."""
    try:
        return _stored(strict_json.dumps(stored, sort_keys=True))
    except strict_json.JsonError as error:
        raise TriggerError(f"the stored calendar is not JSON: {error}", "calendars") from None


@lru_cache(maxsize=500)
def _stored(text: str) -> Calendar:
    return read_calendar(strict_json.loads(text), "UTC")


def _member(given: object, zone: str, lookup: Lookup, year: int, depth: int) -> Calendar:
    if isinstance(given, str):
        return lookup(given)
    return read_calendar(given, zone, lookup, year=year, depth=depth - 1)


def _texts(given: Mapping[str, Any]) -> list[Any]:
    """Return the iCalendar texts of a definition: that of its file, and its own."""
    texts = [] if not given.get("file") else [read_file(given["file"])]
    return texts if given.get("ical") is None else [*texts, given["ical"]]


def _list(given: Mapping[str, Any], key: str) -> list[Any]:
    value = given.get(key)
    if value is None:
        return []
    if not isinstance(value, (list, tuple)) or len(value) > LONGEST_LIST:
        raise TriggerError(f"{key} is a list of at most {LONGEST_LIST:,}, not {str(value)[:100]!r}", key)
    return list(value)


def _days(given: Mapping[str, Any]) -> tuple[tuple[Days, ...], tuple[YearlyDays, ...]]:
    dates = [_day(each, "dates") for each in _list(given, "dates")]
    ends = [_pair(both, "ranges") for both in _list(given, "ranges")]
    pairs = [*zip(dates, dates, strict=True), *((_day(low, "ranges"), _day(high, "ranges")) for low, high in ends)]
    once, yearly = [], []
    for first, last in pairs:
        if isinstance(first, date) and isinstance(last, date) and first <= last:
            once.append(Days(first, last))
        elif isinstance(first, tuple) and isinstance(last, tuple):
            yearly.append(YearlyDays(first, last))
        else:
            raise TriggerError("a range goes from one day to a later one, both with a year or both without", "ranges")
    return tuple(once), tuple(yearly)


def _pair(given: object, field: str) -> tuple[Any, Any]:
    if isinstance(given, Mapping) and set(given) == {"from", "to"}:
        return given["from"], given["to"]
    if isinstance(given, (list, tuple)) and len(given) == 2:
        return given[0], given[1]
    raise TriggerError(f'one of {field} is written ["…", "…"] or {{"from": "…", "to": "…"}}, not {given!r}', field)


def _day(given: object, field: str) -> date | tuple[int, int]:
    """Return a date, or the (month, day) of every year."""
    if isinstance(given, date) and not isinstance(given, datetime):
        return given
    if isinstance(given, str):
        try:
            if re.fullmatch(r"\d\d-\d\d", given):
                leap = date.fromisoformat(f"2024-{given}")
                return leap.month, leap.day
            if re.fullmatch(r"\d{4}-\d\d-\d\d", given):
                return date.fromisoformat(given)
        except ValueError:
            pass
    raise TriggerError(f"{given!r} is no date, such as 2026-12-25, nor 12-25 for every year", field)


def _weekdays(given: object) -> frozenset[int]:
    """Read `"mon-fri"`, `"sat,sun"` or a list of such."""
    parts = given.split(",") if isinstance(given, str) else given
    if not isinstance(parts, (list, tuple)) or len(parts) > LONGEST_LIST:
        raise TriggerError(f"weekdays are a list or text such as 'mon-fri', not {given!r}", "weekdays")
    found: set[int] = set()
    for part in parts:
        first, dash, last = str(part).strip().lower().partition("-")
        if first not in WEEKDAYS or (dash and last not in WEEKDAYS):
            raise TriggerError(f"{part!r} is no weekday; there are {', '.join(WEEKDAYS)}", "weekdays")
        low, high = WEEKDAYS.index(first), WEEKDAYS.index(last or first)
        found.update((low + step) % 7 for step in range((high - low) % 7 + 1))
    return frozenset(found)


def _window(given: object) -> Window:
    weekdays = EVERY_DAY
    if isinstance(given, str) and given.count("-") == 1:
        first, _, last = given.partition("-")
    elif isinstance(given, Mapping) and {"from", "to"} <= set(given) <= {"from", "to", "weekdays"}:
        first, last = given["from"], given["to"]
        weekdays = EVERY_DAY if given.get("weekdays") is None else _weekdays(given["weekdays"])
    else:
        raise TriggerError(
            f'a window is written "22:00-06:00" or {{"from", "to", "weekdays"}}, not {given!r}', "windows"
        )
    start, stop = _seconds(first), _seconds(last)
    if start in (WHOLE_DAY, stop):
        raise TriggerError(f"the window {given!r} is empty; a whole day is 00:00-24:00", "windows")
    return Window(start, stop, weekdays)


def _seconds(given: object) -> int:
    match = TIME.fullmatch(str(given).strip())
    if match is not None:
        hours, minutes, seconds = (int(part or 0) for part in match.groups())
        total = hours * 3600 + minutes * 60 + seconds
        if minutes < 60 and seconds < 60 and total <= WHOLE_DAY:
            return total
    raise TriggerError(f"{given!r} is no time of the day, such as 22:00", "windows")


def _span(given: object, zone: str) -> Span[datetime]:
    first, last = _pair(given, "spans")
    start, stop = reading.moment(first, zone, "spans"), reading.moment(last, zone, "spans")
    if start >= stop:
        raise TriggerError(f"the span {given!r} does not end after its start", "spans")
    return Span(start, stop)
