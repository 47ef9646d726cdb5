"""Reads back what a trigger's `to_json` gave; strict, since a row may have been damaged."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, cast

from modules.core.scheduler.trigger.any_of import AnyOf
from modules.core.scheduler.trigger.calendar_definition import stored_calendar
from modules.core.scheduler.trigger.cron import Cron
from modules.core.scheduler.trigger.event import OnEvent
from modules.core.scheduler.trigger.excluding import Excluding, Exclusion
from modules.core.scheduler.trigger.protocol import TimeTrigger, Trigger, TriggerError
from modules.core.scheduler.trigger.reading import amount
from modules.core.scheduler.trigger.series import Every, EveryMonths, Once
from modules.core.scheduler.trigger.until import Until
from modules.core.scheduler.trigger.wall_clock import Dst

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


def _every(stored: Mapping[str, Any]) -> Trigger:
    try:
        interval = timedelta(seconds=amount(stored["seconds"], "seconds"))
    except OverflowError:
        raise TriggerError(f"the stored interval of {stored['seconds']} seconds is too long", "seconds") from None
    return Every(interval, _moment(stored, "start"), _optional(stored, "end"))


def _every_months(stored: Mapping[str, Any]) -> Trigger:
    anchor = _time(stored["anchor"], "anchor")
    return EveryMonths(stored["months"], anchor, stored["zone"], _optional(stored, "end"), stored["first"])


def _cron(stored: Mapping[str, Any]) -> Trigger:
    window = _optional(stored, "start"), _optional(stored, "end")
    dst = Dst(stored["gap"], stored["fold"])
    return Cron(stored["expression"], stored["zone"], *window, dst, stored["week"], stored["day_match"])


def _event(stored: Mapping[str, Any]) -> Trigger:
    return OnEvent(stored["event"], stored["where"])


def _any(stored: Mapping[str, Any]) -> Trigger:
    inner = stored["triggers"]
    if not isinstance(inner, list) or any(isinstance(item, Mapping) and item.get("type") == "any" for item in inner):
        raise TriggerError("the stored any trigger has no flat list of triggers", "triggers")
    return AnyOf(tuple(cast(list[TimeTrigger], [from_json(item) for item in inner])))


def _until(stored: Mapping[str, Any]) -> Trigger:
    return Until(cast(TimeTrigger, from_json(stored["trigger"])), _moment(stored, "end"))


def _excluding(stored: Mapping[str, Any]) -> Trigger:
    uses = stored["calendars"]
    if not isinstance(uses, list) or any(not isinstance(use, Mapping) or set(use) != FROZEN for use in uses):
        raise TriggerError(f"the stored calendars are no list of {sorted(FROZEN)}", "calendars")
    exclusions = (Exclusion(use["name"], stored_calendar(use["definition"]), use["when"]) for use in uses)
    return Excluding(cast(TimeTrigger, from_json(stored["trigger"])), tuple(exclusions))


KINDS: dict[str, tuple[tuple[str, ...], Callable[[Mapping[str, Any]], Trigger]]] = {
    "date": (("run_date",), _once),
    "interval": (("seconds", "start", "end"), _every),
    "months": (("months", "anchor", "first", "zone", "end"), _every_months),
    "cron": (("expression", "zone", "start", "end", "gap", "fold", "week", "day_match"), _cron),
    "event": (("event", "where"), _event),
    "any": (("triggers",), _any),
    "until": (("trigger", "end"), _until),
    "excluding": (("trigger", "calendars"), _excluding),
}
