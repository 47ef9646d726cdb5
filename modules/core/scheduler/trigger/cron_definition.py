"""Builds cron triggers from dicts: an expression, or one key a field."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from modules.core.scheduler.trigger import reading
from modules.core.scheduler.trigger.cron import Cron
from modules.core.scheduler.trigger.protocol import TriggerError
from modules.core.scheduler.trigger.wall_clock import Dst

FIELD_KEYS = ("minute", "hour", "day", "month", "day_of_week")
NOT_YET = ("second", "week", "year")
BY_WEIGHT = (("month", "1"), ("day", "1"), ("day_of_week", "*"), ("hour", "0"), ("minute", "0"))


def cron(given: Mapping[str, Any], zone: str, dst: Dst) -> Cron:
    """Return the trigger of a cron dict; its expression or its fields, never both."""
    fields = {key: given[key] for key in FIELD_KEYS if given.get(key) is not None}
    for key in NOT_YET:
        if given.get(key) is not None:
            raise TriggerError(f"cron has no {key!r} here; its fields are {', '.join(FIELD_KEYS)}", key)
    if given.get("expression") is not None and fields:
        raise TriggerError(f"give cron an expression or the field {next(iter(fields))!r}, not both", "expression")
    if given.get("expression") is None and not fields:
        raise TriggerError(f"cron needs an expression, or fields: {', '.join(FIELD_KEYS)}", "expression")
    expression = _from_fields(fields) if fields else given["expression"]
    start = reading.optional_moment(given, "start_date", zone)
    end = reading.optional_moment(given, "end_date", zone)
    if start is not None and end is not None and end < start:
        raise TriggerError("end_date lies before start_date", "end_date")
    return Cron(expression, zone, start, end, dst)


def _from_fields(fields: Mapping[str, Any]) -> str:
    """Return the expression; fields below the least one given stand at their minimum, those above it at every value."""
    texts = {key: _field_text(key, value) for key, value in fields.items()}
    if texts.get("day", "*") != "*" and texts.get("day_of_week", "*") != "*":
        raise TriggerError(
            "day and day_of_week together are read as both or as either by different systems; "
            "a cron expression means either",
            "day_of_week",
        )
    order = [key for key, _ in BY_WEIGHT]
    least = max(order.index(key) for key in texts)
    filled = {key: "*" if index < least else low for index, (key, low) in enumerate(BY_WEIGHT)}
    filled |= texts
    return " ".join(filled[key] for key in FIELD_KEYS)


def _field_text(key: str, value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise TriggerError(f"{key} must be a number or text such as '*/5', not {value!r}", key)
    text = str(value).strip().lower()
    if not text or len(text.split()) != 1:
        raise TriggerError(f"{key} must be one cron field such as '*/5', not {value!r}", key)
    if key == "day_of_week" and re.search(r"\d", re.sub(r"[#/]\d+", "", text)):
        raise TriggerError(f"day_of_week {text!r}: use names (mon-fri), since systems count the days differently", key)
    return "l" if key == "day" and text == "last" else text
