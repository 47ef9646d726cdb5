"""Reads a cron expression: our own rules first, then croniter checks and expands what is left."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from croniter import croniter

from modules.core.scheduler.trigger.near import did_you_mean
from modules.core.scheduler.trigger.protocol import TriggerError
from modules.core.scheduler.trigger.timetable import LAST_WEEK, Days, Timetable

MAX_LENGTH = 256
ALIASES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
NOT_A_TIME = {
    "@reboot": "@reboot is no time: what is to run at every start belongs in a module's lifespan",
    "@every": "@every is not cron: use an interval trigger",
}
WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
EXTENSIONS = {
    "?": "write * instead of ?",
    "h": "H and R differ from node to node: write the time out",
    "r": "H and R differ from node to node: write the time out",
    "w": "the nearest weekday (W) is not supported",
}


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()
    special: str = "(?!)"  # a pattern of what is allowed beside numbers and names

    def number(self, text: str) -> int:
        """Return the number that a number or a name stands for, or raise KeyError."""
        if text in self.names:
            return self.names.index(text) + (1 if self.low == 1 else 0)
        if text.isdigit() and len(text) <= 2 and self.low <= int(text) <= self.high:
            return int(text)
        raise KeyError(text)


FIELDS = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day", 1, 31, special=r"l|\d\d?-l"),
    _Field("month", 1, 12, MONTHS),
    _Field("day_of_week", 0, 7, WEEKDAYS, special=r"[a-z0-9]+#[1-5]|l[0-7]"),
)
ITEM = re.compile(r"(?P<low>\*|[a-z0-9]+)(?:-(?P<high>[a-z0-9]+))?(?:/(?P<step>\d+))?")


def normal_text(expression: object) -> str:
    """Return the expression in one spelling (lower case, `L`, single spaces), or raise `TriggerError`."""
    if not isinstance(expression, str):
        raise TriggerError(f"a cron expression is text, not {expression!r}", "expression")
    if len(expression) > MAX_LENGTH:
        raise TriggerError(
            f"a cron expression has at most {MAX_LENGTH} characters, not {len(expression)}", "expression"
        )
    if not expression.isascii():
        raise TriggerError(f"a cron expression is plain ASCII; {expression!r} is not", "expression")
    return re.sub(r"\bl", "L", " ".join(expression.lower().split()))


@lru_cache(maxsize=2048)
def timetable(text: str) -> Timetable:
    """Return the timetable of a normalised expression, or raise `TriggerError` that names the wrong field."""
    fields = [_plain_field(field, part, text) for field, part in zip(FIELDS, _parts(text.lower()), strict=True)]
    expanded, nth = _expand(fields, text)
    minutes, hours = (_numbers(values, field) for values, field in zip(expanded[:2], FIELDS[:2], strict=True))
    day_values, month_values, weekday_values = expanded[2:]
    days = Days(
        months=_numbers(month_values, FIELDS[3]),
        days=None if fields[2] == "*" else _numbers(day_values, FIELDS[2]),
        last_day="l" in day_values,
        weekdays=None if fields[4] == "*" else _numbers(weekday_values, FIELDS[4]) - set(nth),
        nth=frozenset((day, LAST_WEEK if week == "l" else int(week)) for day, weeks in nth.items() for week in weeks),
    )
    if not days.ever():
        raise TriggerError(f"cron {text!r} names a day that no year has", "expression")
    times = sorted(hour * 60 + minute for hour in hours for minute in minutes)
    return Timetable(days, tuple(times), fixed_hour=not fields[1].startswith("*"))


def _parts(text: str) -> list[str]:
    if text.startswith("@"):
        if text.partition(" ")[0] in NOT_A_TIME:
            raise TriggerError(NOT_A_TIME[text.partition(" ")[0]], "expression")
        if text not in ALIASES:
            raise TriggerError(f"there is no cron shorthand {text!r}{did_you_mean(text, ALIASES)}", "expression")
        text = ALIASES[text]
    parts = text.split()
    if len(parts) != len(FIELDS):
        raise TriggerError(
            f"a cron expression has 5 fields (minute hour day month day_of_week); {text!r} has {len(parts)}",
            "expression",
        )
    return parts


def _plain_field(field: _Field, part: str, text: str) -> str:
    items = [_plain_item(field, item, text) for item in part.split(",")]
    return "*" if "*" in items else ",".join(items)


def _plain_item(field: _Field, item: str, text: str) -> str:
    """Return an item that means the same in every version of croniter, or raise `TriggerError`."""
    if re.fullmatch(field.special, item):
        return item
    match = ITEM.fullmatch(item)
    if match is None:
        raise _wrong(field, item, text)
    try:
        low, high = (None if value in (None, "*") else field.number(value) for value in match.group("low", "high"))
    except KeyError as error:
        raise _wrong(field, item, text, str(error.args[0])) from None
    step = int(match["step"]) if match["step"] else None
    if (step is not None and not 1 <= step <= field.high) or (low is None and match["high"]):
        raise _wrong(field, item, text)
    return _spelt(field, low, high, step, item, text)


def _spelt(field: _Field, low: int | None, high: int | None, step: int | None, item: str, text: str) -> str:
    if low is None:
        return "*" if step in (None, 1) else f"*/{step}"
    if step is not None and high is None:  # croniter 6 reads 59/15 as */15
        return str(low) if low == field.high else f"{low}-{field.high}/{step}"
    if high is None or low == high:  # croniter reads 5-5 as every minute
        return str(low)
    if low > high and field.name == "day_of_week" and high == 0:
        high = 7
    if low > high and step not in (None, 1):  # croniter skips values here
        raise TriggerError(
            f"{item!r} in the {field.name} field of cron {text!r} wraps around and has a step: list the values",
            "expression",
        )
    return f"{low}-{high}" + (f"/{step}" if step else "")


def _wrong(field: _Field, item: str, text: str, word: str = "") -> TriggerError:
    reason = next((why for sign, why in EXTENSIONS.items() if sign in re.findall(r"[a-z?]", item)), "")
    if not reason or word in field.names or len(re.sub(r"[^a-z]", "", item)) > 2:
        names = f" or {field.names[0]}-{field.names[-1]}" if field.names else ""
        reason = f"it takes {field.low}-{field.high}{names}, lists, ranges, and steps up to {field.high}"
    return TriggerError(f"the {field.name} field of cron {text!r} does not allow {item!r}: {reason}", "expression")


def _expand(fields: list[str], text: str) -> tuple[list[list[Any]], dict[int, set[Any]]]:
    try:
        expanded, nth = croniter.expand(" ".join(fields))[:2]
    except (ValueError, OverflowError) as error:
        raise TriggerError(f"{text!r} is not a cron expression: {error}", "expression") from None
    return expanded, nth


def _numbers(values: list[Any], field: _Field) -> frozenset[int]:
    if "*" in values:
        return frozenset(range(field.low, field.high + 1))
    return frozenset(value for value in values if isinstance(value, int))
