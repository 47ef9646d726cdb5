"""Durations as people write them: `90s`, `5m`, `1 day 2 hours`, `PT6H`, or a number in a unit that the place knows."""

from __future__ import annotations

import math
import re
from datetime import timedelta
from functools import partial
from typing import Annotated, Literal

from pydantic import BeforeValidator

Unit = Literal["milliseconds", "seconds", "minutes", "hours", "days", "weeks"]

LONGEST = timedelta(days=365_250)  # a thousand years: a moment plus or minus this stays within what a datetime holds
MAX_TEXT = 100

_WORDS: dict[str, Unit] = {
    **dict.fromkeys(("ms", "millisecond", "milliseconds"), "milliseconds"),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), "seconds"),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), "minutes"),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), "hours"),
    **dict.fromkeys(("d", "day", "days"), "days"),
    **dict.fromkeys(("w", "week", "weeks"), "weeks"),
}
_CALENDAR_WORDS = {"mo", "month", "months", "y", "yr", "yrs", "year", "years"}
_NUMBER = r"[0-9]+(?:\.[0-9]+)?"
_BARE = re.compile(_NUMBER)
_PART = re.compile(rf"({_NUMBER})\s*([a-z]+)(?:\s*(?:,|and\b)?\s*)")
_ISO = re.compile(
    rf"P(?:({_NUMBER})Y)?(?:({_NUMBER})M)?(?:({_NUMBER})W)?(?:({_NUMBER})D)?"
    rf"(?:T(?=[0-9])(?:({_NUMBER})H)?(?:({_NUMBER})M)?(?:({_NUMBER})S)?)?"
)
_ISO_UNITS: tuple[Unit, ...] = ("weeks", "days", "hours", "minutes", "seconds")


def parse_duration(value: object, unit: Unit = "seconds") -> timedelta:
    """Return the duration that a timedelta, a number (of the unit, also as text), words or ISO 8601 text mean.

    Zero is a duration, a negative one is not. Raises `ValueError` with a sentence: not a duration, negative, not
    finite, longer than a thousand years, or in months or years, which have no fixed length.
    """
    match value:
        case timedelta():
            duration = value
        case bool():
            raise _unreadable(value, unit)
        case int() | float():
            duration = _of(value, unit, value)
        case str():
            duration = _from_text(value, unit)
        case _:
            raise _unreadable(value, unit)
    if duration < timedelta(0):
        raise ValueError(f"a duration cannot be negative, and {_shown(value)} is")
    if duration > LONGEST:
        raise ValueError(f"{_shown(value)} is longer than a thousand years")
    return duration


Seconds = Annotated[timedelta, BeforeValidator(partial(parse_duration, unit="seconds"))]
Days = Annotated[timedelta, BeforeValidator(partial(parse_duration, unit="days"))]


def in_words(duration: timedelta) -> str:
    """Return the shortest exact text that `parse_duration` reads back: `5m`, `1h 30m`, `2d`, `0.5s`, `0s`."""
    if duration < timedelta(0):
        return "-" + in_words(-duration)
    minutes, seconds = divmod(duration.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    fraction = f".{duration.microseconds:06d}".rstrip("0").rstrip(".")
    parts = [f"{count}{name}" for count, name in ((duration.days, "d"), (hours, "h"), (minutes, "m")) if count]
    if seconds or fraction or not parts:
        parts.append(f"{seconds}{fraction}s")
    return " ".join(parts)


def _from_text(text: str, unit: Unit) -> timedelta:
    stripped = text.strip()
    if len(stripped) > MAX_TEXT:
        raise _unreadable(text, unit)
    if _BARE.fullmatch(stripped):
        return _of(float(stripped), unit, text)
    iso = _ISO.fullmatch(stripped.upper())
    if iso and any(iso.groups()):
        return _from_iso(iso.groups(), text)
    return _from_words(stripped.lower(), text, unit)


def _from_iso(groups: tuple[str | None, ...], text: str) -> timedelta:
    years, months, *fixed = groups
    if years or months:
        raise _calendar(text)
    parts = [_of(float(number), unit, text) for number, unit in zip(fixed, _ISO_UNITS, strict=True) if number]
    return sum(parts, timedelta(0))


def _from_words(lowered: str, text: str, bare_unit: Unit) -> timedelta:
    if lowered.startswith("-") and _BARE.match(lowered[1:].lstrip()):
        raise ValueError(f"a duration cannot be negative, and {_shown(text)} is")
    counts: dict[Unit, timedelta] = {}
    position = 0
    while part := _PART.match(lowered, position):
        number, word = part.groups()
        if word in _CALENDAR_WORDS:
            raise _calendar(text)
        unit = _WORDS.get(word)
        if unit is None or unit in counts:
            raise _unreadable(text, bare_unit)
        counts[unit] = _of(float(number), unit, text)
        position = part.end()
    if not counts or position != len(lowered) or lowered.endswith((",", "and")):
        raise _unreadable(text, bare_unit)
    return sum(counts.values(), timedelta(0))


def _of(number: float, unit: Unit, value: object) -> timedelta:
    try:
        if not math.isfinite(number):
            raise _unreadable(value, unit)
        return timedelta(**{unit: number})
    except OverflowError:
        raise ValueError(f"{_shown(value)} is longer than a thousand years") from None


def _unreadable(value: object, unit: Unit) -> ValueError:
    return ValueError(
        f"{_shown(value)} is not a duration; write a number of {unit}, or text like '90s', '1 hour', 'PT6H'"
    )


def _calendar(text: str) -> ValueError:
    return ValueError(f"{_shown(text)} has no fixed length; write days or weeks instead of months and years")


def _shown(value: object) -> str:
    try:
        shown = repr(value)
    except ValueError:  # an int of more than 4,300 digits refuses to be printed
        return "a huge number"
    return shown if len(shown) <= MAX_TEXT else shown[: MAX_TEXT - 1] + "…"
