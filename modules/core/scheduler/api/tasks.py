"""Tasks over HTTP: listed, scheduled, changed, paused, run."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

from fastapi import Body, Query
from starlette.requests import Request
from starlette.responses import Response

from framework.caller import Scope
from framework.result import Result
from framework.web.paths import Paths
from modules.core.scheduler.api.given import (
    Batch,
    Changes,
    Config,
    Cursor,
    Limit,
    ModuleId,
    Pause,
    TaskId,
)
from modules.core.scheduler.api.remembered import Remembered
from modules.core.scheduler.api.revisions import AS_SEEN, TAG_TOLD, tagged
from modules.core.scheduler.api.shapes import Begun, Scheduled, ScheduledBatch, Task, TaskPage, Told
from modules.core.scheduler.api.statuses import LOCATION, answer, made_at
from modules.core.scheduler.service import SchedulerService
from modules.core.scheduler.task_texts import TaskTexts

NOT_FOUND, INVALID = "TASK_NOT_FOUND", "INVALID_CONFIG"
NOT_ALLOWED = "FUNCTION_NOT_ALLOWED"
STATE, CORRUPT, CHANGED = "INVALID_STATE", "CORRUPT_DEFINITION", "PRECONDITION_FAILED"


class TaskRoutes:
    """The routes of tasks."""

    def __init__(self, scheduler: SchedulerService, texts: TaskTexts, remembered: Remembered) -> None:
        self._scheduler, self._texts = scheduler, texts
        self._remembered = remembered

    def add_to(self, paths: Paths) -> None:
        """Add them."""
        one = "/tasks/{task_id}"
        paths.add("GET", "/tasks", self.list_tasks, TaskPage, Scope.READ, "INVALID_LIMIT", "INVALID_CURSOR")
        refusals: tuple[str, ...] = (INVALID, "ALREADY_EXISTS", NOT_ALLOWED, "TOO_MANY_TASKS")
        new: dict[str, Any] = {"status": 201, "headers": LOCATION}
        paths.add("POST", "/tasks", self.schedule_task, Scheduled, Scope.SCHEDULE, *refusals, **new)
        paths.add("POST", "/tasks/batch", self.schedule_tasks, ScheduledBatch, Scope.SCHEDULE, *refusals, status=201)
        paths.add("GET", one, self.get_task, Task, Scope.READ, NOT_FOUND, headers=TAG_TOLD)
        self._add_changes(paths, one)

    def _add_changes(self, paths: Paths, one: str) -> None:
        """Add what changes a task, and can be asked for as it was seen."""
        refusals = (NOT_FOUND, CHANGED, STATE, CORRUPT)
        seen: dict[str, Any] = {"needs": AS_SEEN, "headers": TAG_TOLD}
        paths.add("PATCH", one, self.update_task, Task, Scope.SCHEDULE, *refusals, INVALID, NOT_ALLOWED, **seen)
        paths.add("DELETE", one, self.cancel_task, Told, Scope.OPERATE, *refusals, needs=AS_SEEN)
        paths.add("POST", f"{one}/pause", self.pause_task, Told, Scope.OPERATE, *refusals, **seen)
        paths.add("POST", f"{one}/resume", self.resume_task, Told, Scope.OPERATE, *refusals, **seen)
        run = (Begun, Scope.OPERATE, *refusals, "OVERLAP", "QUEUE_FULL")
        paths.add("POST", f"{one}/execute", self.execute_task, *run, status=202, needs=AS_SEEN)

    async def list_tasks(
        self,
        status: Annotated[str | None, Query(description="Only those that are shown with this status.")] = None,
        module_id: ModuleId = None,
        function_name: Annotated[str | None, Query(description="Only those of this function.")] = None,
        recurring: Annotated[bool | None, Query(description="Only those that may run more than once, or not.")] = None,
        tag: Annotated[str | None, Query(description="Only those with this tag.")] = None,
        trigger: Annotated[
            str | None, Query(description="Only those with a trigger of this type, such as `cron`, or one in it.")
        ] = None,
        search: Annotated[str | None, Query(description="Only those with this text in name or description.")] = None,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> Response:
        """List tasks by pages, newest first."""
        filters: dict[str, Any] = {"status": status, "module_id": module_id, "function_name": function_name}
        filters |= {"recurring": recurring, "tag": tag, "trigger": trigger, "search": search}
        ask = partial(self._ask, filters, limit, cursor)
        return await self._remembered.answer(("tasks", *filters.values(), limit, cursor), ask)

    async def _ask(self, filters: dict[str, Any], limit: int, cursor: str | None) -> Result[Any]:
        page = await self._texts.page(filters, limit, cursor)
        return await self._scheduler.list_tasks(**filters, limit=limit, cursor=cursor) if page is None else page

    async def schedule_task(self, config: Annotated[Config, Body()], request: Request) -> Response:
        """Schedule a task; the same key again is the same task."""
        scheduled = await self._scheduler.schedule_task(config)
        return answer(scheduled.map(_as_scheduled), 201, made_at(request, scheduled, "task_id"))

    async def schedule_tasks(self, batch: Batch) -> Response:
        """Schedule tasks, all or none; a refusal says at which `index`."""
        scheduled = await self._scheduler.schedule_tasks(batch.tasks)
        return answer(scheduled.map(lambda tasks: {"tasks": [_as_scheduled(each) for each in tasks]}), 201)

    async def get_task(self, task_id: TaskId) -> Response:
        """Return a task; its `ETag` changes when somebody changes it, and not when it runs."""
        found = await self._scheduler.get_task(task_id)
        return answer(found, headers=_tag(found))

    async def update_task(self, task_id: TaskId, changes: Changes) -> Response:
        """Change fields of a task and return it; an occurrence that is already due is not lost."""
        changed = await self._scheduler.update_task(task_id, changes)
        return answer(changed, headers=_tag(changed))

    async def cancel_task(
        self,
        task_id: TaskId,
        cancel_running: Annotated[bool, Query(description="Also ask what runs to stop.")] = False,
    ) -> Response:
        """End a task for good; its history stays."""
        cancelled = await self._scheduler.cancel_task(task_id, cancel_running=cancel_running)
        return answer(cancelled.map(lambda task: {"task_id": task["id"], "status": "cancelled"}))

    async def pause_task(self, task_id: TaskId, why: Pause | None = None) -> Response:
        """Hold a task's occurrences, pending executions and retries; what runs finishes."""
        paused = await self._scheduler.pause_task(task_id, None if why is None else why.reason)
        return answer(paused.map(lambda task: {"task_id": task["id"], "status": "paused"}), headers=_tag(paused))

    async def resume_task(self, task_id: TaskId) -> Response:
        """Let a paused task go on from now."""
        resumed = await self._scheduler.resume_task(task_id)
        return answer(resumed.map(lambda task: {"task_id": task["id"], "status": "resumed"}), headers=_tag(resumed))

    async def execute_task(
        self,
        task_id: TaskId,
        force: Annotated[bool, Query(description="Also where its overlap policy would leave it out or wait.")] = False,
    ) -> Response:
        """Run a task now, beside its schedule."""
        return answer(await self._scheduler.execute_task(task_id, force=force), 202)


def _tag(found: Result[dict[str, Any]]) -> dict[str, str] | None:
    return tagged(found.data) if found else None


def _as_scheduled(task: dict[str, Any]) -> dict[str, Any]:
    return {**task, "status": "scheduled"}
