"""Carrying functions out: on the loop, in threads of their own, and whatever they do."""

from __future__ import annotations

import asyncio
import contextvars
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from modules.core.scheduler.execution import ExecutionContext
from modules.core.scheduler.functions import FunctionRegistry, ParametersRefused, RegisteredFunction
from modules.core.scheduler.invoke import invoke

MOMENT = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
color: contextvars.ContextVar[str] = contextvars.ContextVar("color", default="none")


def registered(function: Callable[..., Any]) -> RegisteredFunction:
    registry = FunctionRegistry()
    registry.register("acme.reports", "it", function)
    found = registry.find("acme.reports", "it")
    assert found is not None
    return found


@pytest.fixture
def context() -> ExecutionContext:
    app_context: Any = None
    return ExecutionContext(
        execution_id="e-1",
        task_id="t-1",
        task_name="it",
        module_id="acme.reports",
        function_name="it",
        attempt=3,
        retries_used=0,
        scheduled_for=MOMENT,
        started_at=MOMENT,
        origin="schedule",
        app_context=app_context,
        session_id="s-1",
    )


async def test_an_async_function_runs_on_the_loop(context: ExecutionContext) -> None:
    async def where(context: ExecutionContext) -> tuple[str, int]:
        return threading.current_thread().name, context.attempt

    value = await invoke(registered(where), {}, context)

    assert value == (threading.current_thread().name, 3)


async def test_a_plain_function_runs_in_a_daemon_thread_of_its_own_with_the_callers_context(
    context: ExecutionContext,
) -> None:
    def where() -> tuple[str, bool, str]:
        thread = threading.current_thread()
        return thread.name, thread.daemon, color.get()

    color.set("blue")

    assert await invoke(registered(where), {}, context) == ("acme.reports:it", True, "blue")
    assert context.in_thread is False


async def test_a_blocking_function_does_not_stall_the_loop(context: ExecutionContext) -> None:
    freed = threading.Event()
    running = asyncio.ensure_future(invoke(registered(lambda: freed.wait(60)), {}, context))

    await turns()
    assert not running.done()
    assert context.in_thread
    freed.set()

    assert await running is True


async def turns() -> None:
    """Let the loop go round a few times."""
    for _ in range(5):
        await asyncio.sleep(0)  # noqa: TID251  # one turn of the loop, no time


async def test_a_plain_function_that_returns_a_coroutine_has_it_awaited(context: ExecutionContext) -> None:
    async def inner(name: str) -> tuple[str, str]:
        return name, threading.current_thread().name

    value = await invoke(registered(lambda: inner(threading.current_thread().name)), {}, context)

    assert value == ("acme.reports:it", threading.current_thread().name)


async def test_a_cancelled_wait_leaves_the_thread_running_and_says_so(context: ExecutionContext) -> None:
    freed, ended = threading.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def stuck() -> None:
        freed.wait(60)
        loop.call_soon_threadsafe(ended.set)

    running = asyncio.ensure_future(invoke(registered(stuck), {}, context))
    await turns()
    running.cancel()

    with pytest.raises(asyncio.CancelledError):
        await running

    assert context.in_thread
    freed.set()
    await ended.wait()


async def test_a_coroutine_made_after_the_function_was_asked_to_stop_is_not_begun(context: ExecutionContext) -> None:
    begun = threading.Event()

    async def inner() -> None:
        begun.set()

    def slow() -> Any:
        context.cancel()
        return inner()

    with pytest.raises(asyncio.CancelledError):
        await invoke(registered(slow), {}, context)

    assert not begun.is_set()


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), LookupError("gone")], ids=repr)
@pytest.mark.parametrize("in_thread", [False, True])
async def test_whatever_a_function_raises_reaches_the_caller_as_it_is(
    error: BaseException, in_thread: bool, context: ExecutionContext
) -> None:
    async def raises() -> None:
        raise error

    def raises_in_a_thread() -> None:
        raise error

    function = registered(raises_in_a_thread if in_thread else raises)

    with pytest.raises(type(error)) as caught:
        await invoke(function, {}, context)

    assert caught.value is error


async def test_a_stray_stop_iteration_does_not_leave_the_caller_waiting(context: ExecutionContext) -> None:
    with pytest.raises(RuntimeError, match="StopIteration"):
        await invoke(registered(lambda: next(iter(()))), {}, context)


async def test_parameters_that_do_not_fit_are_refused_without_a_call(context: ExecutionContext) -> None:
    called = threading.Event()

    def plain(*, rows: int) -> None:
        called.set()

    with pytest.raises(ParametersRefused, match="rows"):
        await invoke(registered(plain), {"rows": "many"}, context)

    assert not called.is_set()


async def test_a_system_without_threads_left_is_an_error_of_the_run(
    context: ExecutionContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_more(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", no_more)

    with pytest.raises(RuntimeError, match="can't start new thread"):
        await invoke(registered(lambda: 1), {}, context)

    assert context.in_thread is False


async def test_a_cancelled_coroutine_ends_at_its_next_await(context: ExecutionContext) -> None:
    async def waits() -> None:
        await asyncio.Event().wait()

    running = asyncio.ensure_future(invoke(registered(waits), {}, context))
    await turns()
    running.cancel()

    with pytest.raises(asyncio.CancelledError):
        await running


def test_a_thread_that_ends_after_its_loop_is_gone_ends_quietly(context: ExecutionContext) -> None:
    freed = threading.Event()

    async def start() -> None:
        asyncio.ensure_future(invoke(registered(lambda: freed.wait(60)), {}, context))  # noqa: RUF006  # left behind
        await turns()

    asyncio.run(start())
    (thread,) = [each for each in threading.enumerate() if each.name == "acme.reports:it"]
    freed.set()
    thread.join(60)

    assert not thread.is_alive()  # and pytest fails on an exception that nobody caught in a thread


STUCK = """
import asyncio, threading
from modules.core.scheduler.functions import FunctionRegistry
from modules.core.scheduler.invoke import invoke
from types import SimpleNamespace

async def main():
    registry = FunctionRegistry()
    registry.register("acme.reports", "stuck", lambda: threading.Event().wait())
    asyncio.ensure_future(invoke(registry.find("acme.reports", "stuck"), {}, SimpleNamespace(in_thread=False)))
    await asyncio.sleep(0)

asyncio.run(main())
print("left")
"""


def test_a_stuck_thread_does_not_hold_up_the_exit_of_the_process() -> None:
    finished = subprocess.run([sys.executable, "-c", STUCK], capture_output=True, text=True, timeout=60, check=True)

    assert (finished.stdout, finished.stderr) == ("left\n", "")
