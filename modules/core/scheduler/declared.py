"""What modules and settings declare as data: each task and cleanup with its owner, checked, and ready to be stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row

from framework.clock import new_id
from framework.context import AppContext
from modules.core.scheduler import creating
from modules.core.scheduler.alike import Plan
from modules.core.scheduler.cleanup import AnyPolicy
from modules.core.scheduler.cleanup_task import merged
from modules.core.scheduler.creating import Owner, key_of
from modules.core.scheduler.differences import Difference, Mask, difference, unlike
from modules.core.scheduler.housekeeper import HISTORY, Housekeeper
from modules.core.scheduler.newborn import Newborn
from modules.core.scheduler.resuming import Again
from modules.core.scheduler.settings import SchedulerSettings
from modules.core.scheduler.store import cleanups, tasks
from modules.core.scheduler.store.cleanups import CARRY_OUT

TASK, CLEANUP = "core.scheduler.task", "core.scheduler.cleanup"  # kinds of declarations
SETTINGS = "settings"  # the owner of what the settings declare


@dataclass(frozen=True, slots=True)
class Declared:
    """One task, or cleanup of a type, as it was declared; not checked yet."""

    owner: Owner
    config: Mapping[str, Any]
    cleanup_type: str | None = None

    @property
    def module_id(self) -> str:
        """The module whose it is: its owner's, unless the config says otherwise."""
        return str(self.config.get("module_id", self.owner.module))

    @property
    def kind(self) -> str:
        """`task` or `cleanup`."""
        return "task" if self.cleanup_type is None else "cleanup"

    @property
    def name(self) -> str:
        """What people call it."""
        return str(self.config.get("name")) if self.cleanup_type is None else self.cleanup_type

    @property
    def identity(self) -> tuple[str, str, str]:
        """What no two declarations share."""
        named = self.config.get("key") or self.config.get("task_id") or self.name
        return self.kind, self.module_id, str(named)

    def told(self) -> dict[str, Any]:
        """Return how it is shown: `{"kind", "module_id", "name", "function_name", "declared_by"}`."""
        function_name = self.config.get("function_name")
        names = {"kind": self.kind, "module_id": self.module_id, "name": self.name, "function_name": function_name}
        return names | {"declared_by": self.owner.module}


@dataclass(frozen=True, slots=True)
class TaskStep:
    """A task that was planned."""

    declared: Declared
    plan: Plan

    @property
    def key(self) -> tuple[str, str] | None:
        """The module's id and the task's key, by which it is known again."""
        key = key_of(self.plan.config, self.declared.owner)
        return None if key is None else (self.plan.config.module_id, key)

    def difference(self, c: Connection, row: Row[Any] | None, mask: Mask) -> Difference:
        """Return what storing it would change, beside the task of its key, if there is one."""
        if row is None and self.plan.config.task_id is not None:
            row = tasks.find(c, self.plan.config.task_id)
        return difference(self.plan, row, mask)

    def put(self, c: Connection, now: datetime, known: Row[Any] | None = None) -> str:
        """Store it and return its id; `known` is the task of its key, locked, where that was looked for."""
        return str(creating.put(c, self.plan, self.declared.owner, now, known)["task_id"])

    def again(self, now: datetime, known: Row[Any]) -> Again | None:
        """Return how its task goes on, where that had vanished and nothing else of it changes."""
        return creating.again(self.plan, known, self.declared.owner, now)

    def born(self, now: datetime) -> Newborn | None:
        """Return its rows as those of a new task, if its key alone tells whether it is one."""
        if self.key is None or self.plan.config.task_id is not None:
            return None
        return creating.first_of(self.plan, new_id(), self.declared.owner, now)


@dataclass(frozen=True, slots=True)
class CleanupStep:
    """A cleanup whose policy was checked."""

    declared: Declared
    policy: AnyPolicy
    housekeeper: Housekeeper

    @property
    def key(self) -> None:
        """None: it is known again by its type."""
        return None

    def again(self, _now: datetime, _known: Row[Any]) -> None:
        """None: what becomes of its task, `put` finds out."""

    def born(self, now: datetime) -> None:
        """None: whether it is new, `put` finds out."""

    def difference(self, c: Connection, _row: Row[Any] | None, mask: Mask) -> Difference:
        """Return what storing it would change: the fields of its config, and the times of its task."""
        names = (self.declared.module_id, self.declared.name)
        known = cleanups.find_type(c, *names)
        plan = self.housekeeper.plan_task(names, "" if known is None else known.id, self.policy)
        row = None if known is None else tasks.find(c, known.task_id)
        found = difference(plan, row, mask)
        if known is None:
            return found
        schedule = {name: change for name, change in found["changes"].items() if name in ("schedule", "status")}
        changes = unlike(merged(known.config, {}), self.policy.to_config()) | schedule
        if "parameters" in changes:
            changes["parameters"] = {"before": "***", "after": "***"}
        return found | {"changes": changes, "action": "change" if changes else found["action"]}

    def put(self, c: Connection, now: datetime, _known: Row[Any] | None = None) -> str:
        """Store it and return the id of its task."""
        names = (self.declared.module_id, self.declared.name)
        return str(self.housekeeper.put(c, now, names, self.policy, self.declared.owner)["task_id"])


Step = TaskStep | CleanupStep


def everything_declared(app_context: AppContext, housekeeper: Housekeeper) -> list[Declared]:
    """Return what the modules that have not failed, and the settings, declare as data; the scheduler's own first."""
    settings = app_context.settings(SchedulerSettings)
    own = Owner("code", CARRY_OUT[0], "data")
    found = [Declared(own, {**housekeeper.maintenance(), "module_id": CARRY_OUT[0]}, HISTORY)]
    for module_id, config in app_context.declarations(TASK):
        found.append(Declared(Owner("code", module_id, "data"), {"module_id": module_id, **config}))
    for module_id, (cleanup_type, config) in app_context.declarations(CLEANUP):
        found.append(Declared(Owner("code", module_id, "data"), {**config, "module_id": module_id}, cleanup_type))
    return found + declared_in(settings.tasks, settings.cleanups, Owner("code", SETTINGS, "data"))


def declared_in(
    task_configs: tuple[Mapping[str, Any], ...], cleanup_configs: tuple[Mapping[str, Any], ...], owner: Owner
) -> list[Declared]:
    """Return the tasks, and the cleanups with their `module_id` and `cleanup_type`, of a file or of the settings."""
    found = [Declared(owner, config) for config in task_configs]
    for config in cleanup_configs:
        rest = {name: value for name, value in config.items() if name != "cleanup_type"}
        found.append(Declared(owner, rest, str(config["cleanup_type"])))
    return found
