"""When a task fires: immutable trigger values, read from definitions and from stored JSON."""

from modules.core.scheduler.trigger.after_end import AfterEnd, pauses_after_each_run
from modules.core.scheduler.trigger.all_of import AllOf, given_up, searches
from modules.core.scheduler.trigger.any_of import AnyOf
from modules.core.scheduler.trigger.calendar import Calendar
from modules.core.scheduler.trigger.calendar_definition import Lookup, read_calendar, stored_calendar
from modules.core.scheduler.trigger.calendar_interval import CalendarInterval
from modules.core.scheduler.trigger.cron import Cron
from modules.core.scheduler.trigger.event import RESERVED, After, Awaited, OnEvent, awaited_in
from modules.core.scheduler.trigger.excluding import Excluding, Exclusion, LeftOut, with_calendars, without_calendars
from modules.core.scheduler.trigger.intervals import INTERVAL_TYPES, recurring_schedule
from modules.core.scheduler.trigger.parse import parse
from modules.core.scheduler.trigger.protocol import TimeTrigger, Trigger, TriggerError, times_from
from modules.core.scheduler.trigger.rrule import RRule
from modules.core.scheduler.trigger.series import Every, Once
from modules.core.scheduler.trigger.stored import from_json
from modules.core.scheduler.trigger.until import Until
from modules.core.scheduler.trigger.window import Window
from modules.core.scheduler.trigger.zones import resolve, zone

__all__ = [
    "INTERVAL_TYPES",
    "RESERVED",
    "After",
    "AfterEnd",
    "AllOf",
    "AnyOf",
    "Awaited",
    "Calendar",
    "CalendarInterval",
    "Cron",
    "Every",
    "Excluding",
    "Exclusion",
    "LeftOut",
    "Lookup",
    "OnEvent",
    "Once",
    "RRule",
    "TimeTrigger",
    "Trigger",
    "TriggerError",
    "Until",
    "Window",
    "awaited_in",
    "from_json",
    "given_up",
    "parse",
    "pauses_after_each_run",
    "read_calendar",
    "recurring_schedule",
    "resolve",
    "searches",
    "stored_calendar",
    "times_from",
    "with_calendars",
    "without_calendars",
    "zone",
]
