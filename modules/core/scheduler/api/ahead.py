"""What lies ahead, and why, over HTTP: previews, forecasts, findings, explanations, plans of what is declared."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from starlette.responses import Response

from framework.caller import Scope
from framework.result import Result
from framework.web.paths import Paths
from modules.core.scheduler.api.given import Apply, Count, ExecutionId, Import, ModuleId, Preview, TaskId, WhatIf
from modules.core.scheduler.api.shapes_ahead import (
    Differences,
    ExecutionExplanation,
    Export,
    Findings,
    Forecast,
    Plan,
    TaskExplanation,
    TaskTimes,
    Times,
)
from modules.core.scheduler.api.statuses import answer
from modules.core.scheduler.service import SchedulerService

OF_OUTSIDE = ("FUNCTION_NOT_ALLOWED", "TOO_MANY_TASKS")
INVALID = "INVALID_CONFIG"


class AheadRoutes:
    """The routes that look ahead, or back."""

    def __init__(self, scheduler: SchedulerService) -> None:
        self._scheduler = scheduler

    def add_to(self, paths: Paths) -> None:
        """Add them."""
        task, execution = "/tasks/{task_id}", "/executions/{execution_id}"
        paths.add("POST", "/preview", self.preview, Times, Scope.READ, INVALID, "INVALID_TRIGGER")
        refusals: tuple[str, ...] = ("TASK_NOT_FOUND", "CORRUPT_DEFINITION")
        paths.add("GET", f"{task}/preview", self.preview_task, TaskTimes, Scope.READ, *refusals)
        refusals = ("TASK_NOT_FOUND", "INVALID_MOMENT")
        paths.add("GET", f"{task}/explain", self.explain_task, TaskExplanation, Scope.READ, *refusals)
        explained = (ExecutionExplanation, Scope.READ, "EXECUTION_NOT_FOUND")
        paths.add("GET", f"{execution}/explain", self.explain_execution, *explained)
        paths.add("GET", "/forecast", self.forecast, Forecast, Scope.READ, INVALID)
        refusals = (INVALID, "INVALID_TRIGGER", "TASK_NOT_FOUND", "CORRUPT_DEFINITION")
        paths.add("POST", "/forecast", self.forecast_if, Forecast, Scope.READ, *refusals)
        paths.add("GET", "/lint", self.lint, Findings, Scope.READ)
        paths.add("GET", "/plan", self.plan_declared, Plan, Scope.READ)
        paths.add("POST", "/apply", self.apply_declared, Plan, Scope.ADMIN, "PLAN_CHANGED", INVALID)
        paths.add("GET", "/export", self.export_tasks, Export, Scope.READ, "CORRUPT_DEFINITION")
        refusals = (INVALID, "ALREADY_EXISTS", "INVALID_STATE", "CORRUPT_DEFINITION", *OF_OUTSIDE)
        paths.add("POST", "/import", self.import_tasks, Differences, Scope.ADMIN, *refusals)

    async def preview(self, what: Preview) -> Response:
        """Return the next times of a trigger, a cron expression or a config; nothing is stored."""
        if (what.trigger is None) == (what.config is None):
            problems = [{"field": "trigger", "message": "give a trigger or a config, and not both"}]
            return answer(Result.error(INVALID, "give a trigger or a config, and not both", {"problems": problems}))
        wanted = what.config if what.trigger is None else what.trigger
        return answer((await self._scheduler.preview(wanted or {}, what.count)).map(lambda times: {"times": times}))

    async def preview_task(self, task_id: TaskId, count: Count = 5) -> Response:
        """Return when a task will run."""
        return answer(await self._scheduler.preview_task(task_id, count))

    async def explain_task(
        self,
        task_id: TaskId,
        at: Annotated[str | None, Query(description="A moment, ISO 8601, read in the task's zone.")] = None,
    ) -> Response:
        """Say why a task runs, waits or does not run; with `at`, why it did or did not then, or whether it will."""
        return answer(await self._scheduler.explain(task_id, at=at))

    async def explain_execution(self, execution_id: ExecutionId) -> Response:
        """Say what an execution waits for, how it came out, or why it did not run."""
        return answer(await self._scheduler.explain_execution(execution_id))

    async def forecast(
        self,
        hours: Annotated[float, Query(description="How far to look.")] = 24,
        limit: Annotated[int, Query(description="How many occurrences are listed.", ge=1, le=10_000)] = 500,
    ) -> Response:
        """Play what comes within the next hours on the slots of the nodes that live."""
        return answer(await self._scheduler.forecast(hours, limit=limit))

    async def forecast_if(self, what: WhatIf) -> Response:
        """Play the same with changes supposed; nothing is stored."""
        return answer(await self._scheduler.forecast(what.hours, what_if=what.what_if, limit=what.limit))

    async def lint(self) -> Response:
        """Return what about the pending tasks will surprise somebody."""
        return answer(await self._scheduler.lint())

    async def plan_declared(self) -> Response:
        """Return what applying the declared tasks and cleanups would do now."""
        return answer(await self._scheduler.plan_declared())

    async def apply_declared(self, which: Apply | None = None) -> Response:
        """Apply the declared tasks and cleanups, in one transaction."""
        return answer(await self._scheduler.apply_declared(None if which is None else which.seen))

    async def export_tasks(
        self,
        module_id: ModuleId = None,
        owner: Annotated[str | None, Query(description="Only what is owned by `code`, or `runtime`.")] = None,
    ) -> Response:
        """Return the pending and paused tasks, and the cleanups, as configs; secret parameters are `***`."""
        return answer(await self._scheduler.export_tasks(module_id=module_id, owner=owner))

    async def import_tasks(self, given: Import) -> Response:
        """Store tasks and cleanups in one transaction, all or none."""
        return answer(await self._scheduler.import_tasks(given.tasks, given.cleanups, dry_run=given.dry_run))
