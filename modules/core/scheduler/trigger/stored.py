"""Reads back what a trigger's `to_json` gave; strict, since a row may have been damaged."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, time, timedelta
from typing import Any, cast

from modules.core.scheduler.trigger.after_end import AfterEnd
from modules.core.scheduler.trigger.all_of import AllOf
from modules.core.scheduler.trigger.any_of import AnyOf
from modules.core.scheduler.trigger.calendar_definition import stored_calendar
from modules.core.scheduler.trigger.calendar_interval import CalendarInterval
from modules.core.scheduler.trigger.cron import Cron
from modules.core.scheduler.trigger.event import After, OnEvent
from modules.core.scheduler.trigger.excluding import Excluding, Exclusion
from modules.core.scheduler.trigger.protocol import TimeTrigger, Trigger, TriggerError
from modules.core.scheduler.trigger.reading import amount
from modules.core.scheduler.trigger.rrule import RRule
from modules.core.scheduler.trigger.series import Every, Once
from modules.core.scheduler.trigger.until import Until
from modules.core.scheduler.trigger.wall_clock import Dst
from modules.core.scheduler.trigger.window import Window

VERSION = 1
FROZEN = {"name", "when", "definition"}


def from_json(stored: Mapping[str, Any]) -> Trigger:
    """Return the trigger, or raise `TriggerError` where the JSON is not exactly what `to_json` writes."""
    if not isinstance(stored, Mapping):
        raise TriggerError(f"a stored trigger is an object, not {stored!r}")
    if stored.get("v") != VERSION or isinstance(stored.get("v"), bool):
        raise TriggerError(f"the stored trigger has version {stored.get('v')!r}; this program reads {VERSION}", "v")
    kind = stored.get("type")
    if not isinstance(kind, str) or kind not in KINDS:
        raise TriggerError(f"the stored trigger has the unknown type {kind!r}", "type")
    keys, build = KINDS[kind]
    if set(stored) != {"v", "type", *keys}:
        raise TriggerError(f"the stored {kind} trigger has the keys {sorted(map(str, stored))}", "type")
    return build(stored)


def _moment(stored: Mapping[str, Any], key: str) -> datetime:
    text = stored[key]
    if not isinstance(text, str) or not text.endswith("Z"):
        raise TriggerError(f"the stored {key} {text!r} is not a UTC time", key)
    return _time(text, key)


def _time(text: object, key: str) -> datetime:
    try:
        return datetime.fromisoformat(cast(str, text))
    except (TypeError, ValueError):
        raise TriggerError(f"the stored {key} {text!r} is not a time", key) from None


def _optional(stored: Mapping[str, Any], key: str) -> datetime | None:
    return None if stored[key] is None else _moment(stored, key)


def _once(stored: Mapping[str, Any]) -> Trigger:
    return Once(_moment(stored, "run_date"))


def _span(stored: Mapping[str, Any], key: str) -> timedelta:
    try:
        return timedelta(seconds=amount(stored[key], key))
    except OverflowError:
        raise TriggerError(f"the stored {key} of {stored[key]} seconds is too long", key) from None


def _after_end(stored: Mapping[str, Any]) -> Trigger:
    return AfterEnd(_span(stored, "seconds"), _moment(stored, "start"), _optional(stored, "end"))


def _list(stored: Mapping[str, Any], key: str) -> list[Any]:
    if not isinstance(stored[key], list):
        raise TriggerError(f"the stored {key} are no list, but {stored[key]!r}", key)
    return cast(list[Any], stored[key])


def _every(stored: Mapping[str, Any]) -> Trigger:
    return Every(_span(stored, "seconds"), _moment(stored, "start"), _optional(stored, "end"))


def _clock(stored: Mapping[str, Any], key: str) -> time:
    try:
        return time.fromisoformat(stored[key])
    except (TypeError, ValueError):
        raise TriggerError(f"the stored {key} {stored[key]!r} is not a time of day", key) from None


def _within(stored: Mapping[str, Any]) -> tuple[datetime | None, datetime | None, Dst]:
    return _optional(stored, "start"), _optional(stored, "end"), Dst(stored["gap"], stored["fold"])


def _calendar(stored: Mapping[str, Any]) -> Trigger:
    which = stored["every"], stored["unit"], _clock(stored, "at"), stored["zone"], stored["day"], stored["phase"]
    return CalendarInterval(*which, *_within(stored))


def _window(stored: Mapping[str, Any]) -> Trigger:
    hours = _span(stored, "seconds"), _clock(stored, "from"), _clock(stored, "to"), stored["zone"]
    return Window(*hours, tuple(_list(stored, "days")), *_within(stored))


def _rrule(stored: Mapping[str, Any]) -> Trigger:
    dtstart = _time(stored["dtstart"], "dtstart")
    exdates, rdates = (tuple(_time(text, key) for text in _list(stored, key)) for key in ("exdates", "rdates"))
    return RRule(stored["rrule"], dtstart, stored["zone"], exdates, rdates, *_within(stored))


def _cron(stored: Mapping[str, Any]) -> Trigger:
    return Cron(stored["expression"], stored["zone"], *_within(stored), stored["week"], stored["day_match"])


def _event(stored: Mapping[str, Any]) -> Trigger:
    bounds = [None if stored[key] is None else _span(stored, key) for key in ("debounce", "debounce_max")]
    return OnEvent(stored["event"], stored["where"], *bounds)


def _after(stored: Mapping[str, Any]) -> Trigger:
    return After(stored["task"], stored["when"])


def _several(stored: Mapping[str, Any]) -> tuple[TimeTrigger, ...]:
    inner, kind = stored["triggers"], stored["type"]
    if not isinstance(inner, list) or any(isinstance(item, Mapping) and item.get("type") == kind for item in inner):
        raise TriggerError(f"the stored {kind} trigger has no flat list of triggers", "triggers")
    return tuple(cast(list[TimeTrigger], [from_json(item) for item in inner]))


def _any(stored: Mapping[str, Any]) -> Trigger:
    return AnyOf(_several(stored))


def _until(stored: Mapping[str, Any]) -> Trigger:
    bounds = _optional(stored, "end"), _optional(stored, "start")
    return Until(cast(TimeTrigger, from_json(stored["trigger"])), *bounds)


def _excluding(stored: Mapping[str, Any]) -> Trigger:
    uses = stored["calendars"]
    if not isinstance(uses, list) or any(not isinstance(use, Mapping) or set(use) != FROZEN for use in uses):
        raise TriggerError(f"the stored calendars are no list of {sorted(FROZEN)}", "calendars")
    exclusions = (Exclusion(use["name"], stored_calendar(use["definition"]), use["when"]) for use in uses)
    return Excluding(cast(TimeTrigger, from_json(stored["trigger"])), tuple(exclusions))


def _all(stored: Mapping[str, Any]) -> Trigger:
    return AllOf(_several(stored))


WITHIN = ("zone", "start", "end", "gap", "fold")
KINDS: dict[str, tuple[tuple[str, ...], Callable[[Mapping[str, Any]], Trigger]]] = {
    "date": (("run_date",), _once),
    "interval": (("seconds", "start", "end"), _every),
    "calendar": (("every", "unit", "phase", "day", "at", *WITHIN), _calendar),
    "window": (("seconds", "from", "to", "days", *WITHIN), _window),
    "rrule": (("rrule", "dtstart", "exdates", "rdates", *WITHIN), _rrule),
    "cron": (("expression", *WITHIN, "week", "day_match"), _cron),
    "event": (("event", "where", "debounce", "debounce_max"), _event),
    "after": (("task", "when"), _after),
    "after_end": (("seconds", "start", "end"), _after_end),
    "any": (("triggers",), _any),
    "all": (("triggers",), _all),
    "until": (("trigger", "start", "end"), _until),
    "excluding": (("trigger", "calendars"), _excluding),
}
