"""The calendars that are registered by name: by modules while they start, and by the operator in the settings."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from framework.clock import Clock
from modules.core.scheduler.fields import is_name
from modules.core.scheduler.settings import SchedulerSettings
from modules.core.scheduler.trigger import Calendar, TriggerError, read_calendar, zone
from modules.core.scheduler.trigger.calendar_definition import checked
from modules.core.scheduler.trigger.near import did_you_mean

log = logging.getLogger(__name__)

BY_OPERATOR = "core.scheduler"  # whose calendars those of the settings are


@dataclass(frozen=True, slots=True)
class Registered:
    """The definition of a calendar as it was given, and the module that has registered it."""

    module_id: str
    definition: Mapping[str, Any]


class CalendarRegistry:
    """Calendars by name. What an operator's settings define goes before what a module registers under the same name."""

    def __init__(self, clock: Clock, settings: SchedulerSettings, timezone: str) -> None:
        self._clock = clock
        self._timezone = timezone
        self._registered = {
            name: Registered(BY_OPERATOR, definition) for name, definition in settings.calendars.items()
        }
        self._recalled: dict[str, Calendar] = {}
        self._read: dict[str, Calendar] = {}

    @property
    def registered(self) -> Mapping[str, Registered]:
        """What has been registered here, by name."""
        return self._registered

    def register(self, module_id: str, name: str, definition: Mapping[str, Any]) -> None:
        """Register a calendar; the same module may define it anew. Raises `TriggerError` where it is wrong.

        Other calendars that it names may be registered later.
        """
        if not is_name(name):
            raise TriggerError(f"a calendar has a name of 1 to 100 characters in one line, not {name!r}", "name")
        known = self._registered.get(name)
        if known is not None and known.module_id == BY_OPERATOR != module_id:
            log.info("calendar %s of module %s: the settings define it, and go before", name, module_id)
            return
        if known is not None and known.module_id != module_id:
            raise TriggerError(f"module {known.module_id} has registered a calendar {name!r} already", "name")
        self._registered[name] = Registered(module_id, checked(dict(definition)))
        self._read.clear()

    def find(self, name: str) -> Calendar:
        """Return the calendar of this name, or raise `TriggerError` that suggests a near one."""
        return self._find(name, ())

    def recall(self, stored: Mapping[str, Calendar]) -> None:
        """Take over calendars that other processes have stored, for names that nobody registers here."""
        self._recalled = dict(stored)

    def read_anew(self) -> dict[str, Calendar]:
        """Return all that are registered, read from their files again; what cannot be read is left out, and told."""
        self._read.clear()
        found = {}
        for name in self._registered:
            try:
                found[name] = self.find(name)
            except TriggerError as error:
                log.error(  # noqa: TRY400  # the message says all
                    "calendar %s cannot be read; tasks keep it as it was: %s", name, error
                )
        return found

    def _find(self, name: str, path: tuple[str, ...]) -> Calendar:
        if name in path:
            raise TriggerError(f"calendars go round in a circle: {', '.join((*path, name))}", "calendars")
        if name not in self._read and name in self._registered:
            definition = self._registered[name].definition
            self._read[name] = read_calendar(
                definition, self._timezone, lambda other: self._find(other, (*path, name)), year=self._year()
            )
        found = self._read.get(name) or self._recalled.get(name)
        if found is None:
            known = {*self._registered, *self._recalled}
            hint = did_you_mean(name, known) or (f"; there are {', '.join(sorted(known)[:20])}" if known else "")
            raise TriggerError(f"there is no calendar {name!r}{hint}", "calendars")
        return found

    def _year(self) -> int:
        return self._clock.now().astimezone(zone(self._timezone)).year
