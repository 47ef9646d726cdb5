"""Reads the text of an iCalendar file (RFC 5545): lines are unfolded, and the properties of its events taken out.

By hand: what a calendar of closed times needs is a dozen properties of one component.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path

from modules.core.scheduler.trigger.protocol import TriggerError
from modules.core.scheduler.trigger.zones import zone as find_zone

MAX_BYTES = 1_000_000
MOST_EVENTS = 5_000
WANTED = {"DTSTART", "DTEND", "DURATION", "RRULE", "EXDATE", "RDATE", "STATUS", "RECURRENCE-ID", "UID", "SUMMARY"}
LISTS = ("EXDATE", "RDATE")
LINE = re.compile(r'([A-Za-z0-9-]+)((?:;[A-Za-z0-9-]+=(?:"[^"]*"|[^";:])*)*):(.*)')
PARAMETER = re.compile(r';([A-Za-z0-9-]+)=((?:"[^"]*"|[^";:])*)')
LENGTH = re.compile(r"\+?P(?:(\d{1,5})W)?(?:(\d{1,5})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:(\d{1,8})S)?)?")


@dataclass(frozen=True, slots=True)
class Property:
    """The value of a property and its parameters, whose names are in capitals."""

    value: str
    parameters: Mapping[str, str]


@dataclass(slots=True)
class Event:
    """The properties of a VEVENT: those that may come once, and the lists of dates."""

    once: dict[str, Property] = field(default_factory=dict)
    lists: dict[str, list[Property]] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """Return the value of a property, empty where there is none."""
        return self.once[name].value if name in self.once else ""


@dataclass(frozen=True, slots=True)
class When:
    """A date or time of an event: a wall-clock time in `zone` (a name), or a whole day, whose zone is the reader's."""

    wall: datetime
    zone: str | None

    @property
    def is_day(self) -> bool:
        """Whether it is a whole day."""
        return self.zone is None


def read_file(path: object) -> str:
    """Return the text of a file, or raise `TriggerError`: not there, too large, or no UTF-8."""
    if not isinstance(path, (str, Path)) or not str(path):
        raise TriggerError(f"file is the path of an iCalendar file, not {path!r}", "file")
    try:
        with Path(path).open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        why = (error.strerror if isinstance(error, OSError) else None) or error
        raise TriggerError(f"the calendar's file {str(path)!r} cannot be read: {why}", "file") from None
    if len(content) > MAX_BYTES:
        raise TriggerError(f"the calendar's file {str(path)!r} is larger than {MAX_BYTES:,} bytes", "file")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise TriggerError(f"the calendar's file {str(path)!r} is not UTF-8", "file") from None


def events_in(text: object) -> list[Event]:
    """Return the events of an iCalendar text; those of other components, and within events, are passed over."""
    if not isinstance(text, str) or len(text) > MAX_BYTES:
        raise TriggerError(f"ical is iCalendar text of at most {MAX_BYTES:,} characters", "ical")
    lines = list(_unfolded(text))
    if not lines or lines[0].strip().upper() != "BEGIN:VCALENDAR":
        raise TriggerError("iCalendar text begins with BEGIN:VCALENDAR; this does not", "ical")
    events: list[Event] = []
    inside: list[str] = []
    for match in filter(None, map(LINE.fullmatch, lines)):
        name, value = match[1].upper(), match[3]
        if name == "BEGIN":
            inside.append(value.strip().upper())
            events += [Event()] if inside[-1] == "VEVENT" else []
        elif name == "END":
            _leave(inside, value.strip().upper())
        elif inside and inside[-1] == "VEVENT" and name in WANTED:
            _note(events[-1], name, Property(value.strip(), _parameters(match[2])))
        if len(events) > MOST_EVENTS or len(inside) > MOST_EVENTS:
            raise TriggerError(f"an iCalendar file has at most {MOST_EVENTS:,} events", "ical")
    if inside:
        raise TriggerError(f"the iCalendar text ends within {inside[-1]}", "ical")
    return events


def when(given: Property, text: str, zone: str) -> When:
    """Return what a date or time of a property means; one without a zone is read in `zone`."""
    is_utc = text.endswith("Z")
    try:
        if re.fullmatch(r"\d{8}", text):
            return When(datetime.combine(date.fromisoformat(text), datetime.min.time()), None)
        if re.fullmatch(r"\d{8}T\d{6}Z?", text):
            wall = datetime.strptime(text[:15], "%Y%m%dT%H%M%S")  # noqa: DTZ007  # a wall-clock time has no zone
            name = "UTC" if is_utc else given.parameters.get("TZID", zone).lstrip("/")
            return When(wall, find_zone(name).key)
    except TriggerError:
        raise
    except ValueError:
        pass
    raise TriggerError(f"{text[:50]!r} is no date of an iCalendar file, such as 20261225", "ical")


def all_of(properties: list[Property], zone: str) -> list[When]:
    """Return the dates and times of properties that are lists."""
    return [when(each, text.strip(), zone) for each in properties for text in each.value.split(",") if text.strip()]


def length(text: str) -> timedelta:
    """Return the duration that a text such as `P1D` or `PT1H30M` means."""
    match = LENGTH.fullmatch(text)
    if match is None or not any(match.groups()):
        raise TriggerError(f"{text[:50]!r} is no duration of an iCalendar file, such as P1D or PT2H", "ical")
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)


def _unfolded(text: str) -> Iterator[str]:
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    return (line for line in re.sub("\n[ \t]", "", lines).split("\n") if line.strip())


def _parameters(text: str) -> dict[str, str]:
    return {name.upper(): value.strip('"') for name, value in PARAMETER.findall(text)}


def _note(event: Event, name: str, given: Property) -> None:
    if name in LISTS:
        event.lists.setdefault(name, []).append(given)
    else:
        event.once.setdefault(name, given)


def _leave(inside: list[str], name: str) -> None:
    if not inside or inside.pop() != name:
        raise TriggerError(f"the iCalendar text ends {name!r} where that has not begun", "ical")
