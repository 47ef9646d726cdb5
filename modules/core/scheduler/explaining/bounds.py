"""What bounds a schedule: its start and end, the hours and days of a daily window, how often it may run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row

from modules.core.scheduler.expiring import is_late, is_over
from modules.core.scheduler.explaining.facts import Facts
from modules.core.scheduler.explaining.words import Gate, closed, passed
from modules.core.scheduler.firing import trigger_of
from modules.core.scheduler.task import Status
from modules.core.scheduler.trigger import AnyOf, Every, Excluding, Window, zone
from modules.core.scheduler.trigger.weekdays import EVERY_DAY, WEEKDAYS, clock, run_text

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Edges:
    """From when to when a trigger may have a time at all; None where it has no such bound."""

    start: datetime | None
    end: datetime | None
    window: Window | None


def over_text(facts: Facts) -> str:
    """Return why a recurring task is completed, as `, having …`; nothing where that is not known."""
    task = facts.task
    if task.status != Status.COMPLETED or task.status_reason is not None or not task.recurring:
        return ""
    if task.max_executions is not None and task.execution_count >= task.max_executions:
        times = "once" if task.execution_count == 1 else f"{task.execution_count} times"
        return f", having started {times}, as often as max_executions allows"
    end = edges_of(facts).end
    if end is not None and end <= facts.now:
        return f", its end of {facts.words.at(end)} having passed"
    return ", its schedule having no further time" if task.next_execution is None else ""


def window_gate(facts: Facts, moment: datetime, stop: datetime) -> Gate | None:
    """Tell whether the bounds of the schedule leave room for a time in `[moment, stop)`; None where it has none."""
    edges, words = edges_of(facts), facts.words
    details = {"start": edges.start, "end": edges.end}
    if edges.start is not None and stop <= edges.start:
        return closed("window", f"its schedule begins only at {words.at(edges.start)}", details)
    if edges.end is not None and edges.end < moment:
        return closed("window", f"its schedule ended at {words.at(edges.end)}", details)
    if edges.window is None:
        return None
    hours = _hours(edges.window)
    if _is_within(edges.window, moment):
        return passed("window", f"{words.at(moment)} lies within its window, {hours}", details)
    return closed("window", f"{words.at(moment)} is outside its window, {hours}", details)


def edges_of(facts: Facts) -> Edges:
    """Return the bounds of a task's schedule, none of a part of several."""
    layers = layers_of(facts)
    starts = [layer.start for layer in layers if not isinstance(layer, Every) and getattr(layer, "start", None)]
    ends = [layer.end for layer in layers if getattr(layer, "end", None)]
    window = next((layer for layer in layers if isinstance(layer, Window)), None)
    return Edges(max(starts, default=None), min(ends, default=None), window)


def layers_of(facts: Facts) -> list[Any]:
    """Return a task's trigger and those within it; none where it cannot be read."""
    try:
        return list(_layers(trigger_of(facts.task.trigger)))
    except ValueError:
        return []


def _layers(trigger: Any) -> Iterator[Any]:
    """Yield a trigger and the one within it, as far as there is one; an interval's start is its phase, no bound."""
    yield trigger
    inner = trigger.triggers[0] if isinstance(trigger, AnyOf) and len(trigger.triggers) == 1 else None
    inner = getattr(trigger, "trigger", None) if inner is None else inner
    if inner is not None:
        yield from _layers(inner)


def _is_within(window: Window, moment: datetime) -> bool:
    shown = moment.astimezone(zone(window.zone)).replace(tzinfo=None, fold=0)
    for day in (shown.date(), shown.date() - DAY):
        first, last = datetime.combine(day, window.first), datetime.combine(day, window.last)
        if day.weekday() in window.days and first <= shown <= (last if first < last else last + DAY):
            return True
    return False


def _hours(window: Window) -> str:
    night = " the next day" if window.last < window.first else ""
    days = "" if window.days == EVERY_DAY else f" on {run_text(window.days, WEEKDAYS)}"
    return f"from {clock(window.first)} to {clock(window.last)}{night}{days} ({window.zone})"


def ended_gates(facts: Facts, row: Row[Any]) -> list[Gate]:
    """Tell that an execution has waited for too long: its schedule has ended; nothing where that is not so."""
    if not is_late(row, facts.now) or not is_over(facts.task, facts.now):
        return []
    end = edges_of(facts).end
    at = "" if end is None else f" at {facts.words.at(end)}"
    return [closed("window", f"its schedule ended{at}; it counts as missed (ENDED) as soon as its turn comes")]


def bound_gates_now(facts: Facts) -> list[Gate]:
    """Tell whether a task's window and calendars let it have a time now; nothing where it has none of these."""
    window = window_gate(facts, facts.now, facts.now)
    return [*([] if window is None else [window]), *_calendar_gates(facts)]


def _calendar_gates(facts: Facts) -> list[Gate]:
    exclusions = [each for layer in layers_of(facts) if isinstance(layer, Excluding) for each in layer.exclusions]
    found = [(each.name, span.stop) for each in exclusions if (span := each.calendar.span_at(facts.now)) is not None]
    if not exclusions:
        return []
    if not found:
        names = ", ".join(repr(each.name) for each in exclusions)
        return [passed("calendar", f"now is not in calendar {names}")]
    told = " and ".join(f"in calendar {name!r} until {facts.words.at(stop)}" for name, stop in found)
    return [closed("calendar", f"now is {told}", {"calendars": [name for name, _ in found]})]
