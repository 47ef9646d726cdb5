"""CalendarKeeper: calendars for the whole database, listed, shown, and applied to the tasks that carry them."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from typing import Any

from sqlalchemy import Connection

from framework import strict_json
from framework.audit import Deed
from framework.context import AppContext
from framework.result import Result
from modules.core.scheduler.calendars import BY_OPERATOR, CalendarRegistry
from modules.core.scheduler.job_manager import JobManager
from modules.core.scheduler.refreezing import refreeze
from modules.core.scheduler.refusing import invalid
from modules.core.scheduler.store import calendars
from modules.core.scheduler.trigger import TriggerError, stored_calendar
from modules.core.scheduler.trigger.near import did_you_mean
from modules.core.scheduler.trigger.protocol import LAST
from modules.core.scheduler.trigger.reading import moment

log = logging.getLogger(__name__)

NO_CALENDAR = "no calendar {!r} is stored; those of modules and settings are when an application starts"
MOST_DAYS = 3_660
MOST_CLOSED = 1_000


class CalendarKeeper:
    """What is registered here is stored for all processes; what others have stored is known here."""

    def __init__(self, app_context: AppContext, jobs: JobManager, registry: CalendarRegistry) -> None:
        self._app_context = app_context
        self._jobs = jobs
        self._registry = registry

    async def list_all(self) -> Result[list[dict[str, Any]]]:
        """Return the calendars, by name: `{"name", "module_id", "definition", "tasks", "missing_since", "updated_at"}`.

        `tasks` is how many pending and paused tasks carry it; `missing_since` is set where its module registers it no
        longer: those tasks keep it as it was.
        """
        return Result.success(await self._app_context.database.read(_listed))

    async def show(self, name: str, after: datetime | str | None = None, days: int = 30) -> Result[dict[str, Any]]:
        """Return a listed calendar with what it closes in so many days after a moment, by default now.

        `closed` is a list of `{"from", "to"}` in UTC, cut at both ends; `more` tells whether it goes on beyond 1,000.
        A moment without an offset is read in the calendar's zone. `CALENDAR_NOT_FOUND` where there is none,
        `INVALID_CONFIG` where the moment is none.
        """
        listed = {each["name"]: each for each in (await self.list_all()).unwrap()}
        if name not in listed:
            return Result.error("CALENDAR_NOT_FOUND", f"{NO_CALENDAR.format(name)}{did_you_mean(name, listed)}")
        calendar = stored_calendar(listed[name]["definition"])
        try:
            start = self._app_context.clock.now() if after is None else moment(after, calendar.zone, "after")
        except TriggerError as error:
            return invalid([{"field": "after", "message": str(error)}])
        stop = min(start + timedelta(days=min(days, MOST_DAYS)), LAST)
        spans = list(islice(calendar.between(start, stop), MOST_CLOSED + 1))
        closed = [{"from": span.start, "to": span.stop} for span in spans[:MOST_CLOSED]]
        return Result.success(listed[name] | {"closed": closed, "more": len(spans) > MOST_CLOSED})

    async def apply(self) -> Result[dict[str, Any]]:
        """Store what is registered, and give it to the tasks that carry another definition: `{"tasks"}`, how many.

        Done at every start; to be called after `register_calendar` later on.
        """
        current = self.current()
        modules = {name: each.module_id for name, each in self._registry.registered.items()}
        running = {BY_OPERATOR, *self._app_context.modules_health.running()}
        store = partial(_store, current=current, modules=modules, running=running)
        deed = Deed("apply", "calendars", None, None, None)
        stored = await self._jobs.change(store, deed=deed, telling=lambda _: {"calendars": sorted(current)})
        for missing in stored.unwrap():
            log.warning("calendar %s is registered no longer; the tasks that carry it keep it as it was", missing)
        total = 0
        while changed := (await self._jobs.change(partial(refreeze, current=current))).unwrap():
            total += changed
        await self.recall()
        return Result.success({"tasks": total})

    def current(self) -> dict[str, dict[str, Any]]:
        """Return the definitions of what is registered, by name, read anew."""
        return {name: calendar.to_json() for name, calendar in self._registry.read_anew().items()}

    async def recall(self) -> None:
        """Let tasks name the calendars that other processes have stored."""
        listed = (await self.list_all()).unwrap()
        self._registry.recall({each["name"]: stored_calendar(each["definition"]) for each in listed})


def _listed(c: Connection) -> list[dict[str, Any]]:
    carried: Counter[str] = Counter()
    for stamp, count in calendars.stamps(c).items():
        carried.update(dict.fromkeys(calendars.names_in(stamp), count))
    return [
        {
            "name": row.name,
            "module_id": row.module_id,
            "definition": strict_json.loads(row.definition),
            "tasks": carried[row.name],
            "missing_since": row.missing_since,
            "updated_at": row.updated_at,
        }
        for row in calendars.everything(c)
    ]


def _store(
    c: Connection,
    now: datetime,
    current: Mapping[str, Mapping[str, Any]],
    modules: Mapping[str, str],
    running: Collection[str],
) -> list[str]:
    """Store calendars; return the names of those that tasks carry and that are registered no longer."""
    known = {row.name: row for row in calendars.everything(c)}
    for name, definition in current.items():
        values = {"name": name, "module_id": modules[name], "definition": strict_json.dumps(definition)}
        calendars.put(c, known.get(name), values | {"missing_since": None}, now)
    missing = [name for name, row in known.items() if name not in modules and row.module_id in running]
    for name in missing:
        if known[name].missing_since is None:
            calendars.miss(c, name, now)
    return [each["name"] for each in _listed(c) if each["name"] in missing and each["tasks"]]
