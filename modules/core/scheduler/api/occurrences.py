"""Single occurrences over HTTP: those of the past run, the next left out or moved, a task given an end."""

from __future__ import annotations

from starlette.responses import Response

from framework.caller import Scope
from framework.web.paths import Paths
from modules.core.scheduler.api.given import Backfill, RunUntil, ShiftNext, SkipNext, TaskId
from modules.core.scheduler.api.revisions import AS_SEEN
from modules.core.scheduler.api.shapes_ahead import Backfilled, Bounded, Shifted, Skipped
from modules.core.scheduler.api.statuses import answer
from modules.core.scheduler.service import SchedulerService

REFUSALS = ("TASK_NOT_FOUND", "PRECONDITION_FAILED", "INVALID_CONFIG", "INVALID_STATE", "CORRUPT_DEFINITION")


class OccurrenceRoutes:
    """The routes of occurrences by hand."""

    def __init__(self, scheduler: SchedulerService) -> None:
        self._scheduler = scheduler

    def add_to(self, paths: Paths) -> None:
        """Add them."""
        one = "/tasks/{task_id}"
        backfill = ("POST", f"{one}/backfill", self.backfill, Backfilled, Scope.OPERATE)
        paths.add(*backfill, *REFUSALS, "TOO_MANY", status=202, needs=AS_SEEN)
        paths.add("POST", f"{one}/skip-next", self.skip_next, Skipped, Scope.OPERATE, *REFUSALS, needs=AS_SEEN)
        paths.add("POST", f"{one}/shift-next", self.shift_next, Shifted, Scope.OPERATE, *REFUSALS, needs=AS_SEEN)
        paths.add("POST", f"{one}/run-until", self.run_until, Bounded, Scope.SCHEDULE, *REFUSALS, needs=AS_SEEN)

    async def backfill(self, task_id: TaskId, which: Backfill) -> Response:
        """Run the occurrences of a time that has passed, of which there is no attempt, oldest first."""
        order = self._scheduler.backfill(task_id, which.start, which.end, dry_run=which.dry_run)
        return answer(await order, 202)

    async def skip_next(self, task_id: TaskId, which: SkipNext | None = None) -> Response:
        """Leave out the next occurrence."""
        which = which or SkipNext()
        return answer(await self._scheduler.skip_next(task_id, which.scheduled_for, which.reason))

    async def shift_next(self, task_id: TaskId, which: ShiftNext) -> Response:
        """Start the next occurrence at another time; the following ones stay where they are."""
        return answer(await self._scheduler.shift_next(task_id, which.to, which.scheduled_for))

    async def run_until(self, task_id: TaskId, end: RunUntil) -> Response:
        """Let a recurring task run until a moment, which counts."""
        return answer(await self._scheduler.run_until(task_id, end.until))
