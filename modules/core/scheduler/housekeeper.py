"""Housekeeper: cleanups that modules register, each a task of its own interval, and the reports they leave."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row

from framework import strict_json
from framework.audit import Deed
from framework.caller import CODE, calling
from framework.clock import new_id
from framework.context import AppContext
from framework.result import Result
from modules.core.scheduler import commands, creating
from modules.core.scheduler.alike import Plan
from modules.core.scheduler.cleaner import Cleaner
from modules.core.scheduler.cleanup import AnyPolicy, FunctionPolicy, PolicyError, shrink
from modules.core.scheduler.cleanup_round import CleanupRound
from modules.core.scheduler.cleanup_runs import CleanupRuns
from modules.core.scheduler.cleanup_task import (
    cleanup_view,
    merged,
    name_problems,
    not_found,
    task_config,
)
from modules.core.scheduler.creating import RUNTIME, Owner
from modules.core.scheduler.execution_context import ExecutionContext
from modules.core.scheduler.functions import FunctionRegistry
from modules.core.scheduler.history import prune
from modules.core.scheduler.job_manager import JobManager
from modules.core.scheduler.ownership import TableOwners
from modules.core.scheduler.planning import Planner
from modules.core.scheduler.planning_cleanups import CleanupPlans
from modules.core.scheduler.refusing import invalid, refuse
from modules.core.scheduler.restoring_cleanups import CleanupRestorer
from modules.core.scheduler.settings import SchedulerSettings
from modules.core.scheduler.store import cleanups
from modules.core.scheduler.store.cleanups import CARRY_OUT
from modules.core.scheduler.trash_left_behind import TrashLeftBehind

HISTORY = "history"
Names = tuple[str, str]


class Housekeeper:
    """Registers, runs and reports cleanups. What touches the database is async and returns a Result."""

    def __init__(
        self,
        app_context: AppContext,
        jobs: JobManager,
        planner: Planner,
        functions: FunctionRegistry,
        settings: SchedulerSettings,
        roots: tuple[Path, ...],
    ) -> None:
        self._database, self._clock = app_context.database, app_context.clock
        self._jobs, self._planner = jobs, planner
        self._functions = functions
        self._settings = settings
        self.owners = TableOwners.of(app_context, owned_only=settings.housekeeper_owned_tables_only)
        self.cleaner = Cleaner(app_context, functions, settings, roots, self.owners)
        self.runs = CleanupRuns(app_context, settings, self.cleaner, roots)
        self.plans = plans = CleanupPlans(app_context, jobs, settings, self.cleaner, self.runs)
        self.preview_cleanup, self.apply_cleanup = plans.preview, plans.apply
        self.confirm_cleanup, self.cleanup_plan = plans.confirm, plans.plan
        self.trash = TrashLeftBehind(app_context.database, app_context.clock, self.cleaner, self.runs)
        self.restorer = CleanupRestorer(app_context, self.cleaner, self.runs)
        self.run_cleanup = CleanupRound(app_context, self.runs, jobs, settings).run
        functions.register(*CARRY_OUT, self._carry_out, description="Carry out one registered cleanup.")
        functions.register(CARRY_OUT[0], "prune_history", self._prune_history)

    async def register_cleanup_task(
        self, module_id: str, cleanup_type: str, config: Mapping[str, Any], *, owner: Owner = RUNTIME
    ) -> Result[dict[str, Any]]:
        """Register a cleanup as a task: `{"cleanup_id", "task_id", "created", "warnings"}`; the same type updates it.

        `INVALID_CONFIG` names every offending field in `details["problems"]`; `warnings` say what is slow or unseen.
        """
        names = (module_id, cleanup_type)
        checked = await self.check(module_id, cleanup_type, config)
        if checked.error is not None:
            self._jobs.roll.refused(owner)
            return Result(error=checked.error)
        warnings = await self.cleaner.warnings(checked.unwrap())
        warnings += await self.trash.left_by_change(names, checked.unwrap())
        stored = await self._jobs.change(partial(self._put_asked, names=names, policy=checked.data, owner=owner))
        answered = self._jobs.roll.answered(owner, stored.map(lambda cleanup: [cleanup]))
        return answered.map(lambda each: {**each[0], "warnings": warnings})

    def _put_asked(self, c: Connection, now: datetime, names: Names, policy: AnyPolicy, owner: Owner) -> dict[str, Any]:
        """Store a cleanup that somebody asks for, and write down what an operator did."""
        known, by = cleanups.find_type(c, *names), self._jobs.auditor
        before = None if known is None else by.look(c, Deed("register", "cleanup", known.id))
        stored = self.put(c, now, names, policy, owner)
        by.tell(c, Deed("register", "cleanup", stored["cleanup_id"]), before)
        return stored

    async def check(self, module_id: str, cleanup_type: str, config: Mapping[str, Any]) -> Result[AnyPolicy]:
        """Return the policy that a config means, or `INVALID_CONFIG`; looks into the live schema, writes nothing."""
        if wrong := name_problems(module_id=module_id, cleanup_type=cleanup_type):
            return invalid(wrong)
        try:
            policy = self.runs.parse(config)
        except PolicyError as error:
            return invalid(error.problems)
        if problems := await self.cleaner.problems(module_id, policy):
            return invalid(problems)
        refused = None
        if isinstance(policy, FunctionPolicy):
            refused = self._planner.outside.of_function(module_id, policy.function_name)
        return Result.success(policy) if refused is None else Result(error=refused)

    def put(self, c: Connection, now: datetime, names: Names, policy: AnyPolicy, owner: Owner) -> dict[str, Any]:
        """Store a cleanup and its task as part of a transaction."""
        known = cleanups.find_type(c, *names)
        cleanup_id = new_id() if known is None else known.id
        plan = self.plan_task(names, cleanup_id, policy)
        task = creating.put(c, plan, owner, now)
        config = strict_json.dumps(policy.to_config())
        if known is not None:
            place = {} if known.config == config else {"cursor": None}  # what another policy has passed, this may take
            cleanups.change(c, cleanup_id, now, config=config, **place)
        else:
            row = {"id": cleanup_id, "module_id": names[0], "cleanup_type": names[1], "config": config}
            state = {"enabled": True, "last_run": None, "next_run": task["next_execution"]}
            times = {"created_at": now, "updated_at": now}
            cleanups.add(c, {**row, **state, **times, "task_id": task["task_id"]})
        return {"cleanup_id": cleanup_id, "task_id": task["task_id"], "created": known is None}

    def plan_task(self, names: Names, cleanup_id: str, policy: AnyPolicy) -> Plan:
        """Return the plan of the task that runs a cleanup; raises `ResultError` where its times are wrong."""
        at_once = self._settings.housekeeper_max_at_once
        config = task_config(*names, cleanup_id, policy, at_once=at_once, timezone=self._planner.timezone)
        with calling(CODE):  # the function that carries out cleanups is nobody's to schedule
            return self._planner.plan(config).unwrap()

    async def register_cleanup(
        self,
        directory: str | Path,
        pattern: str = "*",
        *,
        module_id: str = "application",
        owner: Owner = RUNTIME,
        **config: Any,
    ) -> Result[dict[str, Any]]:
        """Register a cleanup of files; its type is `files:<directory>/<pattern>`."""
        files = {"directory": str(directory), "pattern": pattern} | config
        return await self.register_cleanup_task(module_id, f"files:{directory}/{pattern}", files, owner=owner)

    async def list_cleanups(
        self, *, module_id: str | None = None, cleanup_type: str | None = None
    ) -> Result[list[dict[str, Any]]]:
        """Return the cleanups in the order in which they would run, each with its config, and `awaits_preview`."""
        rows = await self._database.read(lambda c: cleanups.chosen(c, module_id=module_id, cleanup_type=cleanup_type))
        return Result.success([self._view(row) for row in rows])

    async def update_cleanup(self, cleanup_id: str, changes: Mapping[str, Any]) -> Result[dict[str, Any]]:
        """Change fields of a cleanup's config, or `enabled`; return it."""
        row = await self._database.read(lambda c: cleanups.find(c, cleanup_id))
        if row is None:
            return not_found(cleanup_id)
        enabled = changes.get("enabled")
        if "enabled" in changes and not isinstance(enabled, bool):
            return invalid([{"field": "enabled", "message": f"true or false, not {enabled!r:.60}"}])
        rest = {name: value for name, value in changes.items() if name != "enabled"}
        checked: Result[AnyPolicy | None] = Result.success(None)
        if rest:
            checked = await self.check(row.module_id, row.cleanup_type, merged(row.config, rest))
        if checked.error is not None:
            return Result(error=checked.error)
        update = partial(self._update, row=row, policy=checked.data, enabled=enabled)
        return await self._jobs.change(update, deed=Deed("update", "cleanup", cleanup_id))

    def _update(
        self, c: Connection, now: datetime, row: Row[Any], policy: AnyPolicy | None, enabled: bool | None
    ) -> dict[str, Any]:
        _must_find(c, row.id)
        if policy is not None:
            self.put(c, now, (row.module_id, row.cleanup_type), policy, RUNTIME)
        if enabled is True:
            commands.resume(c, now, row.task_id)
        elif enabled is False:
            commands.pause(c, now, row.task_id, None)
        (changed,) = cleanups.chosen(c, module_id=row.module_id, cleanup_type=row.cleanup_type)
        return self._view(changed)

    def _view(self, row: Row[Any]) -> dict[str, Any]:
        return cleanup_view(row, self._functions) | {"awaits_preview": self.runs.awaits(row)}

    async def remove_cleanup(self, cleanup_id: str) -> Result[dict[str, Any]]:
        """Remove a cleanup and cancel its task: `{"cleanup_id", "status", "warnings"}`; reports stay for a while."""
        warnings = await self.trash.left_by_removal(cleanup_id)

        def work(c: Connection, now: datetime) -> dict[str, Any]:
            row = _must_find(c, cleanup_id)
            commands.cancel(c, now, row.task_id, cancel_running=False)
            cleanups.remove(c, cleanup_id)
            return {"cleanup_id": cleanup_id, "status": "removed", "warnings": warnings}

        return await self._jobs.change(work, deed=Deed("remove", "cleanup", cleanup_id))

    async def schedule_maintenance(self) -> Result[dict[str, Any]]:
        """Register the retention of the scheduler's own history; a changed setting moves its next run."""
        owner = Owner("code", CARRY_OUT[0], "data")
        return await self.register_cleanup_task(CARRY_OUT[0], HISTORY, self.maintenance(), owner=owner)

    def maintenance(self) -> dict[str, Any]:
        """Return the config of the cleanup of the scheduler's own history."""
        return {"function_name": "prune_history", "cron": self._settings.housekeeper_schedule}

    async def close(self) -> None:
        """Close the connections to other databases."""
        await self.cleaner.close()

    async def _carry_out(self, cleanup_id: str, context: ExecutionContext) -> Result[dict[str, Any]]:
        row = await self._database.read(lambda c: cleanups.find(c, cleanup_id))
        if row is None:
            return not_found(cleanup_id)
        task_id, own = context.task_id, context.execution_id
        if note := await self._database.read(lambda c: cleanups.another_run(c, task_id, own)):
            return Result.success({"note": note})
        report = await self.runs.run(row, dry_run=False, context=context)
        if report.success:
            return Result.success(report.to_dict())
        return Result.error(report.code or "CLEANUP_FAILED", "; ".join(report.errors), {"report": report.to_dict()})

    async def _prune_history(self, context: ExecutionContext, dry_run: bool = False) -> Result[dict[str, int]]:
        """Delete what is older than the settings keep, and what nobody else deletes from the trash of files."""
        gone = await prune(self._database, self._clock, self._settings, dry_run=dry_run)
        matched = sum(gone.values())
        freed = 0 if dry_run or not matched else (await shrink(self._database, asked=None))[0]
        trash = await self.trash.purge(dry_run=dry_run, should_stop=lambda: context.cancelled)
        if not trash.success:
            return Result.error("CLEANUP_FAILED", "; ".join(trash.errors))
        matched += (purged := trash.done.get("purged", 0))
        told = gone | ({"purged": purged} if purged else {})
        freed += 0 if dry_run else trash.freed_bytes
        return Result.success({"matched": matched, "deleted": 0 if dry_run else matched, "freed_bytes": freed, **told})


def _must_find(c: Connection, cleanup_id: str) -> Row[Any]:
    """Return the cleanup, or refuse with `CLEANUP_NOT_FOUND`."""
    return cleanups.find(c, cleanup_id) or refuse("CLEANUP_NOT_FOUND", f"there is no cleanup {cleanup_id!r}")
