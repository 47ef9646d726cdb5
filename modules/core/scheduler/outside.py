"""What comes from outside, over HTTP: which functions it may schedule, how often they may run, and how many tasks."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row

from framework.caller import Caller, Door, Scope, caller
from framework.duration import in_words
from framework.result import Error, ResultError
from modules.core.scheduler.bounded_text import MAX_ID, storable
from modules.core.scheduler.functions import FunctionRegistry
from modules.core.scheduler.refusing import invalid, refuse
from modules.core.scheduler.settings import SchedulerSettings
from modules.core.scheduler.store import tasks
from modules.core.scheduler.task import TaskConfig
from modules.core.scheduler.trigger import Trigger, times_from

DOORS = (Door.API, Door.DASHBOARD)
MODULE_ID = "core.scheduler"
OPERATIONS = {
    "scheduler.schedule_task": Scope.SCHEDULE,
    "scheduler.list_tasks": Scope.READ,
    "scheduler.cancel_task": Scope.OPERATE,
    "scheduler.pause_resume_task": Scope.OPERATE,
    "scheduler.execute_task_now": Scope.OPERATE,
    "scheduler.register_cleanup": Scope.ADMIN,
    "scheduler.run_cleanup": Scope.ADMIN,
}
"""What may be called by name, and be run by tasks, with the scope that it needs."""

LOOKED_AT = 20  # of the next times of a task, between which there must be enough time
NAMELESS = "from outside it needs a key or a task_id, or every run would make another task"


def from_outside() -> bool:
    """Tell whether whoever acts here came in over HTTP."""
    return caller().door in DOORS


def missing_scope(who: Caller, operation: str) -> Error | None:
    """Return `FORBIDDEN` where a caller may not do what an operation does."""
    scope = OPERATIONS[operation]
    return (
        None
        if who.may(scope)
        else Error("FORBIDDEN", f"this needs the scope {scope.value!r}, which {who.name} has not")
    )


class Outside:
    """Refuses what may not come from outside; the application's own code and the command line may do everything."""

    def __init__(self, functions: FunctionRegistry, settings: SchedulerSettings) -> None:
        self._functions = functions
        self._floor, self._most = settings.api_min_interval, settings.api_max_tasks

    def refusal(self, config: TaskConfig, trigger: Trigger, first: datetime | None) -> Error | None:
        """Return why a checked config may not come from outside, or None."""
        refused = self.of_function(config.module_id, config.function_name)
        if refused is None and (config.module_id, config.function_name[:10]) == (MODULE_ID, "scheduler."):
            refused = self._of_operation(config.function_name, config.parameters)
        if refused is None and (problem := self._too_often(trigger, first)):
            refused = invalid([{"field": "trigger", "message": problem}]).error
        return refused

    def of_function(self, module_id: str, function_name: str) -> Error | None:
        """Return `FUNCTION_NOT_ALLOWED` for a function that only the application itself may schedule, else None."""
        function = self._functions.find(module_id, function_name) if from_outside() else None
        if not from_outside() or (function is not None and function.api):
            return None
        told = f"{storable(f'{module_id}:{function_name}', MAX_ID)} cannot be scheduled from outside"
        return Error("FUNCTION_NOT_ALLOWED", f"{told}; its module allows that by registering it with api=True")

    def refuse_to_change(self, row: Row[Any]) -> None:
        """Refuse to change what a task does whose function only the application itself may schedule."""
        if (refused := self.of_function(row.module_id, row.function_name)) is not None:
            raise ResultError(refused)

    def refuse_too_many(self, c: Connection) -> None:
        """Refuse where a caller from outside has more tasks by now than one may have."""
        if not from_outside():
            return
        who = storable(caller().name, MAX_ID)
        if tasks.count_made_by(c, who, self._most + 1) > self._most:
            told = f"{who} has {self._most} pending and paused tasks, which is the most; cancel some first"
            refuse("TOO_MANY_TASKS", told, most=self._most)

    def _of_operation(self, name: str, parameters: Mapping[str, Any]) -> Error | None:
        """Return why a task may not run an operation: a task acts as the application, whoever made it."""
        if (missing := missing_scope(caller(), name)) is not None:
            return missing
        if name == "scheduler.schedule_task" and parameters.get("key") is None and parameters.get("task_id") is None:
            return invalid([{"field": "parameters.key", "message": NAMELESS}]).error
        config = parameters.get("config")
        if name == "scheduler.register_cleanup" and isinstance(config, Mapping) and "function_name" in config:
            return self.of_function(str(parameters.get("module_id")), str(config["function_name"]))
        return None

    def _too_often(self, trigger: Trigger, first: datetime | None) -> str | None:
        times = times_from(trigger, first, LOOKED_AT)
        shortest = min((after - before for before, after in itertools.pairwise(times)), default=self._floor)
        if shortest >= self._floor:
            return None
        least = in_words(self._floor)
        return f"it would run again after {in_words(shortest)}, and from outside {least} is the least"
