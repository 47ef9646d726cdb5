"""The triggers of APScheduler 3 as trigger definitions, with every field; what has no like here is refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from modules.core.scheduler.transfer.apscheduler_values import duration, moment, zone_name
from modules.core.scheduler.transfer.inert_pickle import Made, Named, shown

HOME = "apscheduler.triggers."
EXPRESSIONS = HOME + "cron.expressions"
FIELDS = ("year", "month", "day", "week", "day_of_week", "hour", "minute", "second")
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
POSITIONS = ("1st", "2nd", "3rd", "4th", "5th", "last")
REFUSED = {
    "CalendarIntervalTrigger": "its trigger counts in calendar days, which is not carried over: say it anew",
}

Definition = dict[str, Any]


def trigger_of_job(trigger: Any) -> dict[str, Any]:
    """Return the `trigger` and the `jitter`, if it has one, of a task config. Raises `ValueError` with the reason."""
    if not isinstance(trigger, Made) or not isinstance(trigger.what, Named):
        raise ValueError(f"its trigger is none of APScheduler's: {shown(trigger)}")  # noqa: TRY004  # the data is wrong, not the program
    state = trigger.attributes()
    definition = _definition(f"{trigger.what.module}:{trigger.what.name}", state)
    jitter = state.get("jitter")
    if jitter is not None and (isinstance(jitter, bool) or not isinstance(jitter, (int, float))):
        raise ValueError("its jitter is no number")
    return {"trigger": definition} | ({"jitter": jitter} if jitter else {})


def _definition(reference: str, state: Mapping[str, Any]) -> Definition:
    build = KINDS.get(reference)
    if build is None:
        module, _, name = reference.partition(":")
        known = module.startswith(HOME) and name in REFUSED
        raise ValueError(REFUSED[name] if known else f"its trigger is none of APScheduler's: {reference:.60}")
    return build(state)


def _date(state: Mapping[str, Any]) -> Definition:
    return {"type": "date", "run_date": moment(state["run_date"])}


def _interval(state: Mapping[str, Any]) -> Definition:
    return {"type": "interval", "seconds": duration(state["interval"]).total_seconds(), **_window(state)}


def _cron(state: Mapping[str, Any]) -> Definition:
    texts: dict[str, str] = {}
    for field in state["fields"]:
        said = field.attributes() if isinstance(field, Made) else {}
        name = said.get("name")
        if name not in FIELDS or not isinstance(said.get("expressions"), list):
            raise ValueError("its cron trigger has a field that cannot be read")
        texts[name] = ",".join(_expression(each, name) for each in said["expressions"])
    if set(texts) != set(FIELDS):
        raise ValueError("its cron trigger has not all of its fields")
    return {"type": "cron", **texts, **_window(state)}


def _several(kind: str, state: Mapping[str, Any]) -> Definition:
    return {"type": kind, "triggers": [_inner(*each) for each in state["triggers"]]}


def _inner(reference: Any, state: Any) -> Definition:
    if not isinstance(reference, str) or not isinstance(state, Mapping):
        raise ValueError("its trigger holds one that cannot be read")  # noqa: TRY004  # the data is wrong, not the program
    if state.get("jitter"):
        raise ValueError("a trigger within its trigger has a jitter of its own, which only a whole task has here")
    return _definition(reference, state)


def _window(state: Mapping[str, Any]) -> Definition:
    window = {name: moment(state.get(name)) for name in ("start_date", "end_date")}
    window["timezone"] = zone_name(state["timezone"])
    return {name: value for name, value in window.items() if value is not None}


def _expression(value: Any, field: str) -> str:
    """Return one expression of a cron field in APScheduler's own words."""
    if not isinstance(value, Made) or not isinstance(value.what, Named) or value.what.module != EXPRESSIONS:
        raise ValueError(f"its cron trigger has {shown(value)} in the field {field}")
    said = value.attributes()
    numbers = {name: _whole(said.get(name), field) for name in ("step", "first", "last", "option_num", "weekday")}
    step = "" if numbers["step"] is None else f"/{numbers['step']}"
    match value.what.name:
        case "AllExpression":
            return f"*{step}"
        case "RangeExpression":
            return _range(numbers, ()) + step
        case "WeekdayRangeExpression":
            return _range(numbers, WEEKDAYS)
        case "MonthRangeExpression":
            return _range(numbers, ("", *MONTHS))
        case "WeekdayPositionExpression":
            return f"{POSITIONS[numbers['option_num'] or 0]} {WEEKDAYS[numbers['weekday'] or 0]}"
        case "LastDayOfMonthExpression":
            return "last"
    raise ValueError(f"its cron trigger has {shown(value)} in the field {field}")


def _range(numbers: Mapping[str, int | None], names: tuple[str, ...]) -> str:
    first, last = numbers["first"], numbers["last"]
    if first is None:
        raise ValueError("its cron trigger has a range without a beginning")
    texts = [str(number) if not names else names[number] for number in (first, last) if number is not None]
    return texts[0] if first == last else "-".join(texts)


def _whole(value: Any, field: str) -> int | None:
    if value is None or (type(value) is int and 0 <= value < 10_000):
        return value
    raise ValueError(f"its cron trigger has a number that cannot be in the field {field}")


KINDS: dict[str, Callable[[Mapping[str, Any]], Definition]] = {
    HOME + "date:DateTrigger": _date,
    HOME + "interval:IntervalTrigger": _interval,
    HOME + "cron:CronTrigger": _cron,
    HOME + "combining:OrTrigger": partial(_several, "any"),
    HOME + "combining:AndTrigger": partial(_several, "all"),
}
