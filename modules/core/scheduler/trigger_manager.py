"""TriggerManager: everything about when, without touching the database."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

import tzlocal
from pydantic import ValidationError

from framework.clock import Clock
from framework.result import Result
from modules.core.scheduler.calendars import CalendarRegistry
from modules.core.scheduler.catch_up import ON_TIME
from modules.core.scheduler.refusing import too_few
from modules.core.scheduler.settings import SchedulerSettings
from modules.core.scheduler.task import NOW, TaskConfig, problems_of
from modules.core.scheduler.trigger import (
    INTERVAL_TYPES,
    Trigger,
    TriggerError,
    awaited_in,
    parse,
    recurring_schedule,
    times_from,
    with_calendars,
)
from modules.core.scheduler.trigger.excluding import SKIP
from modules.core.scheduler.trigger.notes import AT_ONCE, TOO_LATE, Note, notes_on, notes_on_time, zone_of
from modules.core.scheduler.trigger.wall_clock import BY_DEFAULT, Dst
from modules.core.scheduler.trigger.zones import zone

log = logging.getLogger(__name__)

DAWN = datetime(1, 1, 2, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
NAMES, NOBODY = ("name", "module_id", "function_name"), "-"  # where a config is only previewed
LONGEST_PREVIEW = 1_000
BOUNDS, CHOICES = ("start_date", "end_date"), ("dst_gap", "dst_fold")
WITHOUT_CHOICES = ("date", "event", "after")
WRITTEN_AS = {"expression": "cron", "run_date": "schedule_time", **dict.fromkeys(INTERVAL_TYPES, "interval_value")}


class TriggerManager:
    """Parses, previews and computes; naive times and crons are read in `timezone`, the scheduler's zone."""

    def __init__(self, clock: Clock, settings: SchedulerSettings) -> None:
        self._clock = clock
        self.timezone = zone(settings.timezone).key if settings.timezone else _zone_of_host()
        self.calendars = CalendarRegistry(clock, settings, self.timezone)

    def parse(self, definition: Any, timezone: str | None = None) -> Result[Trigger]:
        """Return the trigger value that a dict, cron text or value means; `INVALID_TRIGGER` says what is wrong."""
        try:
            found = self.calendars.find
            return Result.success(parse(definition, zone=self._zone(timezone), now=self._clock.now(), calendars=found))
        except TriggerError as error:
            return Result.error("INVALID_TRIGGER", str(error), {"field": error.field})

    def trigger_for(self, config: TaskConfig) -> tuple[Trigger, datetime | None]:
        """Return a config's trigger and its first time (None: never, or when emitted). Raises `TriggerError`."""
        now, name = self._clock.now(), self._zone(config.timezone)
        config = config.as_of(now)
        trigger = self._trigger(config, name, now)
        if not trigger.recurring:
            return trigger, trigger.next_after(DAWN)
        if config.schedule_time is None:
            return trigger, trigger.next_after(now)
        first = parse({"type": "date", "run_date": config.schedule_time}, zone=name, now=now).next_after(DAWN)
        return trigger, trigger.next_after(now if first is None else min(now, first - MICROSECOND))

    def _zone(self, name: str | None) -> str:
        return self.timezone if name is None else zone(name).key

    def _trigger(self, config: TaskConfig, name: str, now: datetime) -> Trigger:
        try:
            dst = Dst(config.dst_gap or BY_DEFAULT.gap, config.dst_fold or BY_DEFAULT.fold)
            nobody = config.module_id == config.name == NOBODY and config.key is None
            seed = None if nobody else f"{config.module_id}/{config.key or config.name}"
            found = self.calendars.find
            trigger = parse(_definition(config, name, now), zone=name, now=now, dst=dst, seed=seed, calendars=found)
            if not config.calendars:
                return trigger
            return with_calendars(trigger, config.calendars, config.calendar_action or SKIP, found)
        except TriggerError as error:
            written = _written(config, error.field)
            raise TriggerError(re.sub(rf"^{re.escape(error.field)}\b", written, str(error)), written) from None

    def preview_of(self, what: Any, count: int = 5) -> Result[list[dict[str, Any]]]:
        """Return the next times of a trigger value, trigger dict, cron text or task config, as `preview` does.

        A single time that has passed is shown with what becomes of it. `INVALID_TRIGGER` where nothing is to come and
        no event is waited for; `INVALID_CONFIG` also for a `count` below 1.
        """
        if count < 1:
            return too_few(count)
        if isinstance(what, Mapping) and "type" not in what:
            try:
                what = TaskConfig.model_validate(dict.fromkeys(NAMES, NOBODY) | dict(what))
            except ValidationError as error:
                return Result.error("INVALID_CONFIG", "this is no task config", {"problems": problems_of(error)})
        if not isinstance(what, TaskConfig):
            parsed = self.parse(what)
            if parsed.error is not None:
                return Result(error=parsed.error)
            what = TaskConfig.model_validate(dict.fromkeys(NAMES, NOBODY) | {"trigger": parsed.data})
        try:
            trigger, first = self.trigger_for(what)
        except TriggerError as error:
            return Result.error("INVALID_TRIGGER", str(error), {"field": error.field})
        if first is None and awaited_in(trigger) is None:
            told = trigger.describe(what.timezone or self.timezone)
            return Result.error("INVALID_TRIGGER", f"nothing of it is to come: {told}", {"field": "trigger"})
        return Result.success(self._preview(what, trigger, first, count))

    def _preview(self, config: TaskConfig, trigger: Trigger, first: datetime | None, count: int) -> list[Any]:
        now = self._clock.now()
        after = None if first is None else min(first - MICROSECOND, now)
        most = count if config.max_executions is None else min(count, config.max_executions)
        times = self.preview(trigger, most, after=after, timezone=config.timezone)
        if times and not trigger.recurring and times[0]["at"] <= now:
            times[0]["notes"].append(asdict(_on_passed(config, now - times[0]["at"])))
        if times and not trigger.recurring and (nominal := _by_the_clock(config.schedule_time)) is not None:
            times[0]["notes"] += [asdict(note) for note in notes_on_time(nominal, config.timezone or self.timezone)]
        return times

    def preview(
        self,
        trigger: Trigger,
        count: int = 5,
        *,
        first: datetime | None = None,
        after: datetime | None = None,
        timezone: str | None = None,
    ) -> list[dict[str, Any]]:
        """Return the next `count` times of a trigger after a moment, else now; fewer where it ends.

        Each is `{"at", "local", "notes"}`: in UTC, in the trigger's zone (else `timezone`, else the scheduler's), and
        what is odd about it, `{"code", "text"}` each. `first` is the first time, where something else decides it.
        """
        after = after or self._clock.now()
        moments = times_from(trigger, first or trigger.next_after(after), min(count, LONGEST_PREVIEW))
        local = zone(zone_of(trigger, timezone or self.timezone))
        notes = notes_on(trigger, after, moments)
        return [
            {"at": each, "local": each.astimezone(local), "notes": [asdict(note) for note in notes.get(each, ())]}
            for each in moments
        ]

    def calculate_next_execution(
        self, interval_type: str, interval_value: float, last_execution: datetime | None = None
    ) -> datetime:
        """Return one interval after the last execution (never run: after now), in UTC. Raises `ValueError`."""
        anchor = last_execution or self._clock.now()
        trigger = recurring_schedule(interval_type, interval_value, start=anchor, zone=self.timezone)
        following = trigger.next_after(anchor)
        if following is None:
            raise ValueError(f"{interval_value} {interval_type} after {anchor} lies beyond the calendar")
        return following

    def is_execution_due(self, next_execution: datetime | None) -> bool:
        """Tell whether this moment has come; a time that is None never comes."""
        return next_execution is not None and next_execution <= self._clock.now()

    def create_recurring_schedule(self, interval_type: str, interval_value: float) -> Trigger:
        """Return the trigger whose first time is one interval from now. Raises `ValueError`."""
        first = self.calculate_next_execution(interval_type, interval_value)
        return recurring_schedule(interval_type, interval_value, start=first, zone=self.timezone)


