"""Days of the week and months by name: read from definitions, and written in plain words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, time

from modules.core.scheduler.trigger.protocol import TriggerError
from modules.core.scheduler.trigger.words import runs_of

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
ORDINALS = ("first", "second", "third", "fourth")
EVERY_DAY = tuple(range(7))


def named(value: object, names: Sequence[str]) -> int | None:
    """Return the place of a name among full English names, of which three letters are enough; None for no name."""
    word = value.strip().lower() if isinstance(value, str) else ""
    return next((i for i, name in enumerate(names) if word in (name.lower(), name[:3].lower())), None)


def weekdays(value: object, field: str) -> tuple[int, ...]:
    """Return the days, Monday = 0, that text such as `mon-fri` or `tue,sat`, or a list of such, means."""
    items = value.split(",") if isinstance(value, str) else value
    if not isinstance(items, (list, tuple)) or not items:
        raise _no_days(value, field)
    found: set[int] = set()
    for item in items:
        low, dash, high = item.partition("-") if isinstance(item, str) else (item, "", "")
        first = named(low, WEEKDAYS)
        last = named(high, WEEKDAYS) if dash else first
        if first is None or last is None:
            raise _no_days(value, field)
        found.update((first + step) % 7 for step in range((last - first) % 7 + 1))
    return tuple(sorted(found))


def _no_days(value: object, field: str) -> TriggerError:
    return TriggerError(f"{field} are names of days, such as 'mon-fri' or 'tue,sat', not {value!r}", field)


def run_text(places: Sequence[int], names: Sequence[str]) -> str:
    """Return "June to August", "June and August", "January to March and June": the names at sorted places, in words."""
    return listed(names[low] if low == high else f"{names[low]} to {names[high]}" for low, high in runs_of(places))


def is_run(places: Sequence[int]) -> bool:
    """Tell whether sorted places are three or more in a row."""
    return len(places) > 2 and places[-1] - places[0] == len(places) - 1


def listed(words: Iterable[str]) -> str:
    """Return "a, b and c"."""
    *others, last = words
    return f"{', '.join(others)} and {last}" if others else last


def clock(at: time | datetime) -> str:
    """Return "09:00", or with seconds where it has any."""
    text = at.strftime("%H:%M:%S") + f".{at.microsecond:06d}".rstrip("0").rstrip(".")
    return text.removesuffix(":00") if text.count(":") == 2 else text
