"""Reads a cron expression: our own rules first, then croniter checks and expands what is left."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from croniter import croniter

from modules.core.scheduler.trigger.bits import mask_of
from modules.core.scheduler.trigger.cron_fields import FIELDS, WEEK, Field, Special
from modules.core.scheduler.trigger.days import Days, simplest
from modules.core.scheduler.trigger.near import did_you_mean
from modules.core.scheduler.trigger.protocol import TriggerError
from modules.core.scheduler.trigger.timetable import Timetable

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
DAY_MATCHES = ("any", "all")
SIGNS = re.compile(r"\b(?:(sun|mon|tue|wed|thu|fri|sat)l|\d*[lw]\d*|lw)\b")
PLAIN = 5  # what cron(5) has of the seven fields: those between second and year


def normal_text(expression: object) -> str:
    """Return the expression in one spelling (lower case, `L`, `W`, single spaces), or raise `TriggerError`."""
    if not isinstance(expression, str):
        raise TriggerError(f"a cron expression is text, not {expression!r}", "expression")
    if len(expression) > MAX_LENGTH:
        raise TriggerError(
            f"a cron expression has at most {MAX_LENGTH} characters, not {len(expression)}", "expression"
        )
    if not expression.isascii():
        raise TriggerError(f"a cron expression is plain ASCII; {expression!r} is not", "expression")
    text = " ".join(expression.lower().split())
    return SIGNS.sub(lambda sign: f"{sign[1]}L" if sign[1] else sign[0].upper(), text)


@lru_cache(maxsize=2048)
def timetable(text: str, week: str = "*", day_match: str = "any") -> Timetable:
    """Return the timetable of an expression with single spaces, or raise `TriggerError` that names the wrong field.

    `week` is a field of ISO weeks, and `day_match` says whether `any` or `all` of day and weekday must match, where
    the expression restricts both.
    """
    if day_match not in DAY_MATCHES:
        raise TriggerError(f"day_match is one of {', '.join(DAY_MATCHES)}, not {day_match!r}", "day_match")
    parts = _parts(text)
    items = [_items(field, part, text) for field, part in zip(FIELDS, parts, strict=True)]
    seconds, minutes, hours, days, months, weekdays, years = _expand(items, text)
    special = [item for field in items for item in field if isinstance(item, Special)]
    days_meant = Days(
        months=months,
        days=None if "*" in items[3] else days,
        from_last=frozenset(item.day for item in special if item.kind == "from_last"),
        nearest=frozenset(item.day for item in special if item.kind == "nearest"),
        weekdays=None if "*" in items[5] else weekdays,
        nth=frozenset((item.day, item.week) for item in special if item.kind == "nth"),
        weeks=_weeks(week),
        both=day_match == "all" and "*" not in items[3] and "*" not in items[5],
    )
    found = Timetable(
        simplest(days_meant),
        None if "*" in items[6] else years,
        mask_of(sorted(hours), 60),
        mask_of(sorted(minutes), 60),
        mask_of(sorted(seconds), 60),
        fixed_hour=not parts[2].startswith("*"),
    )
    if not found.ever():
        weeks = "" if week == "*" else f" in week {week}"
        raise TriggerError(f"cron {text!r}{weeks} names a day that no year has", "expression")
    return found


def parts_of(text: str) -> list[str]:
    """Return the fields of an expression, 5 to 7; raises `TriggerError` for any other number."""
    parts = text.split()
    if not PLAIN <= len(parts) <= len(FIELDS):
        raise TriggerError(
            f"a cron expression has 5 fields (minute hour day month day_of_week), 6 with the second before them, "
            f"7 with the year behind; {text!r} has {len(parts)}",
            "expression",
        )
    return parts


def _parts(text: str) -> list[str]:
    if text.startswith("@"):
        word = text.lower()
        if word.partition(" ")[0] in NOT_A_TIME:
            raise TriggerError(NOT_A_TIME[word.partition(" ")[0]], "expression")
        if word not in ALIASES:
            raise TriggerError(f"there is no cron shorthand {text!r}{did_you_mean(word, ALIASES)}", "expression")
        text = ALIASES[word]
    parts = parts_of(text)
    return [*([] if len(parts) > PLAIN else ["0"]), *parts, *([] if len(parts) == len(FIELDS) else ["*"])]


def _items(field: Field, part: str, text: str) -> list[str | Special]:
    items = [field.item(item, text) for item in part.split(",")]
    return ["*"] if "*" in items else items


def _expand(items: list[list[str | Special]], text: str) -> list[frozenset[int]]:
    """Return the numbers of each field, as croniter reads them; none where all of its items are special."""
    plain = [",".join(item for item in field if isinstance(item, str)) for field in items]
    second, *five, year = [field or "*" for field in plain]
    order = five if (second, year) == ("0", "*") else [*five, second, year]  # croniter has the second and year last
    try:
        expanded: list[list[Any]] = croniter.expand(" ".join(order))[0]
    except (ValueError, OverflowError) as error:
        raise TriggerError(f"{text!r} is not a cron expression: {error}", "expression") from None
    values = [expanded[PLAIN] if len(order) > PLAIN else [0], *expanded[:PLAIN], (expanded[PLAIN + 1 :] or [["*"]])[0]]
    return [
        _numbers(found, field) if wanted else frozenset()
        for found, field, wanted in zip(values, FIELDS, plain, strict=True)
    ]


def _numbers(values: list[Any], field: Field) -> frozenset[int]:
    if "*" in values:
        return frozenset(range(field.low, field.high + 1))
    return frozenset(value for value in values if isinstance(value, int))


def _weeks(text: str) -> frozenset[int] | None:
    """Return the ISO weeks of a field, which croniter does not know."""
    found: set[int] = set()
    for part in text.split(","):
        item = WEEK.item(part, text)
        if item == "*":
            return None
        span, _, step = str(item).partition("/")
        low, _, high = span.replace("*", f"{WEEK.low}-{WEEK.high}").partition("-")
        found |= set(range(int(low), int(high or low) + 1, int(step or 1)))
    return frozenset(found)
