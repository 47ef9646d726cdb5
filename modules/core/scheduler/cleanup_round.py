"""Cleanups run by hand, one after the other: all of them, or those of one type or module."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Row

from framework.audit import Deed
from framework.caller import CODE, calling
from framework.context import AppContext
from framework.result import Result
from modules.core.scheduler.cleanup import Report, total
from modules.core.scheduler.cleanup_runs import CleanupRuns
from modules.core.scheduler.cleanup_task import not_found, report_view
from modules.core.scheduler.job_manager import JobManager
from modules.core.scheduler.settings import SchedulerSettings
from modules.core.scheduler.store import cleanups


class CleanupRound:
    """Runs registered cleanups here and now, behind the same rails as by their schedule."""

    def __init__(
        self, app_context: AppContext, runs: CleanupRuns, jobs: JobManager, settings: SchedulerSettings
    ) -> None:
        self._database, self._clock = app_context.database, app_context.clock
        self._runs, self._jobs, self._settings = runs, jobs, settings

    async def run(
        self, cleanup_type: str | None = None, dry_run: bool = False, *, module_id: str | None = None
    ) -> Result[dict[str, Any]]:
        """Run all enabled cleanups, or those of one type, now: `{"reports": […], "total": {…}}`.

        The only one of a type runs also where it is off. `CLEANUP_FAILED` (any, even partly) has the dict in `details`.
        """
        started = self._clock.now()
        rows = await self._database.read(lambda c: cleanups.chosen(c, module_id=module_id, cleanup_type=cleanup_type))
        wanted = cleanup_type if cleanup_type is not None else module_id
        if wanted is not None and not rows:
            return not_found(wanted)
        if cleanup_type is None or len(rows) > 1:
            rows = [row for row in rows if row.enabled]
        dry_run = dry_run or self._settings.housekeeper_dry_run
        if not dry_run and (error := await self._runs.standstill()):
            return Result(error=error)
        reports: dict[str, Report] = {}
        for row in rows:
            reports[row.id] = await self._run(row, dry_run=dry_run)
        summed = total(reports.values(), started_at=started, dry_run=dry_run)
        data = {
            "reports": [report_view(row, reports[row.id]) for row in rows],
            "total": summed.ended(self._clock.now()).to_dict(),
        }
        if not summed.success:
            failed = ", ".join(row.cleanup_type for row in rows if not reports[row.id].success)
            return Result.error("CLEANUP_FAILED", f"these cleanups failed, at least partly: {failed}", data)
        return Result.success(data)

    async def _run(self, row: Row[Any], *, dry_run: bool) -> Report:
        """Run one; an operator's is written down before, for what it deletes goes in many transactions, and after."""
        if not dry_run:
            await self._write_down("run", row)
        with calling(CODE):  # what a module's function does there, the application does
            report = await self._runs.run(row, dry_run=dry_run)
        if not dry_run:
            told = {"deleted": report.deleted, "bytes": report.bytes, "errors": report.error_count}
            await self._write_down("ran", row, {"success": report.success, **told})
        return report

    async def _write_down(self, action: str, row: Row[Any], told: Mapping[str, Any] | None = None) -> None:
        if self._jobs.auditor.listens:
            deed = Deed(action, "cleanup", row.id, f"{row.module_id}/{row.cleanup_type}", None, told)
            (await self._jobs.change(lambda c, _: self._jobs.auditor.record(c, deed))).unwrap()
