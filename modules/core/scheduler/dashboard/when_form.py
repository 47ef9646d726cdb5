"""When a task runs, as fields of a form: six ways to say it and one for all others, and the way back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from modules.core.scheduler.dashboard import holiday_form
from modules.core.scheduler.dashboard.calendar_form import end_of, on_the_clock, texts_of_calendar
from modules.core.scheduler.dashboard.holiday_form import calendars_of, texts_of_calendars
from modules.core.scheduler.showing.definitions import when_of_task

WAYS = {
    "once": "Once",
    "every": "Every",
    "cron": "Cron",
    "calendar": "Calendar",
    "rrule": "RRULE",
    "event": "Event",
    "other": "JSON",
}
OF_WAY = {
    "once": ("at",),
    "every": ("every_value", "every_unit", "every_start", "after_end"),
    "cron": ("cron",),
    "calendar": (
        *("calendar_value", "calendar_unit", "calendar_month"),
        *("calendar_day", "calendar_at", "calendar_start"),
    ),
    "rrule": ("rrule", "rrule_start"),
    "event": ("event", "event_where", "event_debounce", "event_debounce_max"),
    "other": ("trigger_json",),
}
ENDING = ("every", "cron", "calendar", "rrule")  # that may have an end
BY_THE_CLOCK = ("cron", "calendar", "rrule")  # that a change of the clocks may hit
CLOCKS = {
    "dst_gap": ("A time that is left out", {"": "runs at the first valid time after it", "skip": "does not run"}),
    "dst_fold": (
        "A time that comes twice",
        {"": "runs the first time", "last": "runs the second time", "both": "runs both times"},
    ),
}
"""What becomes of times that the clocks leave out or repeat: the question, and the answers; what is usual is empty."""
COMMON = ("timezone", "end_date", *CLOCKS, *holiday_form.FIELDS)
FIRST = {"way": "every", "every_value": "1", "every_unit": "hours", "calendar_value": "1", "calendar_unit": "months"}
CALLED = {
    "schedule_time": {"once": "at", "every": "every_start"},
    "run_date": {"once": "at", "other": "trigger_json"},
    "start_date": {"every": "every_start", "calendar": "calendar_start"},
    "interval_type": {"every": "every_unit"},
    "interval_value": {"every": "every_value"},
    "expression": {"cron": "cron", "other": "trigger_json"},
    "day": {"calendar": "calendar_day"},
    "at": {"calendar": "calendar_at"},
    "month": {"calendar": "calendar_month"},
    "dtstart": {"rrule": "rrule_start"},
    "where": {"event": "event_where"},
    "debounce": {"event": "event_debounce"},
    "debounce_max": {"event": "event_debounce_max"},
}
"""What the service calls a field, and what it is called here, for each way."""


def texts_of_when(task: Mapping[str, Any]) -> dict[str, str]:
    """Return what stands in the fields for a shown task."""
    zone = str(task["timezone"])
    calendars, trigger = texts_of_calendars(task["trigger"])
    if trigger["type"] == "calendar":
        found = texts_of_calendar(trigger, task["created_at"], zone) | _texts_of_clocks(trigger)
    else:
        found = _texts(when_of_task({**task, "trigger": trigger}), trigger, zone)
    return {"timezone": zone} | calendars | found


def _texts(config: Mapping[str, Any], trigger: Mapping[str, Any], zone: str) -> dict[str, str]:
    end = {"end_date": on_the_clock(config["end_date"], zone)} if "end_date" in config else {}
    if "schedule_time" in config:
        return {"way": "once", "at": on_the_clock(config["schedule_time"], zone)}
    if "interval_type" in config:
        every = {"every_value": f"{config['interval_value']:g}", "every_unit": config["interval_type"]}
        return {"way": "every", **every, "after_end": "yes" if "after_end" in config else "", **end}
    if "cron" in config:
        return {"way": "cron", "cron": config["cron"], **end, **_texts_of_clocks(trigger)}
    if trigger["type"] == "event":
        where = json.dumps(trigger["where"], ensure_ascii=False) if trigger["where"] else ""
        waits = {name: "" if trigger[name] is None else f"{trigger[name]:g}" for name in ("debounce", "debounce_max")}
        return {"way": "event", "event": trigger["event"], "event_where": where} | {
            f"event_{name}": text for name, text in waits.items()
        }
    if trigger["type"] == "rrule" and not (trigger["exdates"] or trigger["rdates"] or trigger["start"]):
        rule = {"rrule": trigger["rrule"], "rrule_start": trigger["dtstart"][:16]}
        return {"way": "rrule", **rule, **end_of(trigger, zone), **_texts_of_clocks(trigger)}
    return {"way": "other", "trigger_json": json.dumps(trigger, indent=2, ensure_ascii=False)}


def _texts_of_clocks(trigger: Mapping[str, Any]) -> dict[str, str]:
    chosen = {"dst_gap": trigger["gap"], "dst_fold": trigger["fold"]}
    return {name: value if value in CLOCKS[name][1] else "" for name, value in chosen.items()}


def when_of(form: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the keys of a config that a form means, and what is wrong with it, by field."""
    way = form.get("way", "")
    makers = {"once": _once, "every": _every, "cron": _cron, "calendar": _calendar, "rrule": _rrule, "event": _event}
    try:
        config = makers.get(way, _other)(form)
    except _WrongError as wrong:
        return {}, {wrong.field: str(wrong)}
    common = {"timezone": form.get("timezone", "").strip() or None}
    common["end_date"] = (form.get("end_date") or None) if way in ENDING else None
    common |= {name: (form.get(name) or None) if way in BY_THE_CLOCK else None for name in CLOCKS}
    given = {name: value for name, value in common.items() if value is not None}
    return config | given | ({} if way == "event" else calendars_of(form)), {}


