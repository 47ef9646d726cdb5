"""A module that declares what a test wants, and applications that start with it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from framework import AppContext, Module
from modules.core.scheduler import SchedulerService

Started = Callable[..., AbstractAsyncContextManager[AppContext]]


class Declaring(Module):
    """Declares what a test wants, and in phase two registers what it wants there."""

    id = "acme.declaring"
    requires = ("core.scheduler",)

    def __init__(self, declare: Callable[[AppContext], None], start: Callable[[Any], Any] | None = None) -> None:
        self._declare, self._start = declare, start

    def register(self, app_context: AppContext) -> None:
        self._declare(app_context)

    @asynccontextmanager
    async def lifespan(self, app_context: AppContext) -> AsyncIterator[None]:
        if self._start is not None:
            await self._start(app_context.get_service(SchedulerService))
        yield


async def tasks_of(app_context: AppContext, module_id: str) -> list[dict[str, Any]]:
    listed = await app_context.get_service(SchedulerService).list_tasks(module_id=module_id)
    return sorted(listed.unwrap()["tasks"], key=lambda task: str(task["name"]))
