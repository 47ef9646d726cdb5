"""Builds cron triggers from dicts: an expression, or one key a field as APScheduler has them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from modules.core.scheduler.trigger import reading
from modules.core.scheduler.trigger.cron import Cron
from modules.core.scheduler.trigger.cron_fields import WEEKDAYS, FieldError
from modules.core.scheduler.trigger.expression import MAX_LENGTH
from modules.core.scheduler.trigger.own_time import with_own_time
from modules.core.scheduler.trigger.protocol import TriggerError
from modules.core.scheduler.trigger.wall_clock import Dst

BY_WEIGHT = {
    "year": "*",
    "month": "1",
    "day": "1",
    "week": "*",
    "day_of_week": "*",
    "hour": "0",
    "minute": "0",
    "second": "0",
}
FIELD_KEYS = tuple(BY_WEIGHT)
DAY_KEYS = ("day", "day_of_week", "week", "month")  # in which a day that never comes is most likely wrong
EXPRESSION_KEYS = ("second", "minute", "hour", "day", "month", "day_of_week", "year")
FROM_MONDAY = (*WEEKDAYS[1:], WEEKDAYS[0])
NTH_WEEKDAY = re.compile(r"(?:(?P<week>[1-5])(?:st|nd|rd|th)|last) (?P<weekday>[a-z]{3})")
NUMBERED = re.compile(r"(?:\*|(?P<low>[0-6])(?:-(?P<high>[0-6]))?)(?:/(?P<step>[1-7]))?")


def cron(given: Mapping[str, Any], zone: str, dst: Dst, seed: str | None, now: datetime) -> Cron:
    """Return the trigger of a cron dict; its expression or its fields, never both.

    `seed` is whose time an `H` is; an expression whose years are all over by `now` is refused.
    """
    fields = {key: given[key] for key in FIELD_KEYS if given.get(key) is not None}
    if given.get("expression") is not None and fields:
        raise TriggerError(f"give cron an expression or the field {next(iter(fields))!r}, not both", "expression")
    if given.get("expression") is None and not fields:
        raise TriggerError(f"cron needs an expression, or fields: {', '.join(FIELD_KEYS)}", "expression")
    start = reading.optional_moment(given, "start_date", zone)
    end = reading.optional_moment(given, "end_date", zone)
    if start is not None and end is not None and end < start:
        raise TriggerError("end_date lies before start_date", "end_date")
    texts = _from_fields(fields) if fields else {"expression": given["expression"]}
    match = given.get("day_match") or texts.pop("day_match", "any")
    try:
        expression = with_own_time(texts["expression"], seed)
        found = Cron(expression, zone, start, end, dst, texts.get("week", "*"), match)
    except TriggerError as error:
        raise (_by_its_key(error, fields) if fields else _as_written(error, given["expression"])) from None
    if found.times.years is not None and max(found.times.years) < now.year - 1:
        raise TriggerError(f"the years of cron {expression!r} are over", "year" if fields else "expression")
    return found


def _as_written(error: TriggerError, expression: str) -> TriggerError:
    """Return an error of an expression whose every `H` was a number by then with the expression as it was written."""
    if not isinstance(error, FieldError):
        return error
    return FieldError(error.name, error.item, error.reason, " ".join(expression.split()))


def _by_its_key(error: TriggerError, fields: Mapping[str, Any]) -> TriggerError:
    """Return an error of an expression that was put together from fields as one of the field that is wrong."""
    if error.field != "expression":
        return error
    if not isinstance(error, FieldError):
        key = next((key for key in DAY_KEYS if key in fields), next(iter(fields)))
        return TriggerError(f"{', '.join(f'{key} {value}' for key, value in fields.items())}: {error}", key)
    if error.name not in fields:  # a day such as "2nd fri"
        return TriggerError(f"day does not allow {fields['day']!r}: {error.reason}", "day")
    items = [item.strip() for item in str(fields[error.name]).split(",")]
    written = next((item for item in items if item.lower() == error.item.lower()), error.item)
    reason = error.reason.replace("0-7 or sun-sat", "mon-sun, or 0-6 from Monday on")
    return TriggerError(f"{error.name} does not allow {written!r}: {reason}", error.name)


def _from_fields(fields: Mapping[str, Any]) -> dict[str, str]:
    """Return the expression; fields below the least one given stand at their minimum, those above it at every value.

    A day and a day_of_week must both match, as APScheduler has it.
    """
    texts = {key: _field_text(key, value) for key, value in fields.items()}
    if "day_of_week" in texts:
        texts["day_of_week"] = ",".join(map(_weekdays, texts["day_of_week"].split(",")))
    nth = [NTH_WEEKDAY.fullmatch(item) for item in texts.get("day", "").split(",")]
    if any(nth):
        texts |= _nth_weekdays(texts, nth)
    order = list(BY_WEIGHT)
    least = max(order.index(key) for key in fields)
    filled = {key: "*" if index < least else low for index, (key, low) in enumerate(BY_WEIGHT.items())} | texts
    parts = [filled[key] for key in EXPRESSION_KEYS]
    if filled["year"] == "*":
        parts = parts[1:-1] if filled["second"] == "0" else parts[:-1]
    if sum(map(len, parts)) > MAX_LENGTH - len(parts):
        longest = max(texts, key=lambda key: len(texts[key]))
        raise TriggerError(f"{longest} makes the expression longer than {MAX_LENGTH} characters", longest)
    both = filled["day"] != "*" and filled["day_of_week"] != "*" and not any(nth)
    return {"expression": " ".join(parts), "week": filled["week"], "day_match": "all" if both else "any"}


def _field_text(key: str, value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise TriggerError(f"{key} must be a number or text such as '*/5', not {value!r}", key)
    if not 0 <= value <= date.max.year if isinstance(value, int) else len(value) > MAX_LENGTH:
        raise TriggerError(f"{key} is far too large", key)
    text = re.sub(r"\s*,\s*", ",", str(value).strip().lower())
    if not text or (re.search(r"\s", text) and not any(map(NTH_WEEKDAY.fullmatch, text.split(",")))):
        raise TriggerError(f"{key} must be one cron field such as '*/5', not {value!r}", key)
    return ",".join("l" if key == "day" and item == "last" else item for item in text.split(","))


def _weekdays(item: str) -> str:
    """Return one item of day_of_week with names for APScheduler's numbers, of which 0 is Monday."""
    match = NUMBERED.fullmatch(item)
    if item == "*" or (match is None and not re.search(r"\d", re.sub(r"[#/]\d+", "", item))):
        return item
    if match is None:
        raise TriggerError(
            f"day_of_week {item!r}: use names (mon-fri), or 0-6 for Monday to Sunday; systems count the days "
            f"differently",
            "day_of_week",
        )
    low = int(match["low"] or 0)
    high = int(match["high"] or (6 if match["step"] or not match["low"] else low))
    if low > high:
        raise TriggerError(f"day_of_week {item!r} runs backwards", "day_of_week")
    return ",".join(FROM_MONDAY[low : high + 1 : int(match["step"] or 1)])


def _nth_weekdays(texts: Mapping[str, str], nth: list[re.Match[str] | None]) -> dict[str, str]:
    """Return the fields day and day_of_week for a day such as `2nd fri,last sun,15`: either of the two matches."""
    if texts.get("day_of_week", "*") != "*":
        raise TriggerError("day names weekdays itself: leave out day_of_week", "day_of_week")
    weekdays = [
        f"{match['weekday']}#{match['week']}" if match["week"] else f"{match['weekday']}l" for match in nth if match
    ]
    days = [item for item, match in zip(texts["day"].split(","), nth, strict=True) if match is None]
    return {"day": ",".join(days) or "*", "day_of_week": ",".join(weekdays)}
