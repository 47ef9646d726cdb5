"""What the five fields of a crontab may hold: that of cron itself, and nothing that only we or others understand."""

from __future__ import annotations

import re
from collections.abc import Sequence

NICKNAMES = ("@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly")
WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
FIELDS = (("minute", 0, 59), ("hour", 0, 23), ("day", 1, 31), ("month", 1, 12), ("day of week", 0, 7))
NAMES = {"month": {name: number for number, name in enumerate(MONTHS, 1)}}
NAMES["day of week"] = {name: number for number, name in enumerate(WEEKDAYS)}

_RANDOM = re.compile(r"(?P<low>\d{1,2})?~(?P<high>\d{1,2})?")
_ITEM = re.compile(r"(?P<low>\*|\d{1,2}|[A-Za-z]{3})(?:-(?P<high>\d{1,2}|[A-Za-z]{3}))?(?:/(?P<step>\d{1,2}))?")


def problem_of_fields(fields: Sequence[str]) -> str | None:
    """Return why these five fields cannot be taken as they are, or None."""
    for text, (name, low, high) in zip(fields, FIELDS, strict=True):
        for item in text.split(","):
            problem = _problem(item, name, low, high)
            if problem is not None:
                return f"the {name} field has {item!r:.40}: {problem}"
    day, weekday = fields[2], fields[4]
    if "*" not in (day, weekday) and (day.startswith("*") or weekday.startswith("*")):
        told = f"{day!r} and {weekday!r} must both fit for cron, since one of them begins with *"
        return f"{told}, where here either is enough: write the days out"
    return None


def with_random_times(fields: Sequence[str]) -> str:
    """Return the expression with `H(low-high)` for every random time `low~high`, of which either may be missing."""
    return " ".join(
        ",".join(_random(item, low, high) or item for item in text.split(","))
        for text, (_, low, high) in zip(fields, FIELDS, strict=True)
    )


def _random(item: str, low: int, high: int) -> str | None:
    match = _RANDOM.fullmatch(item)
    if match is None:
        return None
    first, last = int(match["low"] or low), int(match["high"] or high)
    return f"H({first}-{last})" if low <= first <= last <= high else None


def _problem(item: str, name: str, low: int, high: int) -> str | None:
    if "~" in item:
        return (
            None
            if _random(item, low, high)
            else f"a random time is a range within {low} to {high}, such as {low}~{high}"
        )
    match = _ITEM.fullmatch(item)
    if match is None:
        return "cron itself knows no such thing"
    first, last = (_number(part, name) for part in match.group("low", "high"))
    if (first is None and match["low"] != "*") or (last is None and match["high"] is not None):
        return "there is no such name"
    if match["low"] == "*":
        return "* has no end" if match["high"] else _step_problem(match["step"])
    if first is None or not low <= first <= high or not low <= (first if last is None else last) <= high:
        return f"it goes from {low} to {high}"
    if last is not None and last < first:
        return "a range that ends before it begins is refused by cron as well; write two"
    if match["step"] and last is None:
        return "a step without a range means different things to different crons; write the range"
    return _step_problem(match["step"])


def _step_problem(step: str | None) -> str | None:
    return "a step is at least 1" if step is not None and int(step) == 0 else None


def _number(text: str | None, name: str) -> int | None:
    if text is None or text == "*":
        return None
    return int(text) if text.isdigit() else NAMES.get(name, {}).get(text.lower())