def _definition(config: TaskConfig, name: str, now: datetime) -> Any:
    """Say in the words of the trigger parser when a config wants to run."""
    _check_used(config)
    window = {"start_date": config.start_date, "end_date": config.end_date}
    window = {field: value for field, value in window.items() if value is not None}
    if isinstance(config.trigger, str):
        return {"type": "cron", "expression": config.trigger, **window}
    if config.trigger is not None:
        return {**config.trigger, **window} if isinstance(config.trigger, dict) else config.trigger
    if config.cron is not None:
        return {"type": "cron", "expression": config.cron, "timezone": name, **window}
    if config.interval_type is not None:
        start = {} if config.schedule_time is None else {"start_date": config.schedule_time}
        given = {config.interval_type: config.interval_value, "after_end": config.after_end}
        return {"type": "interval", "timezone": name, **given, **window, **start}
    if config.delay is not None:
        return {"type": "date", "run_date": now + config.delay}
    return {"type": "date", "run_date": config.schedule_time}


def _written(config: TaskConfig, field: str) -> str:
    """Return the key of a config, or of the trigger dict in it, that says what a field of a trigger does."""
    if isinstance(config.trigger, str) and field == "expression":
        return "trigger"
    return field if config.trigger is not None else WRITTEN_AS.get(field, field)


