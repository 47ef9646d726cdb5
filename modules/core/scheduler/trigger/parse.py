"""The front door of triggers: a value, a cron expression or a trigger dict becomes a trigger."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, cast

from modules.core.scheduler.trigger import reading
from modules.core.scheduler.trigger.after_end import AfterEnd
from modules.core.scheduler.trigger.all_of import AllOf
from modules.core.scheduler.trigger.any_of import MAX_TRIGGERS, AnyOf
from modules.core.scheduler.trigger.calendar_definition import Lookup, no_calendar
from modules.core.scheduler.trigger.calendar_interval import CalendarInterval
from modules.core.scheduler.trigger.cron import Cron
from modules.core.scheduler.trigger.cron_definition import FIELD_KEYS, cron
from modules.core.scheduler.trigger.event import After, OnEvent, awaited_in
from modules.core.scheduler.trigger.excluding import SKIP, Excluding, with_calendars
from modules.core.scheduler.trigger.intervals import INTERVAL_TYPES, interval
from modules.core.scheduler.trigger.meeting import one_search
from modules.core.scheduler.trigger.near import did_you_mean
from modules.core.scheduler.trigger.protocol import TimeTrigger, Trigger, TriggerError
from modules.core.scheduler.trigger.rrule import RRule
from modules.core.scheduler.trigger.series import Every, Once
from modules.core.scheduler.trigger.stored import from_json
from modules.core.scheduler.trigger.until import Until
from modules.core.scheduler.trigger.wall_clock import BY_DEFAULT, Dst
from modules.core.scheduler.trigger.wall_clock_definitions import (
    CALENDAR_KEYS,
    RRULE_KEYS,
    WINDOW_KEYS,
    calendar,
    coinciding,
    rrule,
    window,
)
from modules.core.scheduler.trigger.window import Window
from modules.core.scheduler.trigger.zones import zone as find_zone

VALUES = (Once, Every, CalendarInterval, Window, RRule, Cron, OnEvent, After, AfterEnd, AnyOf, AllOf, Until, Excluding)
BOUNDS = ("start_date", "end_date")
WINDOW = (*BOUNDS, "timezone", "dst_gap", "dst_fold")
KEYS = {
    "date": ("run_date", "timezone"),
    "interval": (*INTERVAL_TYPES, "every", "after_end", *WINDOW),
    "cron": ("expression", "day_match", *FIELD_KEYS, *WINDOW),
    "calendar": (*CALENDAR_KEYS, *WINDOW),
    "window": (*WINDOW_KEYS, *WINDOW),
    "rrule": (*RRULE_KEYS, *WINDOW),
    "event": ("event", "where", "debounce", "debounce_max", "timezone"),
    "after": ("task", "when", "timezone"),
    "any": ("triggers", *BOUNDS, "timezone"),
    "all": ("triggers", *BOUNDS, "timezone"),
}
MAX_NESTING = 8


def parse(
    definition: object,
    *,
    zone: str,
    now: datetime,
    dst: Dst = BY_DEFAULT,
    seed: str | None = None,
    calendars: Lookup = no_calendar,
) -> Trigger:
    """Return the trigger that a value, a cron expression or a trigger dict defines, or raise `TriggerError`.

    A dict with a `v` is what `to_json` gave.
    Naive times and cron fields are read in the dict's `timezone`, else in `zone`; an interval without `start_date`
    first fires one interval after `now` (aware). `dst` is for what the clocks leave out or show twice, where the dict
    does not say it itself; `seed` names the task, whose `H` in a cron expression is a time of its own. `calendars`
    finds those that a dict names.
    """
    with one_search():
        return Reader(zone, now, dst, seed, calendars=calendars).read(definition)


@dataclass(frozen=True, slots=True)
class Reader:
    """What a definition is read with: where it says nothing itself, this holds."""

    zone: str
    now: datetime
    dst: Dst = BY_DEFAULT
    seed: str | None = None
    depth: int = MAX_NESTING
    calendars: Lookup = no_calendar

    def read(self, definition: object) -> Trigger:
        if isinstance(definition, VALUES):
            return definition
        if isinstance(definition, str):
            return cron({"expression": definition}, self.zone, self.dst, self.seed, self.now)
        if not isinstance(definition, Mapping):
            raise TriggerError(f"a trigger is a trigger value, a cron expression or a dict, not {definition!r}")
        if "v" in definition:
            return from_json(definition)
        if definition.get("calendars") is not None:
            rest = {key: value for key, value in definition.items() if key != "calendars"}
            return with_calendars(self.read(rest), definition["calendars"], SKIP, self.calendars)
        kind = reading.required(definition, "type", "a trigger")
        if not isinstance(kind, str) or kind not in KEYS:
            hint = did_you_mean(kind, KEYS) or f"; there are {', '.join(KEYS)}"
            raise TriggerError(f"there is no trigger type {kind!r}{hint}", "type")
        reading.check_keys(definition, ("type", *KEYS[kind]), f"the {kind} trigger")
        name = definition.get("timezone")
        dst = Dst(definition.get("dst_gap") or self.dst.gap, definition.get("dst_fold") or self.dst.fold)
        inner = replace(self, zone=find_zone(self.zone if name is None else name).key, dst=dst)
        return inner.build(kind, definition)

    def build(self, kind: str, given: Mapping[str, Any]) -> Trigger:
        match kind:
            case "date":
                run_date = reading.required(given, "run_date", "the date trigger")
                return Once(reading.moment(run_date, self.zone, "run_date"))
            case "interval":
                return interval(given, self.zone, self.now, self.dst)
            case "cron":
                return cron(given, self.zone, self.dst, self.seed, self.now)
            case "event":
                return _event(given)
            case "after":
                return After(reading.required(given, "task", "the after trigger"), given.get("when") or "succeeded")
            case "calendar":
                return calendar(given, self.zone, self.now, self.dst)
            case "window":
                return window(given, self.zone, self.dst)
            case "rrule":
                return rrule(given, self.zone, self.dst)
            case "any":
                return self._bounded(AnyOf(self._several(given, kind)), given)
            case _:
                return self._bounded(coinciding(self._several(given, kind), self.now), given)

    def _bounded(self, trigger: AnyOf | AllOf, given: Mapping[str, Any]) -> Trigger:
        """Return several triggers with their own start and end, which stay beneath an end that is given by hand."""
        found = {key: reading.optional_moment(given, key, self.zone) for key in BOUNDS}
        field = next((key for key, moment in found.items() if moment is not None), None)
        if field is None:
            return trigger
        if awaited_in(trigger) is not None:
            raise TriggerError(f"{field} is for times; give it to each trigger beside the event", field)
        return AnyOf((Until(trigger, found["end_date"], found["start_date"]),))

    def _several(self, given: Mapping[str, Any], kind: str) -> tuple[TimeTrigger, ...]:
        definitions = reading.required(given, "triggers", f"the {kind} trigger")
        if not isinstance(definitions, (list, tuple)) or not 1 <= len(definitions) <= MAX_TRIGGERS:
            raise TriggerError(f"triggers must be a list of 1 to {MAX_TRIGGERS} triggers", "triggers")
        if self.depth == 0:
            raise TriggerError(f"triggers are nested more than {MAX_NESTING} deep", "triggers")
        inner = replace(self, depth=self.depth - 1)
        triggers = []
        for index, definition in enumerate(definitions):
            try:
                triggers.append(inner.read(definition))
            except TriggerError as error:
                raise TriggerError(str(error), f"triggers[{index}].{error.field}".rstrip(".")) from None
        return tuple(cast(list[TimeTrigger], triggers))


def _event(given: Mapping[str, Any]) -> OnEvent:
    where = given.get("where")
    bounds = [reading.optional_duration(given, key) for key in ("debounce", "debounce_max")]
    return OnEvent(reading.required(given, "event", "the event trigger"), {} if where is None else where, *bounds)
