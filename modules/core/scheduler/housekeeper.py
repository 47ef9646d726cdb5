"""Housekeeper: cleanups that modules register, each a task of its own interval, and the reports they leave."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row

from framework import strict_json
from framework.clock import new_id
from framework.context import AppContext
from framework.result import Result
from modules.core.scheduler import commands
from modules.core.scheduler.cleaner import Cleaner
from modules.core.scheduler.cleanup import AnyPolicy, PolicyError, Report, parse_policy, total
from modules.core.scheduler.execution_context import ExecutionContext
from modules.core.scheduler.functions import FunctionRegistry
from modules.core.scheduler.history import prune
from modules.core.scheduler.job_manager import JobManager
from modules.core.scheduler.planning import Plan, Planner
from modules.core.scheduler.settings import SchedulerSettings
from modules.core.scheduler.store import cleanups
from modules.core.scheduler.store.cleanups import RUN_CLEANUP

HISTORY = "history"


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
        self._database = app_context.database
        self._clock = app_context.clock
        self._jobs = jobs
        self._planner = planner
        self._functions = functions
        self._settings = settings
        self._roots = roots
        self._cleaner = Cleaner(app_context, functions, settings, roots)
        functions.register(*RUN_CLEANUP, self._carry_out, description="Carry out one registered cleanup.")
        functions.register(RUN_CLEANUP[0], "prune_history", self._prune_history)

    async def register_cleanup_task(
        self, module_id: str, cleanup_type: str, config: Mapping[str, Any], *, owner: str = "runtime"
    ) -> Result[dict[str, Any]]:
        """Register a cleanup as a task: `{"cleanup_id", "task_id", "created"}`; the same type again updates it.

        `INVALID_CONFIG` names every offending field in `details["problems"]`.
        """
        try:
            policy = self._parse(config)
        except PolicyError as error:
            return _refused(error.problems)
        if problems := await self._cleaner.problems(module_id, policy):
            return _refused(problems)
        known = await self._database.read(lambda c: cleanups.find_type(c, module_id, cleanup_type))
        cleanup_id = new_id() if known is None else known.id
        planned = self._planner.plan(_task_config(module_id, cleanup_type, cleanup_id, policy))
        if planned.error is not None:
            return Result.error(planned.error.code, planned.error.message, planned.error.details)
        row = {"id": cleanup_id, "module_id": module_id, "cleanup_type": cleanup_type, "config": _text(policy)}
        return await self._jobs.change(lambda c, now: self._put(c, row, planned.data, owner, now))

    def _put(self, c: Connection, row: dict[str, Any], plan: Plan, owner: str, now: datetime) -> dict[str, Any]:
        task = self._jobs.put(c, plan, owner, now)
        known = cleanups.find(c, row["id"])
        if known is not None:
            cleanups.change(c, known.id, now, config=row["config"])
        else:
            state = {"enabled": True, "last_run": None, "next_run": task["next_execution"]}
            times = {"created_at": now, "updated_at": now}
            cleanups.add(c, {**row, **state, **times, "task_id": task["task_id"]})
        return {"cleanup_id": row["id"], "task_id": task["task_id"], "created": known is None}

    async def list_cleanups(
        self, *, module_id: str | None = None, cleanup_type: str | None = None
    ) -> Result[list[dict[str, Any]]]:
        """Return the cleanups with their config, in the order in which they would run."""
        rows = await self._database.read(lambda c: cleanups.chosen(c, module_id=module_id, cleanup_type=cleanup_type))
        return Result.success([_view(row) for row in rows])

    async def update_cleanup(self, cleanup_id: str, changes: Mapping[str, Any]) -> Result[dict[str, Any]]:
        """Change fields of a cleanup's config, or `enabled`; return it."""
        row = await self._database.read(lambda c: cleanups.find(c, cleanup_id))
        if row is None:
            return _not_found(cleanup_id)
        rest = {name: value for name, value in changes.items() if name != "enabled"}
        if rest:
            config = _merged(strict_json.loads(row.config), rest)
            updated = await self.register_cleanup_task(row.module_id, row.cleanup_type, config)
            if updated.error is not None:
                return updated
        if "enabled" in changes:
            switched = await (self._jobs.resume(row.task_id) if changes["enabled"] else self._jobs.pause(row.task_id))
            if switched.error is not None:
                return switched
        listed = await self.list_cleanups(module_id=row.module_id, cleanup_type=row.cleanup_type)
        return Result.success(listed.data[0])

    async def remove_cleanup(self, cleanup_id: str) -> Result[dict[str, Any]]:
        """Remove a cleanup and cancel its task; its reports stay until their retention ends."""

        def work(c: Connection, now: datetime) -> dict[str, Any]:
            row = cleanups.find(c, cleanup_id)
            if row is None:
                _not_found(cleanup_id).unwrap()
                raise AssertionError
            commands.cancel(c, now, row.task_id, cancel_running=False)
            cleanups.remove(c, cleanup_id)
            return {"cleanup_id": cleanup_id, "status": "removed"}

        return await self._jobs.change(work)

    async def run_cleanup(
        self, cleanup_type: str | None = None, dry_run: bool = False, *, module_id: str | None = None
    ) -> Result[dict[str, Any]]:
        """Run all cleanups, or those of one type, now: `{"reports": […], "total": {…}}`.

        `CLEANUP_FAILED` when any of them failed, even partly; the same dict is in its `details`.
        """
        started = self._clock.now()
        rows = await self._database.read(lambda c: cleanups.chosen(c, module_id=module_id, cleanup_type=cleanup_type))
        if cleanup_type is not None and not rows:
            return _not_found(cleanup_type)
        reports = {row.id: await self._run(row, dry_run=dry_run) for row in rows}
        summed = total(reports.values(), started_at=started, dry_run=dry_run)
        data = {
            "reports": [_report_view(row, reports[row.id]) for row in rows],
            "total": summed.ended(self._clock.now()).to_dict(),
        }
        if not summed.success:
            failed = ", ".join(row.cleanup_type for row in rows if not reports[row.id].success)
            return Result.error("CLEANUP_FAILED", f"these cleanups failed, at least partly: {failed}", data)
        return Result.success(data)

    async def reports(self, cleanup_id: str, *, limit: int = 20) -> Result[list[dict[str, Any]]]:
        """Return the newest reports of a cleanup."""
        rows = await self._database.read(lambda c: cleanups.reports_of(c, cleanup_id, limit))
        return Result.success([strict_json.loads(row.report) for row in rows])

    async def schedule_maintenance(self) -> Result[dict[str, Any]]:
        """Register the retention of the scheduler's own history; a changed setting moves its next run."""
        config = {"function_name": "prune_history", "cron": self._settings.housekeeper_schedule}
        return await self.register_cleanup_task(RUN_CLEANUP[0], HISTORY, config, owner="code")

    async def close(self) -> None:
        """Close the connections to other databases."""
        await self._cleaner.close()

    async def _carry_out(self, cleanup_id: str, context: ExecutionContext) -> Result[dict[str, Any]]:
        row = await self._database.read(lambda c: cleanups.find(c, cleanup_id))
        if row is None:
            return _not_found(cleanup_id)
        report = await self._run(row, dry_run=False, context=context)
        if report.success:
            return Result.success(report.to_dict())
        return Result.error("CLEANUP_FAILED", "; ".join(report.errors), {"report": report.to_dict()})

    async def _run(self, row: Row[Any], *, dry_run: bool, context: ExecutionContext | None = None) -> Report:
        dry_run = dry_run or self._settings.housekeeper_dry_run
        try:
            policy = self._parse(strict_json.loads(row.config))
        except (PolicyError, strict_json.JsonError) as error:
            report = self._cleaner.failed("unreadable", dry_run, f"its config cannot be read: {error}")
        else:
            report = await self._cleaner.clean(row.module_id, policy, dry_run=dry_run, context=context)
        await self._cleaner.keep(row, report)
        return report

    def _parse(self, config: Mapping[str, Any]) -> AnyPolicy:
        default = self._settings.cleanup_interval
        return parse_policy(dict(config), default_interval=default, allowed_roots=self._roots)

    async def _prune_history(self, context: ExecutionContext) -> dict[str, int]:
        """Delete what is older than the settings keep."""
        return await prune(self._database, self._clock, self._settings)


