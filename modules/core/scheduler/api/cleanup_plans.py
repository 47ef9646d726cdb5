"""Previews of cleanups over HTTP: plans that are looked at, confirmed and applied; and what cleanups took, restored."""

from __future__ import annotations

from starlette.responses import Response

from framework.caller import Scope
from framework.web.paths import Paths
from modules.core.scheduler.api.given import ApplyPlan, CleanupId, PlanId, Restore
from modules.core.scheduler.api.shapes_cleanups import AppliedPlan, Archives, CleanupPlan, Restored
from modules.core.scheduler.api.statuses import answer
from modules.core.scheduler.service import SchedulerService

NOT_FOUND = "CLEANUP_NOT_FOUND"
USABLE = ("PLAN_NOT_FOUND", "PLAN_OUTDATED", NOT_FOUND)


class CleanupPlanRoutes:
    """The routes of plans and archives."""

    def __init__(self, scheduler: SchedulerService) -> None:
        self._scheduler = scheduler

    def add_to(self, paths: Paths) -> None:
        """Add them."""
        one, plan = "/cleanups/{cleanup_id}", "/cleanup-plans/{plan_id}"
        refusals: tuple[str, ...] = (NOT_FOUND, "NOT_PREVIEWABLE", "CLEANUP_FAILED")
        paths.add("POST", f"{one}/preview", self.preview_cleanup, CleanupPlan, Scope.ADMIN, *refusals)
        paths.add("GET", plan, self.get_cleanup_plan, CleanupPlan, Scope.READ, "PLAN_NOT_FOUND")
        paths.add("POST", f"{plan}/confirm", self.confirm_cleanup, CleanupPlan, Scope.ADMIN, *USABLE)
        refusals = ("PLAN_USED", "GUARD_EXCEEDED", "CLEANUPS_FROZEN", "CLEANUPS_READ_ONLY", "INVALID_CONFIG")
        applied = (AppliedPlan, Scope.ADMIN, *USABLE, *refusals, "CLEANUP_FAILED", "NOT_PREVIEWABLE")
        paths.add("POST", f"{plan}/apply", self.apply_cleanup, *applied)
        refusals = (NOT_FOUND, "ARCHIVE_NOT_FOUND", "RESTORE_FAILED")
        paths.add("GET", f"{one}/archives", self.list_archives, Archives, Scope.READ, *refusals)
        refusals = (*refusals, "CLEANUPS_FROZEN", "CLEANUPS_READ_ONLY")
        paths.add("POST", f"{one}/restore", self.restore_cleanup, Restored, Scope.ADMIN, *refusals)

    async def preview_cleanup(self, cleanup_id: CleanupId) -> Response:
        """Count exactly what a run would take now, and keep it as a plan."""
        return answer(await self._scheduler.preview_cleanup(cleanup_id))

    async def get_cleanup_plan(self, plan_id: PlanId) -> Response:
        """Return a plan as the preview told it."""
        return answer(await self._scheduler.cleanup_plan(plan_id))

    async def confirm_cleanup(self, plan_id: PlanId) -> Response:
        """Say that this policy may delete by itself from now on."""
        return answer(await self._scheduler.confirm_cleanup(plan_id))

    async def apply_cleanup(self, plan_id: PlanId, how: ApplyPlan | None = None) -> Response:
        """Carry a plan out, at most once, as things stood when it was made."""
        how = how or ApplyPlan()
        return answer(await self._scheduler.apply_cleanup(plan_id, how.tolerance))

    async def list_archives(self, cleanup_id: CleanupId) -> Response:
        """List what a cleanup has kept of what it took, oldest first."""
        return answer((await self._scheduler.list_archives(cleanup_id)).map(lambda there: {"archives": there}))

    async def restore_cleanup(self, cleanup_id: CleanupId, what: Restore | None = None) -> Response:
        """Bring back what an archive holds; what is there already is left alone."""
        what = what or Restore()
        restore = self._scheduler.restore_cleanup
        return answer(await restore(cleanup_id, what.archive, dry_run=what.dry_run, path=what.path))
