"""Spans of time in plain words."""

from __future__ import annotations

from datetime import datetime, timedelta

from modules.core.scheduler.trigger.protocol import moment_text

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


def until_text(end: datetime | None) -> str:
    """Return ", until …" or nothing."""
    return f", until {moment_text(end)}" if end else ""
