"""Spans of time, and sets of numbers, in plain words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from modules.core.scheduler.trigger.protocol import Trigger, moment_text
from modules.core.scheduler.trigger.zones import zone

UNITS = (("week", 604_800), ("day", 86_400), ("hour", 3_600), ("minute", 60))


def every(interval: timedelta) -> str:
    """Return "every 5 minutes", "every hour", "every 1 day 2 hours", "every 0.3 seconds"."""
    text = span_text(interval)
    return "every " + (text.removeprefix("1 ") if text.count(" ") == 1 else text)


def span_text(span: timedelta) -> str:
    """Return "5 minutes", "1 hour", "1 day 2 hours", "0.3 seconds"."""
    parts = []
    rest = span
    for unit, seconds in UNITS:
        count, rest = divmod(rest, timedelta(seconds=seconds))
        if count:
            parts.append(counted(count, unit))
    if rest:
        parts.append(counted(rest.seconds + rest.microseconds / 1_000_000, "second"))
    return " ".join(parts)


def every_months(months: int) -> str:
    """Return "every month", "every 3 months", "every 2 years"."""
    count, unit = (months // 12, "year") if months % 12 == 0 else (months, "month")
    return f"every {unit}" if count == 1 else f"every {counted(count, unit)}"


def counted(count: float, unit: str) -> str:
    """Return the count with its unit, in the plural where it is not one."""
    number = f"{count:.6f}".rstrip("0").rstrip(".")
    return f"{number} {unit}" if number == "1" else f"{number} {unit}s"


def ordinal(number: int) -> str:
    """Return "1st", "2nd", "11th"."""
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th") if number % 100 not in (11, 12, 13) else "th"
    return f"{number}{ending}"


def step_of(numbers: Sequence[int]) -> int | None:
    """Return the step of sorted numbers that are more than two and equally far apart, further than one; else None."""
    steps = {later - earlier for earlier, later in pairwise(numbers)}
    return max(steps) if len(numbers) > 2 and len(steps) == 1 and max(steps) > 1 else None


def runs_of(numbers: Sequence[int]) -> list[tuple[int, int]]:
    """Return sorted numbers as runs, first and last, of three and more; what is in none is a run of its own."""
    found: list[tuple[int, int]] = []
    for number in numbers:
        if found and number == found[-1][1] + 1:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    return [
        part
        for low, high in found
        for part in ([(low, high)] if high - low > 1 else sorted({(low, low), (high, high)}))
    ]


def units_text(numbers: Sequence[int], unit: str, of: int) -> str:
    """Return "every minute", "minute 5", "minutes 5, 10 and 20 to 30", "every 7th minute from 0 to 56" of so many."""
    if len(numbers) == of:
        return f"every {unit}"
    step = step_of(numbers)
    if step is not None:
        return f"every {ordinal(step)} {unit} from {numbers[0]} to {numbers[-1]}"
    return f"{unit}{'s' if len(numbers) > 1 else ''} {numbers_text(numbers)}"


def numbers_text(numbers: Sequence[int]) -> str:
    """Return "5, 10 and 20 to 30"."""
    *others, last = (str(low) if low == high else f"{low} to {high}" for low, high in runs_of(numbers))
    return f"{', '.join(others)} and {last}" if others else last


def clock_text(hours: Sequence[int], minutes: Sequence[int], seconds: Sequence[int]) -> str:
    """Return "every 7th minute from 0 to 56 of every hour": the times of a day that these make."""
    parts = [units_text(hours, "hour", 24)]
    if tuple(seconds) == (0,):
        return " of ".join([units_text(minutes, "minute", 60), *parts])
    return " of ".join([units_text(seconds, "second", 60), units_text(minutes, "minute", 60), *parts])


def until_text(end: datetime | None, place: str | None = None) -> str:
    """Return ", until …" or nothing; in a zone, or in UTC."""
    return f", until {moment_words(end, place)}" if end else ""


def window_text(start: datetime | None, end: datetime | None, place: str | None) -> str:
    """Return ", from …, until …", or what of it there is; in a zone, or in UTC."""
    return (f", from {moment_words(start, place)}" if start else "") + until_text(end, place)


def moment_words(moment: datetime, place: str | None) -> str:
    """Return "2026-11-22 10:00 (Europe/Berlin)", with its offset where the clock shows it twice; without a zone UTC."""
    if place is None:
        return moment_text(moment)
    local = moment.astimezone(zone(place))
    text = local.replace(tzinfo=None).isoformat(" ", "auto" if local.microsecond else "seconds").removesuffix(":00")
    is_plain = local.replace(fold=0).utcoffset() == local.replace(fold=1).utcoffset()
    return f"{text} ({place})" if is_plain else f"{text}{local:%z} ({place})"


def told_together(between: str, triggers: Sequence[Trigger], place: str | None) -> str:
    """Return what several triggers say of themselves, each in the first zone that one of them has."""
    return between.join(trigger.describe(zone_in(triggers) or place) for trigger in triggers)


def zone_in(triggers: Iterable[Trigger]) -> str | None:
    """Return the first zone in which one of several triggers, or one within it, reads its times."""
    for trigger in triggers:
        inner = getattr(trigger, "triggers", None) or filter(None, [getattr(trigger, "trigger", None)])
        found: str | None = getattr(trigger, "zone", None) or zone_in(inner)
        if found is not None:
            return found
    return None
