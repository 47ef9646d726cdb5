"""Executions over HTTP: the history, one execution, and what can be asked of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Annotated, Any

from fastapi import Query
from starlette.responses import Response

from framework.caller import Scope, caller
from framework.result import Result
from framework.web.paths import Paths
from modules.core.scheduler.api.given import Cursor, ExecutionId, Limit, Retry, TaskId
from modules.core.scheduler.api.remembered import Remembered
from modules.core.scheduler.api.shapes import Begun, Execution, ExecutionPage, Retried
from modules.core.scheduler.api.statuses import answer
from modules.core.scheduler.service import SchedulerService

NOT_FOUND, STATE = "EXECUTION_NOT_FOUND", "INVALID_STATE"
PAGES = ("INVALID_LIMIT", "INVALID_CURSOR")

State = Annotated[str | None, Query(description="Only those in this state.")]
Since = Annotated[str | None, Query(description="Only those that ended at this moment or later; ISO 8601.")]
Until = Annotated[str | None, Query(description="Only those that ended before this moment; ISO 8601.")]


class ExecutionRoutes:
    """The routes of executions."""

    def __init__(self, scheduler: SchedulerService, remembered: Remembered) -> None:
        self._scheduler = scheduler
        self._remembered = remembered

    def add_to(self, paths: Paths) -> None:
        """Add them."""
        one = "/executions/{execution_id}"
        history = "/tasks/{task_id}/executions"
        paths.add("GET", history, self.list_executions_of_task, ExecutionPage, Scope.READ, "TASK_NOT_FOUND", *PAGES)
        paths.add("GET", "/executions", self.list_executions, ExecutionPage, Scope.READ, "INVALID_CONFIG", *PAGES)
        paths.add("GET", one, self.get_execution, Execution, Scope.READ, NOT_FOUND)
        paths.add("POST", f"{one}/cancel", self.cancel_execution, Execution, Scope.OPERATE, NOT_FOUND, STATE)
        paths.add("POST", "/executions/retry", self.retry_executions, Retried, Scope.OPERATE, "INVALID_LIMIT")
        refusals = (NOT_FOUND, STATE, "OVERLAP", "CORRUPT_DEFINITION")
        paths.add("POST", f"{one}/retry", self.retry_execution, Begun, Scope.OPERATE, *refusals, status=202)

    async def list_executions_of_task(
        self, task_id: TaskId, state: State = None, limit: Limit = 50, cursor: Cursor = None
    ) -> Response:
        """List a task's executions by pages, newest occurrence first."""
        ask = partial(self._scheduler.get_executions, task_id, state=state, limit=limit, cursor=cursor)
        return await self._page(("executions", task_id, state, limit, cursor), ask)

    async def list_executions(
        self,
        state: State = None,
        since: Since = None,
        until: Until = None,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> Response:
        """List the executions of all tasks by pages, newest first."""
        ask = partial(self._scheduler.get_executions, state=state, since=since, until=until, limit=limit, cursor=cursor)
        return await self._page(("all executions", state, since, until, limit, cursor), ask)

    async def get_execution(self, execution_id: ExecutionId) -> Response:
        """Return an execution."""
        found = await self._scheduler.get_execution(execution_id)
        return answer(found if caller().may(Scope.OPERATE) else found.map(_without_traceback))

    async def cancel_execution(self, execution_id: ExecutionId) -> Response:
        """End an execution: a pending one at once, a running one by asking its function to stop."""
        return answer(await self._scheduler.cancel_execution(execution_id))

    async def retry_execution(self, execution_id: ExecutionId) -> Response:
        """Run an occurrence that failed once more: a further attempt of it, with all its retries."""
        return answer(await self._scheduler.retry_execution(execution_id), 202)

    async def retry_executions(self, which: Retry) -> Response:
        """Run many occurrences that failed once more, each as for itself; the answer has those that were refused."""
        return answer(await self._scheduler.retry_executions(which.execution_ids))

    async def _page(self, asked: tuple[Any, ...], ask: Callable[[], Awaitable[Result[Any]]]) -> Response:
        if caller().may(Scope.OPERATE):
            return await self._remembered.answer((*asked, Scope.OPERATE), ask)

        async def ask_without() -> Result[Any]:
            return (await ask()).map(_page_without_tracebacks)

        return await self._remembered.answer(asked, ask_without)


def _page_without_tracebacks(page: Mapping[str, Any]) -> dict[str, Any]:
    return {**page, "executions": [_without_traceback(each) for each in page["executions"]]}


def _without_traceback(execution: Mapping[str, Any]) -> dict[str, Any]:
    """Return an execution as who may not operate sees it: a traceback shows code and paths of the machine."""
    return {**execution, "traceback": None}
