"""How calendars, given as the plain dicts of the services, read on a terminal."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from framework.terminal import span

Shown = Mapping[str, Any]

CALENDAR_COLUMNS = ("CALENDAR", "MODULE", "ZONE", "TASKS", "CLOSES")
MARK = " !!"
MOST_SHOWN = 60


def calendar_rows(calendars: Iterable[Shown]) -> list[tuple[str, ...]]:
    """Return one row of `CALENDAR_COLUMNS` for each calendar."""
    return [
        (
            each["name"],
            each["module_id"] + (MARK if each["missing_since"] else ""),
            each["definition"]["timezone"],
            str(each["tasks"]),
            _closes(each["definition"]),
        )
        for each in calendars
    ]


def calendars_verdict(calendars: Sequence[Shown]) -> str:
    """Return how many calendars there are, and how many nobody registers any more."""
    told = [f"{len(calendars)} calendar{'' if len(calendars) == 1 else 's'}"]
    if missing := sum(each["missing_since"] is not None for each in calendars):
        told.append(f"{missing} registered no longer: tasks keep clear of it as it was")
    return ", ".join(told)


def calendar_facts(calendar: Shown) -> Iterator[tuple[str, str]]:
    """Yield what there is to tell of a calendar, `(label, text)`, its closed times in its own zone."""
    zone = ZoneInfo(calendar["definition"]["timezone"])
    yield "calendar", calendar["name"]
    yield "module", calendar["module_id"]
    if calendar["missing_since"] is not None:
        yield "missing", f"since {calendar['missing_since']:%Y-%m-%d %H:%M} UTC{MARK}"
    yield "zone", zone.key
    yield "tasks", str(calendar["tasks"])
    for key, value in calendar["definition"].items():
        if key != "timezone":
            yield key, value if isinstance(value, str) else json.dumps(value)
    for closed in calendar["closed"][:MOST_SHOWN]:
        yield "closed", _closed_text(closed["from"], closed["to"], zone)
    if not calendar["closed"]:
        yield "closed", "never in that time"
    if calendar["more"] or len(calendar["closed"]) > MOST_SHOWN:
        yield "closed", "and more"


def _closed_text(start: datetime, stop: datetime, zone: ZoneInfo) -> str:
    first, last = start.astimezone(zone), stop.astimezone(zone)
    return f"{first:%a %Y-%m-%d %H:%M} to {last:%a %Y-%m-%d %H:%M}  ({span(stop - start)})"


def _closes(definition: Shown) -> str:
    """Return in a few words what a definition is made of."""
    counted = {"dates": "date", "ranges": "range", "windows": "window", "spans": "span", "calendars": "calendar"}
    told = [",".join(definition["weekdays"])] if definition.get("weekdays") else []
    for key, word in counted.items():
        if number := len(definition.get(key, ())):
            told.append(f"{number} {word}{'' if number == 1 else 's'}")
    return ("all but " if definition.get("invert") else "") + (" and ".join(told) or "nothing")
