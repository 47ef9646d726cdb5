"""Days of the calendar in the fields of a form, and moments as such fields show them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from modules.core.scheduler.trigger.weekdays import MONTHS, WEEKDAYS


def texts_of_calendar(trigger: Mapping[str, Any], created: datetime, zone: str) -> dict[str, str]:
    """Return the fields of a stored calendar, with the day it counts from where that makes a difference."""
    every, phase = trigger["every"], trigger["phase"]
    unit, size = trigger["unit"], 1
    texts = {"way": "calendar", "calendar_at": _clock(trigger["at"]), **end_of(trigger, zone)}
    if unit == "months":
        texts["calendar_day"] = str(trigger["day"])
        if every % 12 == 0:
            unit, size = "years", 12
            texts["calendar_month"] = MONTHS[phase % 12].lower()
    elif every % 7 == 0:
        unit, size = "weeks", 7
        texts["calendar_day"] = WEEKDAYS[(phase - 1) % 7].lower()
    if trigger["start"] is not None:
        texts["calendar_start"] = on_the_clock(trigger["start"], zone)
    elif every > size:
        first = _first_of(trigger, created.astimezone(ZoneInfo(zone)).date())
        texts["calendar_start"] = f"{first}T{trigger['at'][:5]}"
    return texts | {"calendar_value": str(every // size), "calendar_unit": unit}


def _first_of(trigger: Mapping[str, Any], day: date) -> date:
    """Return the first day, or the first of the first month, from this one on that a stored calendar counts."""
    every, phase = trigger["every"], trigger["phase"]
    if trigger["unit"] == "days":
        return date.fromordinal(day.toordinal() + (phase - day.toordinal()) % every)
    month = day.year * 12 + day.month - 1
    year, month = divmod(month + (phase - month) % every, 12)
    return date(year, month + 1, 1)


def _clock(text: str) -> str:
    """Return a time of the day without seconds where it has none."""
    at = time.fromisoformat(text)
    return at.isoformat("auto" if at.second or at.microsecond else "minutes")


def end_of(trigger: Mapping[str, Any], zone: str) -> dict[str, str]:
    """Return the field for the end of a stored trigger; nothing where it has none."""
    return {} if trigger["end"] is None else {"end_date": on_the_clock(trigger["end"], zone)}


def on_the_clock(moment: str, zone: str) -> str:
    """Return a moment as a field for times shows it: on the clock of the zone, without one being named."""
    local = datetime.fromisoformat(moment).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    return local.isoformat(timespec="seconds" if local.second else "minutes")
