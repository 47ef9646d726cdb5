"""What is going on, over HTTP: status, versions, functions, the audit."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from starlette.responses import Response

from framework.caller import Scope
from framework.web.paths import Paths
from modules.core.scheduler.api.given import Cursor, Limit
from modules.core.scheduler.api.shapes import Functions
from modules.core.scheduler.api.shapes_operating import AuditPage, Info, Status
from modules.core.scheduler.api.statuses import answer
from modules.core.scheduler.service import SchedulerService


class AboutRoutes:
    """The routes that say what is going on."""

    def __init__(self, scheduler: SchedulerService) -> None:
        self._scheduler = scheduler

    def add_to(self, paths: Paths) -> None:
        """Add them."""
        paths.add("GET", "/status", self.get_status, Status, Scope.READ)
        paths.add("GET", "/info", self.get_info, Info, Scope.READ)
        paths.add("GET", "/functions", self.list_functions, Functions, Scope.READ)
        refusals = ("INVALID_CONFIG", "INVALID_LIMIT", "INVALID_CURSOR")
        paths.add("GET", "/audit", self.list_audit, AuditPage, Scope.ADMIN, *refusals)

    async def get_status(self) -> Response:
        """Return what the scheduler is doing."""
        return answer(await self._scheduler.status())

    async def get_info(self) -> Response:
        """Return what answers here: versions, zone, modules."""
        return answer(await self._scheduler.info())

    async def list_functions(self) -> Response:
        """List the functions that tasks may run, with the schemas of their parameters."""
        return answer((await self._scheduler.list_functions()).map(lambda functions: {"functions": functions}))

    async def list_audit(
        self,
        actor: Annotated[str | None, Query(description="Only what this one did.")] = None,
        action: Annotated[str | None, Query(description="Only what was done in this word.")] = None,
        kind: Annotated[str | None, Query(description="Only what was done to this kind of thing.")] = None,
        target: Annotated[str | None, Query(description="Only what was done to the thing with this id.")] = None,
        since: Annotated[str | None, Query(description="Only what was done at this moment or later; ISO 8601.")] = None,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> Response:
        """List by pages, newest first, what operators have changed: who, what, before and after."""
        asked = {"actor": actor, "action": action, "kind": kind, "target": target, "since": since}
        return answer(await self._scheduler.list_audit(**asked, limit=limit, cursor=cursor))
