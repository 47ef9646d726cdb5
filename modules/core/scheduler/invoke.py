"""Carrying a function out: coroutines on the loop, plain functions in a thread of their own."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import inspect
import threading
from collections.abc import Callable
from typing import Any

from modules.core.scheduler.execution import ExecutionContext
from modules.core.scheduler.functions import RegisteredFunction


async def invoke(function: RegisteredFunction, parameters: object, context: ExecutionContext) -> Any:
    """Run the function and return its value, or raise what it raises.

    A plain function runs in a daemon thread with the caller's context variables; what it returns is awaited here where
    it can be. Cancelling ends a coroutine at its next await; a thread goes on unheard, as `in_thread` tells.
    """
    if function.is_async:
        return await function.call(parameters, context)
    value = await _in_thread(lambda: function.call(parameters, context), context, function.key)
    if not inspect.isawaitable(value):
        return value
    if context.cancelled:
        _drop(value)
        raise asyncio.CancelledError
    return await value


async def _in_thread(work: Callable[[], Any], context: ExecutionContext, name: str) -> Any:
    """A thread of its own, not of a pool: a stuck one takes nobody's place and does not hold up the process's exit."""
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[tuple[Any, BaseException | None]] = loop.create_future()

    def deliver(value: Any, error: BaseException | None) -> None:
        if not ended.done():
            ended.set_result((value, error))
        elif inspect.isawaitable(value):
            _drop(value)

    def run() -> None:
        value, error = None, None
        try:
            value = contextvars_of_caller.run(work)
        except BaseException as raised:  # noqa: BLE001  # foreign code: the caller hears of it, whatever it is
            error = raised
        context.in_thread = False
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(deliver, value, error)

    contextvars_of_caller = contextvars.copy_context()
    thread = threading.Thread(target=run, name=name, daemon=True)
    context.in_thread = True
    try:
        thread.start()
    except RuntimeError:  # the system has no more threads
        context.in_thread = False
        raise
    value, error = await ended
    if error is not None:
        raise error
    return value


def _drop(value: Any) -> None:
    """Close a coroutine that nobody will await, so that Python does not complain of it."""
    if inspect.iscoroutine(value):
        value.close()
