"""Plans of tasks that are alike: what was checked once is not checked again when only a few fields differ."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from framework import strict_json
from modules.core.scheduler.fields import is_name
from modules.core.scheduler.functions import RegisteredFunction
from modules.core.scheduler.object_types import Stored
from modules.core.scheduler.task import TaskConfig
from modules.core.scheduler.trigger import Once, TriggerError

MOST = 1_000  # kinds of tasks that are remembered
DIFFER = frozenset({"name", "parameters", "schedule_time"})


class Plan(NamedTuple):
    """A checked config: `what` are the columns that say what to do and how, `when` those that say when.

    Of a task like another one, `config` is that of the other one, whose identity (none) is its own as well.
    """

    config: TaskConfig
    what: Mapping[str, Any]
    when: Mapping[str, Any]


class Alike:
    """Remembers plans of one-time tasks without an identity, and makes those of others like them."""

    def __init__(self) -> None:
        self._known: dict[tuple[Any, ...], tuple[Plan, RegisteredFunction]] = {}
        self._time: tuple[datetime | None, datetime | None, str] = None, None, ""  # many are for one moment

    def plan(self, given: Mapping[str, Any], version: int) -> Plan | None:
        """Return the plan of a config like one that is known; None where it is not, or anything is wrong with it."""
        known = self._find(given, version)
        if known is None:
            return None
        plan, function = known
        name, parameters, moment = given["name"], given.get("parameters"), given["schedule_time"]
        if not is_name(name) or not (type(moment) is datetime and moment.tzinfo is not None):
            return None
        if not isinstance(parameters, (dict, type(None))):
            return None
        try:
            _, first, trigger = self._time if moment is self._time[0] else self._read(moment)
            text = "{}" if not parameters else strict_json.dumps(parameters)
        except (TriggerError, strict_json.JsonError):
            return None
        if function.check(Stored(parameters or {}, text)):
            return None
        what = {**plan.what, "name": name, "parameters": text}
        when = {**plan.when, "trigger": trigger, "next_execution": first}
        return Plan(plan.config, what, when)

    def _read(self, moment: datetime) -> tuple[datetime | None, datetime | None, str]:
        """Return a moment with the first time and the stored text of its trigger; raises `TriggerError`."""
        once = Once(moment)
        self._time = moment, once.run_date, once.stored()
        return self._time

    def remember(self, given: Mapping[str, Any], plan: Plan, function: RegisteredFunction | None, version: int) -> None:
        """Remember a plan that others may be like."""
        config = plan.config
        is_plain = type(given.get("schedule_time")) is datetime and plan.when["recurring"] is False
        has_identity = config.key is not None or config.task_id is not None or config.owner == "code"
        if function is None or not is_plain or has_identity:
            return
        if len(self._known) >= MOST:
            self._known.clear()
        try:
            self._known[_kind(given, version)] = plan, function
        except TypeError:  # a field that cannot be compared
            return

    def _find(self, given: Mapping[str, Any], version: int) -> tuple[Plan, RegisteredFunction] | None:
        try:
            return self._known.get(_kind(given, version)) if "name" in given and "schedule_time" in given else None
        except TypeError:
            return None


def _kind(given: Mapping[str, Any], version: int) -> tuple[Any, ...]:
    """Return what a config says beside what may differ; with types, for True is equal to 1."""
    rest = [(name, type(value), value) for name, value in given.items() if name not in DIFFER]
    return (version, *rest)