def _task_config(module_id: str, cleanup_type: str, cleanup_id: str, policy: AnyPolicy) -> dict[str, Any]:
    when: dict[str, Any] = {"cron": policy.cron}
    if policy.cleanup_interval is not None:
        seconds = policy.cleanup_interval.total_seconds()
        when = {"interval_type": "seconds", "interval_value": seconds}
    return when | {
        "name": "".join(each if each.isprintable() else "?" for each in f"cleanup {cleanup_type}")[:100],
        "description": policy.description or f"Cleanup {cleanup_type} of {module_id}"[:500],
        "module_id": RUN_CLEANUP[0],
        "function_name": RUN_CLEANUP[1],
        "parameters": {"cleanup_id": cleanup_id},
        "key": f"cleanup:{cleanup_id}",
        "priority": policy.priority,
        "tags": ["cleanup"],
    }


def _merged(config: dict[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """A cron replaces an interval, and the other way round; null takes a field out."""
    for one, other in (("cron", "cleanup_interval"), ("cleanup_interval", "cron")):
        if changes.get(one) is not None:
            config.pop(other, None)
    return {name: value for name, value in {**config, **changes}.items() if value is not None}


def _text(policy: AnyPolicy) -> str:
    return strict_json.dumps(policy.to_config())


def _view(row: Row[Any]) -> dict[str, Any]:
    names = ("id", "module_id", "cleanup_type", "enabled", "last_run", "next_run", "task_id", "priority")
    return {name: getattr(row, name) for name in names} | {"config": strict_json.loads(row.config)}


def _report_view(row: Row[Any], report: Report) -> dict[str, Any]:
    names = {"cleanup_id": row.id, "module_id": row.module_id, "cleanup_type": row.cleanup_type}
    return names | report.to_dict()


def _refused(problems: list[Any]) -> Result[Any]:
    told = "; ".join(f"{problem['field']}: {problem['message']}" for problem in problems)
    return Result.error("INVALID_CONFIG", told[:2_000], {"problems": list(problems)})


def _not_found(name: str) -> Result[Any]:
    return Result.error("CLEANUP_NOT_FOUND", f"there is no cleanup {name!r}")
