"""A cron expression taken apart: what stands in which field, and which values that means."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from modules.core.scheduler.trigger.cron import Cron
from modules.core.scheduler.trigger.expression import ALIASES, PLAIN, normal_text, parts_of
from modules.core.scheduler.trigger.protocol import TICK

NAMES = ("second", "minute", "hour", "day", "month", "day_of_week", "year")
BY_THE_MONTH = re.compile(r"[lw#]")  # days that differ from month to month
YEARS = timedelta(days=366 * 130)
# For each field: an expression that all of its values fire once in a span of time, and what of the moment is the value.
PROBES: dict[str, tuple[str, timedelta, Callable[[datetime], int]]] = {
    "second": ("{} * * * * *", timedelta(minutes=1), lambda moment: moment.second),
    "minute": ("{} * * * *", timedelta(hours=1), lambda moment: moment.minute),
    "hour": ("0 {} * * *", timedelta(days=1), lambda moment: moment.hour),
    "day": ("0 0 {} 1 *", timedelta(days=31), lambda moment: moment.day),
    "month": ("0 0 1 {} *", timedelta(days=365), lambda moment: moment.month),
    "day_of_week": ("0 0 * * {}", timedelta(days=7), lambda moment: moment.isoweekday() % 7),
    "year": ("0 0 0 1 1 * {}", YEARS, lambda moment: moment.year),
}


def fields_of(expression: str) -> dict[str, str]:
    """Return what stands in each field of an expression; a second and a year are there only where they are written."""
    text = normal_text(expression)
    parts = parts_of(ALIASES.get(text, text))
    names = NAMES[1:-1] if len(parts) == PLAIN else NAMES
    return dict(zip(names, parts, strict=False))


def values_of(name: str, text: str) -> list[int] | None:
    """Return the values that a field's text stands for, in order, Sunday as 0; None where they differ by the month."""
    if name in ("day", "day_of_week") and BY_THE_MONTH.search(re.sub("[a-z]{3}", "", text.lower())):
        return None
    expression, span, value = PROBES[name]
    start = datetime(1970 if name == "year" else 2023, 1, 1, tzinfo=UTC)  # 2023 began with a Sunday
    found = Cron(expression.format(text), "UTC").between(start - TICK, start + span - TICK)
    return sorted({value(moment) for moment in found})


def in_ranges(values: list[int]) -> str:
    """Return numbers as people write them: `0-5, 30, 45`."""
    runs: list[list[int]] = []
    for value in values:
        if runs and value == runs[-1][-1] + 1:
            runs[-1].append(value)
        else:
            runs.append([value])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)
