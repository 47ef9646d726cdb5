"""Carrying out a call in another process: the function is imported, given its context, and whatever it does is told."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
from collections.abc import Awaitable, Callable
from typing import Any, NoReturn

from framework import strict_json
from framework.clock import SystemClock
from framework.loader import find_in_module
from modules.core.scheduler.execution import (
    DoNotRetry,
    ExecutionContext,
    Outcome,
    Progress,
    State,
    outcome_of_exception,
    outcome_of_value,
)
from modules.core.scheduler.executors.call import Call
from modules.core.scheduler.functions import FunctionRegistry, RegisteredFunction

PROGRESS_SECONDS = 0.2  # a function may tell its progress a million times


class AppContextMissing(DoNotRetry):
    """A function asked for the app context in a process that has none."""


class NoAppContext:
    """Stands where the app context is in the process of the application, and says so when it is used."""

    def __getattr__(self, name: str) -> NoReturn:
        raise AppContextMissing(
            f"app_context.{name} is not available: this function runs in a process of its own, without the "
            "application's services; open there what it needs, or use executor='thread'"
        )


class RemoteContext(ExecutionContext):
    """The execution as its function sees it in another process; `tell` receives progress now and then."""

    def __init__(self, call: Call, tell: Callable[[Progress], None]) -> None:
        nothing: Any = NoAppContext()
        super().__init__(**call.context_fields(), app_context=nothing)
        self._tell = tell
        self._clock = SystemClock()
        self._told_at = -PROGRESS_SECONDS
        self._interrupt: Callable[[], object] | None = None

    def progress(self, done: float, total: float | None = None, message: str = "") -> None:
        """Tell how far the function is; what is told too often arrives with the outcome."""
        super().progress(done, total, message)
        moment, latest = self._clock.monotonic(), self.latest_progress
        if latest is not None and moment - self._told_at >= PROGRESS_SECONDS:
            self._told_at = moment
            self._tell(latest)

    def cancel(self) -> None:
        """Ask the function to stop: a coroutine is cancelled as well."""
        super().cancel()
        if self._interrupt is not None:
            with contextlib.suppress(RuntimeError):  # its loop has ended meanwhile
                self._interrupt()

    def finish(self, awaitable: Awaitable[Any]) -> Any:
        """Run an awaitable to its end on a loop of its own, and return its value."""

        async def main() -> Any:
            task = asyncio.ensure_future(awaitable)
            cancelling = iter([task.cancel])  # once: a second time would cut off its cleaning up

            def cancel_once() -> None:
                for cancel in cancelling:
                    cancel()

            loop = asyncio.get_running_loop()
            self._interrupt = lambda: loop.call_soon_threadsafe(cancel_once)
            if self.cancelled:
                cancel_once()
            return await task

        return asyncio.run(main())


def carry_out(call: Call, context: RemoteContext) -> Outcome:
    """Call the function and return how it came out; nothing that it raises escapes."""
    if context.cancelled:
        return stopped()
    try:
        value = _registered(call).call(strict_json.loads(call.parameters), context)
        return outcome_of_value(context.finish(value) if inspect.isawaitable(value) else value)
    except asyncio.CancelledError as error:
        return _of_cancelled(error, context)
    except BaseException as error:  # noqa: BLE001  # the boundary: whatever foreign code raises is its own failure
        return outcome_of_exception(error)


def _of_cancelled(error: asyncio.CancelledError, context: ExecutionContext) -> Outcome:
    return stopped() if context.cancelled else outcome_of_exception(error)


def stopped() -> Outcome:
    """Return the outcome of what stopped because it was asked to."""
    return Outcome(State.CANCELLED, error="stopped when asked to", retry=False)


def _registered(call: Call) -> RegisteredFunction:
    """The function with its parameters understood, as the registry of the application has it."""
    registry = FunctionRegistry()
    names = call.context["module_id"], call.context["function_name"]
    function = find_in_module(call.address.module, call.address.qualified_name)
    registry.register(*names, function, secret=call.secret)
    return next(iter(registry))