def field_called(field: str, way: str) -> str:
    """Return the field of the form that a field of the service's is."""
    if field in COMMON:
        return field
    units = ("days", "weeks", "months", "years")
    if way == "calendar" and field in units:
        return "calendar_value"
    found = CALLED.get(field, {}).get(way)
    return found or (OF_WAY[way][0] if field in ("trigger", "type", "cron", "rrule", "event") else field)


def says_otherwise(form: Mapping[str, str], before: Mapping[str, str]) -> bool:
    """Tell whether a form says when in another way than these texts do; fields of ways not taken do not count."""
    names = ("way", *COMMON, *OF_WAY.get(form.get("way", ""), ()))
    return any(form.get(name, "").strip() != before.get(name, "").strip() for name in names)


class _WrongError(ValueError):
    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def _given(form: Mapping[str, str], name: str, missing: str) -> str:
    text = form.get(name, "").strip()
    if not text:
        raise _WrongError(name, missing)
    return text


def _number(form: Mapping[str, str], name: str) -> float:
    text = _given(form, name, "say how many")
    try:
        return int(text) if text.isdecimal() else float(text)
    except ValueError:
        raise _WrongError(name, "this is no number") from None


def _once(form: Mapping[str, str]) -> dict[str, Any]:
    return {"schedule_time": _given(form, "at", "say when")}


def _every(form: Mapping[str, str]) -> dict[str, Any]:
    config = {"interval_type": form.get("every_unit", ""), "interval_value": _number(form, "every_value")}
    start = {"schedule_time": form["every_start"]} if form.get("every_start") else {}
    return {"recurring": True, **config, **start, **({"after_end": True} if form.get("after_end") else {})}


def _cron(form: Mapping[str, str]) -> dict[str, Any]:
    return {"cron": _given(form, "cron", "write an expression, such as 30 2 * * *")}


def _calendar(form: Mapping[str, str]) -> dict[str, Any]:
    trigger: dict[str, Any] = {"type": "calendar", form.get("calendar_unit", ""): _number(form, "calendar_value")}
    for name in ("month", "day", "at"):
        if text := form.get(f"calendar_{name}", "").strip():
            trigger[name] = int(text) if text.lstrip("-").isdecimal() else text
    if start := form.get("calendar_start"):
        trigger["start_date"] = start
    return {"trigger": trigger}


def _rrule(form: Mapping[str, str]) -> dict[str, Any]:
    start = _given(form, "rrule_start", "say from when it counts")
    rule = _given(form, "rrule", "write a rule, such as FREQ=MONTHLY;BYDAY=2FR")
    return {"trigger": {"type": "rrule", "rrule": rule, "dtstart": start}}


def _event(form: Mapping[str, str]) -> dict[str, Any]:
    trigger: dict[str, Any] = {"type": "event", "event": _given(form, "event", "name the event")}
    if form.get("event_where", "").strip():
        trigger["where"] = _json(form, "event_where")
    for name in ("debounce", "debounce_max"):
        if text := form.get(f"event_{name}", "").strip():
            trigger[name] = text
    return {"trigger": trigger}


def _other(form: Mapping[str, str]) -> dict[str, Any]:
    _given(form, "trigger_json", "write a trigger as JSON")
    return {"trigger": _json(form, "trigger_json")}


def _json(form: Mapping[str, str], name: str) -> Any:
    try:
        return json.loads(form[name])
    except ValueError as error:
        raise _WrongError(name, f"this is no JSON: {error}") from None
