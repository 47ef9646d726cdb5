"""At a glance, over HTTP: the overview, failures, what ran lately, and how many there are."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Query
from pydantic import AwareDatetime
from starlette.responses import Response

from framework.caller import Scope
from framework.web.paths import Paths
from modules.core.scheduler.api.executions import Since, State, Until
from modules.core.scheduler.api.given import ExecutionId, Ignore, ModuleId, RunsOf
from modules.core.scheduler.api.live import Reach
from modules.core.scheduler.api.shapes_overview import (
    Attempts,
    Counted,
    Failures,
    Ignored,
    Overview,
    Runs,
    TasksThatRan,
)
from modules.core.scheduler.api.statuses import answer
from modules.core.scheduler.service import SchedulerService

FailureId = Annotated[str, Path(description="The id of a failure.")]
OfTask = Annotated[str | None, Query(description="Only those of this task.")]
LastOnly = Annotated[bool, Query(description="Only the last attempt of each occurrence.")]
RanSince = Annotated[AwareDatetime, Query(description="From this moment on; ISO 8601 with an offset.")]


class OverviewRoutes:
    """The routes that tell how it stands."""

    def __init__(self, scheduler: SchedulerService) -> None:
        self._scheduler = scheduler

    def add_to(self, paths: Paths) -> None:
        """Add them."""
        attempts, count = "/executions/{execution_id}/attempts", "/counts/executions"
        paths.add("GET", "/overview", self.overview, Overview, Scope.READ)
        paths.add("GET", "/failures", self.failures, Failures, Scope.READ, "INVALID_WINDOW")
        ignore = "/failures/{failure_id}/ignore"
        paths.add("POST", ignore, self.ignore_failure, Ignored, Scope.OPERATE, "INVALID_CONFIG")
        paths.add("GET", "/runs/tasks", self.tasks_that_ran, TasksThatRan, Scope.READ)
        paths.add("POST", "/runs", self.runs, Runs, Scope.READ)
        paths.add("GET", attempts, self.attempts, Attempts, Scope.READ, "EXECUTION_NOT_FOUND")
        paths.add("GET", count, self.count_executions, Counted, Scope.READ, "TASK_NOT_FOUND", "INVALID_CONFIG")

    async def overview(self) -> Response:
        """Return whether somebody has to do something: a verdict, bounded counts, and what needs attention."""
        return answer(await self._scheduler.overview())

    async def failures(self, window: Reach = "24h") -> Response:
        """Return what failed lately, of each task what says the same as one, those with the most first."""
        return answer(await self._scheduler.failures(window))

    async def ignore_failure(self, failure_id: FailureId, ignore: Ignore) -> Response:
        """Hide a failure until it has happened after a moment, or show it again."""
        return answer(await self._scheduler.ignore_failures(failure_id, ignore.until))

    async def tasks_that_ran(self, since: RanSince) -> Response:
        """Return the tasks that run now, or are of the last 1,000 runs that ended since a moment."""
        return answer(await self._scheduler.ran_since(since))

    async def runs(self, of: RunsOf) -> Response:
        """Return what some tasks ran since a moment."""
        return answer((await self._scheduler.runs_since(of.task_ids, of.since)).map(lambda runs: {"runs": runs}))

    async def attempts(self, execution_id: ExecutionId) -> Response:
        """Return the attempts of an execution's occurrence, the first one first."""
        return answer((await self._scheduler.attempts_of(execution_id)).map(lambda each: {"attempts": each}))

    async def count_executions(
        self,
        task: OfTask = None,
        state: State = None,
        since: Since = None,
        until: Until = None,
        module_id: ModuleId = None,
        last_only: LastOnly = False,  # a parameter of the query
    ) -> Response:
        """Count executions, no further than 10,000, and where few of many fit, among the newest 10,000."""
        counted = await self._scheduler.count_executions(
            task, state=state, since=since, until=until, module_id=module_id, last_only=last_only
        )
        return answer(counted)
