"""The times of an iCalendar file as closed days and spans; what repeats is written out for some years."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from modules.core.scheduler.trigger.calendar import Days
from modules.core.scheduler.trigger.closed import Span
from modules.core.scheduler.trigger.ical_text import Event, When, all_of, events_in, length, when
from modules.core.scheduler.trigger.protocol import DAY, LAST, TICK, TriggerError
from modules.core.scheduler.trigger.rrule import RRule
from modules.core.scheduler.trigger.rrule_text import DAILY, read_rule
from modules.core.scheduler.trigger.zones import resolve
from modules.core.scheduler.trigger.zones import zone as find_zone

YEARS_BACK, YEARS_AHEAD = 1, 10
MOST_REPEATING = 500
MOST_OCCURRENCES = 20_000
LONGEST = timedelta(days=3_660)


class Closing(NamedTuple):
    """What an iCalendar file closes: whole days, by the wall clock of whoever reads it, and spans of time."""

    days: tuple[Days, ...]
    spans: tuple[Span[datetime], ...]


@dataclass(frozen=True, slots=True)
class _Timed:
    """An event: when it begins, how long its wall clock shows it, and which of its repetitions are left out."""

    start: When
    length: timedelta
    rule: str
    more: tuple[datetime, ...]
    out: tuple[datetime, ...]


def closing_of(text: object, zone: str, year: int) -> Closing:
    """Return what the events of an iCalendar text close from the year before `year` to ten years after it.

    Cancelled events close nothing; changed repetitions (RECURRENCE-ID) are at their new time. Times without a zone are
    read in `zone`. Raises `TriggerError`: no iCalendar text, or more than it may hold.
    """
    events = [event for event in events_in(text) if "DTSTART" in event.once]
    moved: dict[str, list[datetime]] = {}
    for event in events:
        if "RECURRENCE-ID" in event.once:
            given = event.once["RECURRENCE-ID"]
            moved.setdefault(event.text("UID"), []).append(when(given, given.value, zone).wall)
    held = [event for event in events if event.text("STATUS").upper() != "CANCELLED"]
    timed = [_timed(event, moved.get(event.text("UID"), []), zone) for event in held]
    if sum(bool(each.rule) for each in timed) > MOST_REPEATING:
        raise TriggerError(f"an iCalendar file has at most {MOST_REPEATING} events that repeat", "ical")
    return _closing(timed, year)


def _timed(event: Event, moved: list[datetime], zone: str) -> _Timed:
    start = when(event.once["DTSTART"], event.text("DTSTART"), zone)
    if "DTEND" in event.once:
        end = when(event.once["DTEND"], event.text("DTEND"), zone)
        lasts = end.wall - start.wall
        if not start.is_day and not end.is_day and end.zone != start.zone:
            lasts = _instant(end) - _instant(start)
    elif "DURATION" in event.once:
        lasts = length(event.text("DURATION"))
    else:
        lasts = DAY if start.is_day else timedelta(0)
    if not timedelta(0) <= lasts <= LONGEST:
        name = event.text("SUMMARY")[:50]
        raise TriggerError(f"the event {name!r} of the iCalendar file ends before it begins, or after years", "ical")
    is_changed = "RECURRENCE-ID" in event.once
    out = [each.wall for each in all_of(event.lists.get("EXDATE", []), zone)]
    more = [each.wall for each in all_of(event.lists.get("RDATE", []), zone)]
    rule = "" if is_changed else event.text("RRULE")
    return _Timed(start, lasts, rule, tuple(more), tuple(out if is_changed else [*out, *moved]))


def _closing(timed: Iterable[_Timed], year: int) -> Closing:
    low = datetime(max(year - YEARS_BACK, 2), 1, 1, tzinfo=UTC)
    high = datetime(min(year + YEARS_AHEAD + 1, LAST.year), 1, 1, tzinfo=UTC)
    days: list[Days] = []
    spans: list[Span[datetime]] = []
    for each in timed:
        for wall in _walls(each, low, high, MOST_OCCURRENCES - len(days) - len(spans)):
            if each.start.is_day:
                days.append(Days(wall.date(), (wall + max(each.length, DAY) - TICK).date()))
            elif each.length:
                start = _instant(When(wall, each.start.zone))
                spans.append(Span(start, max(_instant(When(wall + each.length, each.start.zone)), start + TICK)))
    return Closing(tuple(days), tuple(spans))


def _walls(each: _Timed, low: datetime, high: datetime, room: int) -> Iterator[datetime]:
    """Yield when an event begins, on its own wall clock, where that lies about between `low` and `high`."""
    single = {each.start.wall, *each.more} - set(each.out)
    first, last = low.replace(tzinfo=None) - each.length, high.replace(tzinfo=None)
    found = {wall for wall in single if first <= wall < last}
    if each.rule:
        if read_rule(each.rule).freq > DAILY:
            raise TriggerError("what closes a calendar repeats daily or less often", "ical")
        rule = RRule(_on_its_clock(each), each.start.wall, "UTC", exdates=each.out)
        count = rule.count_between(low - each.length - DAY, high - TICK)
        if count > room:
            raise TriggerError(f"an iCalendar file has at most {MOST_OCCURRENCES:,} times in ten years", "ical")
        found.update(moment.replace(tzinfo=None) for moment in rule.between(low - each.length - DAY, high - TICK))
    if len(found) > room:
        raise TriggerError(f"an iCalendar file has at most {MOST_OCCURRENCES:,} times in ten years", "ical")
    yield from sorted(found)


def _on_its_clock(each: _Timed) -> str:
    """Return an event's rule with the time in UTC that it ends at, if it has one, on the event's own wall clock."""
    until = read_rule(each.rule).until
    if until is None or until.tzinfo is None or each.start.zone is None:
        return each.rule
    wall = until.astimezone(find_zone(each.start.zone))
    return re.sub("UNTIL=[^;]*", f"UNTIL={wall:%Y%m%dT%H%M%S}", each.rule, flags=re.IGNORECASE)


def _instant(at: When) -> datetime:
    return resolve(find_zone(at.zone), at.wall)
