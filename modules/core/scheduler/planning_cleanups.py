"""Plans: what a cleanup would take, counted exactly, looked at by a person, and then carried out as it was seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row

from framework import strict_json
from framework.audit import Deed
from framework.clock import new_id
from framework.context import AppContext
from framework.result import Error, Result, ResultError
from modules.core.scheduler.bounded_text import MAX_ID, storable
from modules.core.scheduler.cleaner import Cleaner
from modules.core.scheduler.cleanup import (
    AnyPolicy,
    FunctionPolicy,
    PolicyError,
    Report,
    changed,
    counted,
    fingerprinting,
    planned_most,
)
from modules.core.scheduler.cleanup_runs import CleanupRuns, digest
from modules.core.scheduler.cleanup_task import not_found, report_view
from modules.core.scheduler.freezing import refuse_standstill
from modules.core.scheduler.job_manager import JobManager
from modules.core.scheduler.refusing import refuse
from modules.core.scheduler.settings import SchedulerSettings
from modules.core.scheduler.store import cleanup_plans, cleanups, reports

VALID_FOR = timedelta(hours=1)
TOLERANCE = 0.05
PACE_OF = timedelta(days=30)  # of the runs of so long the time is estimated that one takes

Answer = Result[dict[str, Any]]


class CleanupPlans:
    """Previews stored as plans, and what becomes of them. Methods are async and return a Result."""

    def __init__(
        self,
        app_context: AppContext,
        jobs: JobManager,
        settings: SchedulerSettings,
        cleaner: Cleaner,
        runs: CleanupRuns,
    ) -> None:
        self._database = app_context.database
        self._clock = app_context.clock
        self._jobs = jobs
        self._settings = settings
        self._cleaner = cleaner
        self._runs = runs

    async def preview(self, cleanup_id: str) -> Answer:
        """Count exactly what a run would take now, and store it as a plan; nothing else is written.

        `{"plan_id", "cleanup_id", "module_id", "cleanup_type", "planned_at", "valid_until", "applied_at", "action",
        "rows" (by table, those that go along included), "files", "matched", "bytes", "freed_bytes_estimate", "oldest",
        "newest", "samples", "kept", "done", "skipped", "population" (rows or files in all), "guards" (a sentence for
        each that a run would break), "seconds_estimate", "awaits_preview", "kind"}`. What a function would take cannot
        be counted: `NOT_PREVIEWABLE`.
        """
        now = self._clock.now()
        row = await self._database.read(lambda c: cleanups.find(c, cleanup_id))
        if row is None:
            return not_found(storable(cleanup_id, MAX_ID))
        policy = self._policy(row)
        if policy.error is not None:
            return Result(error=policy.error)
        with fingerprinting() as fingerprint:
            report, population = await self._runs.count(row, policy.unwrap(), now)
        if not report.success:
            return Result(error=_uncounted(row, report))
        earlier = await self._database.read(lambda c: reports.days(c, cleanup_id, reports.day_of(now - PACE_OF)))
        told = counted(report, policy.unwrap()) | {
            "population": population,
            "guards": self._runs.broken(policy.unwrap(), report, population),
            "seconds_estimate": _seconds(report.matched, earlier),
            "fingerprint": fingerprint.to_json(),
        }
        values = {"id": new_id(), "cleanup_id": row.id, "config": row.config, "created_at": now, "applied_at": None}
        values["plan"] = strict_json.dumps(told)
        return await self._jobs.change(lambda c, _now: self._stored(c, values))

    async def plan(self, plan_id: str) -> Answer:
        """Return a plan as `preview_cleanup` told it, or `PLAN_NOT_FOUND`."""
        try:
            return Result.success(await self._database.read(lambda c: self._view(c, _must_find(c, plan_id))))
        except ResultError as refusal:
            return Result(error=refusal.error)

    async def confirm(self, plan_id: str) -> Answer:
        """Say that this policy may delete by itself from now on, and return the plan; nothing is deleted by this.

        `PLAN_OUTDATED` where the policy is another one by now, or the plan is older than an hour.
        """

        def work(c: Connection, now: datetime) -> dict[str, Any]:
            plan = _must_find(c, plan_id)
            self._approve(c, plan, now)
            self._jobs.auditor.record(c, Deed("confirm", "cleanup", plan.cleanup_id, None, None, {"plan_id": plan_id}))
            return self._view(c, plan)

        return await self._jobs.change(work)

    async def apply(self, plan_id: str, tolerance: float = TOLERANCE) -> Answer:
        """Carry a plan out, at most once, as things stood when it was made: `{"plan_id", "report"}`.

        `PLAN_OUTDATED` says what has changed: the policy at all, the numbers by more than `tolerance` (a part, 0.05 is
        5 %), or that the plan is older than an hour. `PLAN_USED`, `GUARD_EXCEEDED`, `CLEANUPS_FROZEN`,
        `CLEANUPS_READ_ONLY`; what fails while it runs is `CLEANUP_FAILED` with the report.
        """
        if not 0 <= tolerance <= 1:
            return Result.error("INVALID_CONFIG", f"tolerance: a part from 0 to 1, not {tolerance!r:.60}")
        begun = await self._jobs.change(lambda c, now: self._usable(c, plan_id, now))
        if begun.error is not None:
            return Result(error=begun.error)
        plan, row = begun.unwrap()
        policy = self._policy(row).unwrap()
        if refusal := await self._moved(plan, row, policy, tolerance):
            return Result(error=refusal)
        used = await self._jobs.change(lambda c, now: self._use(c, plan_id, now))
        if used.error is not None:
            return Result(error=used.error)
        most = planned_most(strict_json.loads(plan.plan), tolerance)
        report = await self._runs.guarded(row, policy, at=plan.created_at, most=most)
        report = await self._cleaner.keep(row, report)
        told = {"plan_id": plan_id, "report": report_view(row, report)}
        if not report.success:
            return Result.error(report.code or "CLEANUP_FAILED", "; ".join(report.errors), told)
        return Result.success(told)

    async def _moved(self, plan: Row[Any], row: Row[Any], policy: AnyPolicy, tolerance: float) -> Error | None:
        """Count again as things stood when the plan was made; return why it is not carried out, or None."""
        with fingerprinting() as fingerprint:
            report, population = await self._runs.count(row, policy, plan.created_at)
        if not report.success:
            return _uncounted(row, report)
        planned, now = strict_json.loads(plan.plan), counted(report, policy) | {"fingerprint": fingerprint.to_json()}
        if moved := changed(planned, now, tolerance):
            told = ", ".join(f"{name} {each['planned']} → {each['now']}" for name, each in moved.items())
            return Error("PLAN_OUTDATED", f"the world has moved since: {told}", {"changed": moved})
        if broken := self._runs.broken(policy, report, population):
            return Error("GUARD_EXCEEDED", "; ".join(broken), {"report": report_view(row, report)})
        return None

    def _policy(self, row: Row[Any]) -> Result[AnyPolicy]:
        try:
            policy = self._runs.parse_stored(row.config)
        except (PolicyError, strict_json.JsonError) as error:
            return Result.error("CLEANUP_FAILED", f"its config cannot be read: {error}")
        if isinstance(policy, FunctionPolicy):
            return Result.error("NOT_PREVIEWABLE", "what a function of a module would take cannot be counted")
        return Result.success(policy)

    def _usable(self, c: Connection, plan_id: str, now: datetime) -> tuple[Row[Any], Row[Any]]:
        """Return the plan and its cleanup, or refuse."""
        plan = _must_find(c, plan_id)
        if plan.applied_at is not None:
            refuse("PLAN_USED", f"the plan was applied at {_text(plan.applied_at)}; preview the cleanup again")
        refuse_standstill(c, self._settings)
        if self._settings.housekeeper_dry_run:
            refuse("CLEANUPS_READ_ONLY", "the setting housekeeper_dry_run lets no cleanup delete")
        return plan, _current(c, plan, now)

    def _use(self, c: Connection, plan_id: str, now: datetime) -> None:
        plan, _ = self._usable(c, plan_id, now)
        if not cleanup_plans.use(c, plan_id, now):
            refuse("PLAN_USED", "somebody else applies the plan; preview the cleanup again")
        self._approve(c, plan, now)
        self._jobs.auditor.record(c, Deed("apply", "cleanup", plan.cleanup_id, None, None, {"plan_id": plan_id}))

    def _approve(self, c: Connection, plan: Row[Any], now: datetime) -> None:
        cleanup_plans.approve(c, plan.cleanup_id, digest(self._runs.parse_stored(_current(c, plan, now).config)))

    def _stored(self, c: Connection, values: Mapping[str, Any]) -> dict[str, Any]:
        cleanup_plans.add(c, values)
        return self._view(c, _must_find(c, values["id"]))

    def _view(self, c: Connection, plan: Row[Any]) -> dict[str, Any]:
        row = cleanups.find(c, plan.cleanup_id)
        return {
            "plan_id": plan.id,
            "cleanup_id": plan.cleanup_id,
            "module_id": None if row is None else row.module_id,
            "cleanup_type": None if row is None else row.cleanup_type,
            "planned_at": plan.created_at,
            "valid_until": plan.created_at + VALID_FOR,
            "applied_at": plan.applied_at,
            **{name: told for name, told in strict_json.loads(plan.plan).items() if name != "fingerprint"},
            "awaits_preview": row is not None and self._runs.awaits(row),
        }


def _must_find(c: Connection, plan_id: str) -> Row[Any]:
    found = cleanup_plans.find(c, plan_id)
    return found or refuse("PLAN_NOT_FOUND", f"there is no plan {storable(plan_id, MAX_ID)!r}")


def _current(c: Connection, plan: Row[Any], now: datetime) -> Row[Any]:
    """Return the cleanup of a plan, or refuse where the plan says no more what it would do."""
    row = cleanups.find(c, plan.cleanup_id)
    if row is None:
        raise ResultError(not_found(plan.cleanup_id).error or Error("CLEANUP_NOT_FOUND", ""))
    if row.config != plan.config:
        policies = {"planned": strict_json.loads(plan.config), "now": strict_json.loads(row.config)}
        refuse("PLAN_OUTDATED", "the policy has changed since; preview the cleanup again", changed={"policy": policies})
    if now - plan.created_at > VALID_FOR:
        refuse("PLAN_OUTDATED", f"the plan is of {_text(plan.created_at)}, older than an hour; preview again")
    return row


def _uncounted(row: Row[Any], report: Report) -> Error:
    told = {"report": report_view(row, report)}
    return Error("CLEANUP_FAILED", f"it cannot be counted: {'; '.join(report.errors)}", told)


def _seconds(matched: int, days: Sequence[Row[Any]]) -> float | None:
    """Return how long a run would take at the pace of the earlier ones, or None where none of them deleted anything."""
    deleted, seconds = sum(day.deleted for day in days), sum(day.seconds for day in days)
    return None if deleted == 0 else round(seconds / deleted * matched, 3)


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")
