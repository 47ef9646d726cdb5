"""Cleanups over HTTP: registered, changed, run, reported, frozen."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Body, Query
from starlette.requests import Request
from starlette.responses import Response

from framework.caller import Scope
from framework.web.paths import Paths
from modules.core.scheduler.api.given import (
    CleanupId,
    Cursor,
    Limit,
    ModuleId,
    Pause,
    RegisterCleanup,
    RunCleanup,
    RunCleanups,
)
from modules.core.scheduler.api.shapes_cleanups import (
    Cleanup,
    Cleanups,
    Compliance,
    Frozen,
    Registered,
    Removed,
    ReportPage,
    Run,
    Trend,
)
from modules.core.scheduler.api.statuses import LOCATION, answer, made_at
from modules.core.scheduler.service import SchedulerService

NOT_FOUND, INVALID, NOT_ALLOWED = "CLEANUP_NOT_FOUND", "INVALID_CONFIG", "FUNCTION_NOT_ALLOWED"
RUNNING = (NOT_FOUND, "CLEANUP_FAILED", "CLEANUPS_FROZEN", "CLEANUPS_READ_ONLY")
ONE = "/cleanups/{cleanup_id}"

Changes = Annotated[dict[str, Any], Body(description="Fields of the policy, or `enabled`; null takes one out.")]
Days = Annotated[int, Query(description="How many days.")]


class CleanupRoutes:
    """The routes of cleanups; fixed paths come before those with an id."""

    def __init__(self, scheduler: SchedulerService) -> None:
        self._scheduler = scheduler

    def add_to(self, paths: Paths) -> None:
        """Add them."""
        pages = ("INVALID_LIMIT", "INVALID_CURSOR")
        paths.add("GET", "/cleanups", self.list_cleanups, Cleanups, Scope.READ)
        registered = (Registered, Scope.ADMIN, INVALID, NOT_ALLOWED)
        paths.add("POST", "/cleanups", self.register_cleanup, *registered, status=201, headers=LOCATION)
        paths.add("POST", "/cleanups/run", self.run_cleanups, Run, Scope.ADMIN, *RUNNING)
        paths.add("POST", "/cleanups/freeze", self.freeze_cleanups, Frozen, Scope.ADMIN)
        paths.add("POST", "/cleanups/unfreeze", self.unfreeze_cleanups, Frozen, Scope.ADMIN)
        paths.add("GET", "/cleanups/reports", self.list_reports, ReportPage, Scope.READ, *pages)
        paths.add("GET", "/cleanups/compliance", self.cleanup_compliance, Compliance, Scope.READ)
        paths.add("POST", "/cleanups/compliance", self.check_compliance, Compliance, Scope.OPERATE)
        paths.add("GET", ONE, self.get_cleanup, Cleanup, Scope.READ, NOT_FOUND)
        refusals = (NOT_FOUND, INVALID, NOT_ALLOWED, "INVALID_STATE")
        paths.add("PATCH", ONE, self.update_cleanup, Cleanup, Scope.ADMIN, *refusals)
        paths.add("DELETE", ONE, self.remove_cleanup, Removed, Scope.ADMIN, NOT_FOUND)
        paths.add("POST", f"{ONE}/run", self.run_cleanup, Run, Scope.ADMIN, *RUNNING)
        paths.add("GET", f"{ONE}/reports", self.list_reports_of_cleanup, ReportPage, Scope.READ, *pages)
        paths.add("GET", f"{ONE}/trend", self.cleanup_trend, Trend, Scope.READ, INVALID)

    async def list_cleanups(self, module_id: ModuleId = None) -> Response:
        """List the cleanups, in the order in which they would run."""
        listed = await self._scheduler.list_cleanups(module_id=module_id)
        return answer(listed.map(lambda cleanups: {"cleanups": cleanups}))

    async def register_cleanup(self, given: RegisterCleanup, request: Request) -> Response:
        """Register a cleanup as a task; the same module and type again updates it."""
        names = (given.module_id, given.cleanup_type)
        registered = await self._scheduler.register_cleanup_task(*names, given.config)
        return answer(registered, 201, made_at(request, registered, "cleanup_id"))

    async def run_cleanups(self, which: RunCleanups | None = None) -> Response:
        """Run all enabled cleanups, or those of one type or module, now."""
        which = which or RunCleanups()
        run = self._scheduler.run_cleanup(which.cleanup_type, which.dry_run, module_id=which.module_id)
        return answer(await run)

    async def freeze_cleanups(self, why: Pause | None = None) -> Response:
        """Let nothing delete, on any node, until it is undone; dry runs go on."""
        return answer(await self._scheduler.freeze_cleanups(None if why is None else why.reason))

    async def unfreeze_cleanups(self) -> Response:
        """Let cleanups delete again."""
        return answer(await self._scheduler.unfreeze_cleanups())

    async def list_reports(self, limit: Limit = 20, cursor: Cursor = None) -> Response:
        """List the reports of all cleanups by pages, newest first."""
        return answer(await self._scheduler.cleanup_reports(limit=limit, cursor=cursor))

    async def cleanup_compliance(self) -> Response:
        """Return what was seen the last time somebody looked whether anything is older than it may be."""
        return answer((await self._scheduler.cleanup_compliance(look=False)).map(lambda seen: {"cleanups": seen}))

    async def check_compliance(self) -> Response:
        """Look now whether anything is older than it may be."""
        return answer((await self._scheduler.cleanup_compliance()).map(lambda seen: {"cleanups": seen}))

    async def get_cleanup(self, cleanup_id: CleanupId) -> Response:
        """Return a cleanup."""
        return answer(await self._scheduler.get_cleanup(cleanup_id))

    async def update_cleanup(self, cleanup_id: CleanupId, changes: Changes) -> Response:
        """Change fields of a cleanup, and return it."""
        return answer(await self._scheduler.update_cleanup(cleanup_id, changes))

    async def remove_cleanup(self, cleanup_id: CleanupId) -> Response:
        """Remove a cleanup; its reports stay."""
        return answer(await self._scheduler.remove_cleanup(cleanup_id))

    async def run_cleanup(self, cleanup_id: CleanupId, how: RunCleanup | None = None) -> Response:
        """Run a cleanup now, or in a dry run count what it would take."""
        dry_run = how is not None and how.dry_run
        return answer(await self._scheduler.run_one_cleanup(cleanup_id, dry_run=dry_run))

    async def list_reports_of_cleanup(
        self, cleanup_id: CleanupId, limit: Limit = 20, cursor: Cursor = None
    ) -> Response:
        """List the reports of a cleanup by pages, newest first, also of one that was removed."""
        return answer(await self._scheduler.cleanup_reports(cleanup_id, limit=limit, cursor=cursor))

    async def cleanup_trend(self, cleanup_id: CleanupId, days: Days = 30) -> Response:
        """Return what the runs of a cleanup came to on each of the last days."""
        return answer(await self._scheduler.cleanup_trend(cleanup_id, days))
