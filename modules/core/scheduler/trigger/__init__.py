"""When a task fires: immutable trigger values, read from definitions and from stored JSON."""

from modules.core.scheduler.trigger.any_of import AnyOf
from modules.core.scheduler.trigger.cron import Cron
from modules.core.scheduler.trigger.event import OnEvent
from modules.core.scheduler.trigger.intervals import INTERVAL_TYPES, recurring_schedule
from modules.core.scheduler.trigger.parse import parse
from modules.core.scheduler.trigger.protocol import TimeTrigger, Trigger, TriggerError
from modules.core.scheduler.trigger.series import Every, EveryMonths, Once
from modules.core.scheduler.trigger.stored import from_json
from modules.core.scheduler.trigger.until import Until
from modules.core.scheduler.trigger.zones import resolve, zone

__all__ = [
    "INTERVAL_TYPES",
    "AnyOf",
    "Cron",
    "Every",
    "EveryMonths",
    "OnEvent",
    "Once",
    "TimeTrigger",
    "Trigger",
    "TriggerError",
    "Until",
    "from_json",
    "parse",
    "recurring_schedule",
    "resolve",
    "zone",
]
