"""What is going on, over HTTP: status, versions, functions, the audit."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Body, Path, Query
from starlette.responses import Response

from framework.caller import Scope
from framework.result import Result
from framework.web.paths import Paths
from modules.core.scheduler.api.given import Cursor, Limit
from modules.core.scheduler.api.shapes import Functions
from modules.core.scheduler.api.shapes_operating import Alerts, AuditPage, Info, Operations, Performed, Status
from modules.core.scheduler.api.statuses import answer
from modules.core.scheduler.service import SchedulerService

OperationName = Annotated[str, Path(description="The name of an operation, such as `scheduler.list_tasks`.")]
Parameters = Annotated[dict[str, Any], Body(description="What the operation's schema asks for.")]
OF_OPERATIONS = (
    *("UNKNOWN_OPERATION", "TASK_NOT_FOUND", "CLEANUP_NOT_FOUND", "INVALID_STATE", "ALREADY_EXISTS", "OVERLAP"),
    *("QUEUE_FULL", "TOO_MANY_TASKS", "CORRUPT_DEFINITION", "CLEANUPS_FROZEN", "CLEANUPS_READ_ONLY", "CLEANUP_FAILED"),
    *("INVALID_CONFIG", "INVALID_LIMIT", "INVALID_CURSOR", "FUNCTION_NOT_ALLOWED", "FUNCTION_NOT_FOUND"),
)


class AboutRoutes:
    """The routes that say what is going on."""

    def __init__(self, scheduler: SchedulerService) -> None:
        self._scheduler = scheduler

    def add_to(self, paths: Paths) -> None:
        """Add them."""
        paths.add("GET", "/status", self.get_status, Status, Scope.READ)
        paths.add("GET", "/info", self.get_info, Info, Scope.READ)
        paths.add("GET", "/functions", self.list_functions, Functions, Scope.READ)
        paths.add("GET", "/operations", self.list_operations, Operations, Scope.READ)
        performed = (Performed, Scope.READ, *OF_OPERATIONS)  # each needs a scope of its own besides
        paths.add("POST", "/operations/{name}", self.perform_operation, *performed)
        paths.add("GET", "/alerts", self.list_alerts, Alerts, Scope.READ)
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

    async def list_operations(self) -> Response:
        """List the operations that can be called by name, with the schemas of their parameters."""
        return answer(Result.success({"operations": self._scheduler.operations()}))

    async def perform_operation(self, name: OperationName, parameters: Parameters) -> Response:
        """Call an operation by its name, with its parameters as the body."""
        return answer((await self._scheduler.perform(name, parameters)).map(lambda data: {"data": data}))

    async def list_alerts(self) -> Response:
        """List the rules by which alerts are sent, each with what it has gathered and what it is sending."""
        return answer((await self._scheduler.list_alerts()).map(lambda alerts: {"alerts": alerts}))

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
