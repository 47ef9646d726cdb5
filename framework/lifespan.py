"""One module's phase two in a task of its own, so that what it enters and what it leaves is the same task."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable

from framework.clock import Clock
from framework.context import AppContext, context_of
from framework.errors import InvalidModule
from framework.module import Module
from framework.time_limit import finishes_within


class Lifespan:
    """Enters a module's lifespan, holds it open, leaves it; `on_failure` is told what it raises after it yielded."""

    def __init__(
        self, module: Module, app_context: AppContext, on_failure: Callable[[Module, BaseException], None]
    ) -> None:
        self.module = module
        self._app_context = app_context
        self._on_failure = on_failure
        self._yielded = False
        self._entered_or_ended = asyncio.Event()
        self._leave = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def holds(self) -> bool:
        """Whether the module is between its start and its stop."""
        return self._yielded and self._task is not None and not self._task.done()

    async def enter(self) -> None:
        """Start the module; raises what its lifespan raised before it yielded."""
        name = f"module {self.module.id}"
        self._task = asyncio.create_task(self._run(), name=name, context=context_of(self.module.id))
        self._task.add_done_callback(self._ended)
        await self._entered_or_ended.wait()
        if not self._yielded:
            raise _failure(self._task) or InvalidModule(f"the lifespan of module {self.module.id!r} did not yield")

    async def leave(self, clock: Clock, seconds: float) -> bool:
        """Stop the module; False when it did not stop in time, and was cancelled and left behind."""
        if self._task is None:
            return True
        if not self._yielded:
            self._task.cancel()
        self._leave.set()
        if await finishes_within(self._task, clock, seconds):
            return True
        self._task.cancel()
        await clock.sleep(0)
        return False

    async def _run(self) -> None:
        phase_two = self.module.lifespan(self._app_context)
        _refuse_bare_function(phase_two, self.module.id)
        async with phase_two:
            self._yielded = True
            self._entered_or_ended.set()
            await self._leave.wait()

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._entered_or_ended.set()
        failure = _failure(task)
        if self._yielded and failure is not None:
            self._on_failure(self.module, failure)


def _failure(task: asyncio.Task[None]) -> BaseException | None:
    return RuntimeError("its task was cancelled") if task.cancelled() else task.exception()


def _refuse_bare_function(phase_two: object, module_id: str) -> None:
    if inspect.iscoroutine(phase_two):
        phase_two.close()
    if not hasattr(phase_two, "__aenter__"):
        raise InvalidModule(f"decorate the lifespan of module {module_id!r} with contextlib.asynccontextmanager")