def _check_used(config: TaskConfig) -> None:
    """Raise `TriggerError` for a key that what says when has no use for: none is dropped without a word."""
    if config.calendar_action is not None and not config.calendars:
        raise TriggerError("calendar_action goes with calendars, none of which is named", "calendar_action")
    fields, why = _unused(config)
    for field in fields:
        if getattr(config, field) is not None:
            raise TriggerError(f"{field} {why}", field)


def _unused(config: TaskConfig) -> tuple[tuple[str, ...], str]:
    """Return the keys that this way of saying when does not take, and what to do instead."""
    trigger = config.trigger
    if isinstance(trigger, Mapping):
        if "v" in trigger:
            return (*BOUNDS, *CHOICES), "goes with a trigger dict; a stored trigger has its own"
        once = trigger.get("type") in WITHOUT_CHOICES
        return (CHOICES if once else ()), f"does not go with a trigger of type {trigger.get('type')}; leave it out"
    if trigger is not None and not isinstance(trigger, str):
        return (*BOUNDS, *CHOICES), "goes with a trigger dict; build it into the trigger value"
    if config.delay is not None:
        return (*BOUNDS, *CHOICES), "does not go with delay, which is one moment; leave it out"
    if config.schedule_time is not None and config.interval_type is None:
        why = "does not go with schedule_time, which is one moment; leave it out (an offset says which)"
        return (*BOUNDS, *CHOICES), why
    begins = config.schedule_time is not None
    return (("start_date",) if begins else ()), "and schedule_time both say when an interval begins; leave one out"


def _on_passed(config: TaskConfig, late: timedelta) -> Note:
    """Return what becomes of a single time that has passed by so much."""
    grace = config.misfire_grace_time
    if grace is None and config.catch_up == "none":
        grace = ON_TIME
    return AT_ONCE if grace is None or late <= grace else TOO_LATE


def _by_the_clock(given: object) -> datetime | None:
    """Return a time that names no zone; it has been read once already."""
    moment = datetime.fromisoformat(given) if isinstance(given, str) and given != NOW else given
    return moment if isinstance(moment, datetime) and moment.tzinfo is None else None


def _zone_of_host() -> str:
    try:
        return zone(tzlocal.get_localzone_name()).key
    except (ValueError, LookupError, OSError) as error:
        log.warning("the machine's time zone cannot be read (%s); UTC is used", error)
        return "UTC"
