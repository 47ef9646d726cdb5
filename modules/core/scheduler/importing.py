"""Import and export: the tasks and cleanups that there are as configs, and configs as tasks and cleanups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection, Row

from framework.context import AppContext
from framework.result import Result, ResultError
from modules.core.scheduler import creating
from modules.core.scheduler.applying import Reconciler
from modules.core.scheduler.creating import RUNTIME
from modules.core.scheduler.declared import Declared, Step, TaskStep, declared_in
from modules.core.scheduler.drafts import beside
from modules.core.scheduler.exporting import exported
from modules.core.scheduler.functions import MASK
from modules.core.scheduler.housekeeper import Housekeeper
from modules.core.scheduler.job_manager import JobManager
from modules.core.scheduler.refusing import invalid, refuse
from modules.core.scheduler.store import tasks
from modules.core.scheduler.store.cleanups import CARRY_OUT

NAMELESS = "give it a key or a task_id, or importing it again would make a second task"
MASKED = "it was masked when it was exported; write the value in"

Answer = Result[dict[str, Any]]
Configs = Sequence[Mapping[str, Any]]


class Importer:
    """Takes tasks and cleanups out of the database and into it. What touches it is async and returns a Result."""

    def __init__(
        self, app_context: AppContext, jobs: JobManager, housekeeper: Housekeeper, reconciler: Reconciler
    ) -> None:
        self._app_context = app_context
        self._jobs = jobs
        self._housekeeper = housekeeper
        self._reconciler = reconciler

    async def export_tasks(self, *, module_id: str | None = None, owner: str | None = None) -> Answer:
        """Return `{"version", "exported_at", "tasks", "cleanups"}`: configs of what is pending or paused.

        Secret parameters are `***`, all of them where a function is not registered here. Of cleanups, those that are
        enabled; the scheduler's own is left out. `CORRUPT_DEFINITION` names a task that cannot be read.
        """
        rows = await self._app_context.database.read(lambda c: tasks.living(c, owner))
        own = [row for row in rows if _names(row) != CARRY_OUT and module_id in (None, row.module_id)]
        try:
            configs = [self._masked(row) for row in own]
        except ResultError as refusal:
            return Result.error(refusal.error.code, refusal.error.message, refusal.error.details)
        carried = {row.id for row in rows}
        listed = (await self._housekeeper.list_cleanups(module_id=module_id)).unwrap()
        cleanups = [_flat(each) for each in listed if each["enabled"] and each["task_id"] in carried]
        now = self._app_context.clock.now().isoformat()
        cleanups = [each for each in cleanups if each["module_id"] != CARRY_OUT[0]]
        return Result.success({"version": 1, "exported_at": now, "tasks": configs, "cleanups": cleanups})

    async def import_tasks(self, configs: Configs, cleanups: Configs = (), *, dry_run: bool = False) -> Answer:
        """Store tasks and cleanups in one transaction, all or none: `{"differences", "counts"}` as of a plan.

        A key, an id or a cleanup's type that is there is updated. `INVALID_CONFIG` lists every `{"index", "field",
        "message"}` in `details["problems"]`; a masked parameter is one, and a task without a key and an id another.
        What is refused for another reason is the answer by itself.
        """
        problems = [each for index, config in enumerate(configs) for each in _problems(config, index)]
        nameless = [each for each in cleanups if not isinstance(each.get("cleanup_type"), str)]
        if nameless or problems:
            told = [{"field": "cleanups", "message": "each needs a module_id and a cleanup_type"}] if nameless else []
            return invalid([*told, *problems])
        steps: list[Step] = []
        known: set[tuple[str, str, str]] = set()
        for index, declared in enumerate(declared_in(tuple(configs), tuple(cleanups), RUNTIME)):
            checked = await self._reconciler.check(declared)
            if declared.identity in known:
                problems += _of(declared, index, [{"field": "key", "message": "it is there twice"}])
                continue
            known.add(declared.identity)
            if checked.error is None:
                steps.append(checked.data)
            elif checked.error.code != "INVALID_CONFIG":
                return Result.error(
                    checked.error.code, f"{declared.kind} {declared.name!r:.100}: {checked.error.message}"
                )
            else:
                problems += _of(declared, index, (checked.error.details or {}).get("problems", []))
        if problems:
            return invalid(problems)
        work = partial(self._carry_out, steps=steps, dry_run=dry_run)
        if not dry_run:
            return await self._jobs.change(work)
        return Result.success(await self._app_context.database.read(work))

    def _carry_out(
        self, c: Connection, now: datetime | None = None, *, steps: Sequence[Step], dry_run: bool
    ) -> dict[str, Any]:
        found = beside(c, steps, [], self._jobs.planner.masked, locked=not dry_run).differences
        if now is not None:
            self._refuse_to_change(c, steps)
            stored = [_put(step, c, now) for step in steps]
            self._jobs.planner.outside.refuse_too_many(c)
            self._jobs.auditor.tell_of(c, "import", found, stored)
        counts = {action: sum(each["action"] == action for each in found) for action in ("add", "change", "same")}
        return {"differences": found, "counts": counts}

    def _refuse_to_change(self, c: Connection, steps: Sequence[Step]) -> None:
        """Refuse what comes from outside and would change a task that only the application may change."""
        for step in steps:
            row = creating.existing_of(c, step.plan, step.declared.owner) if isinstance(step, TaskStep) else None
            if row is not None:
                self._jobs.planner.outside.refuse_to_change(row)

    def _masked(self, row: Row[Any]) -> dict[str, Any]:
        config = exported(row)
        return config | {"parameters": self._jobs.planner.masked(config)}


def _put(step: Step, c: Connection, now: datetime) -> str:
    try:
        return step.put(c, now)
    except ResultError as refusal:
        told = f"{step.declared.kind} {step.declared.name!r}: {refusal.error.message}"
        refuse(refusal.error.code, told, **(refusal.error.details or {}))


def _problems(config: Mapping[str, Any], index: int) -> list[dict[str, Any]]:
    """Return what keeps a config from being imported, whatever it means."""
    parameters = config.get("parameters")
    masked = [name for name, value in parameters.items() if value == MASK] if isinstance(parameters, Mapping) else []
    problems = [{"field": f"parameters.{name}", "message": MASKED} for name in masked]
    if config.get("key") is None and config.get("task_id") is None and config.get("owner") != "code":
        problems.append({"field": "key", "message": NAMELESS})
    return _of(Declared(RUNTIME, config), index, problems)


def _of(declared: Declared, index: int, problems: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    told = f"{declared.kind} {declared.name!r:.100}"
    return [{"index": index, "field": f"{told}: {each['field']}", "message": each["message"]} for each in problems]


def _names(row: Row[Any]) -> tuple[str, str]:
    return row.module_id, row.function_name


def _flat(cleanup: Mapping[str, Any]) -> dict[str, Any]:
    """Return a shown cleanup in the words of the settings."""
    names = {name: cleanup[name] for name in ("module_id", "cleanup_type")}
    return {**names, **cleanup["config"]}
