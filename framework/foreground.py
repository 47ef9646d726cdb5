"""An application in the foreground: started, worked with, and stopped when it is done or a signal asks for it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from types import FrameType
from typing import Any

from framework.application import Application
from framework.context import AppContext
from framework.errors import FrameworkError

log = logging.getLogger(__name__)

STOPPED_AT_ONCE = 130
LAST_MOMENT = 0.2  # seconds for what was cancelled when all has stopped


class Signals:
    """Ctrl-C or SIGTERM asks to stop; the second one stops at once, a third does not even wait for that.

    They are handled outside the event loop, which a function that never awaits may be holding up.
    """

    def __init__(self, stop_now: Callable[[], None]) -> None:
        self._stop_now = stop_now
        self._count = 0
        self._stop: tuple[asyncio.AbstractEventLoop, asyncio.Event] | None = None

    @contextlib.contextmanager
    def handled(self) -> Iterator[None]:
        """Handle both signals inside."""
        before = {number: signal.signal(number, self._on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def stop_event(self) -> asyncio.Event:
        """Return the event of the running loop that the first signal sets; set already where it has come."""
        stop = asyncio.Event()
        self._stop = (asyncio.get_running_loop(), stop)
        if self._count:
            stop.set()
        return stop

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._count += 1
        if self._count == 1:
            if self._stop is not None:
                loop, stop = self._stop
                with contextlib.suppress(RuntimeError):  # the loop is closed: everything has stopped
                    loop.call_soon_threadsafe(stop.set)
            return
        os.write(sys.stderr.fileno(), b"stopping at once\n")  # the logging of what was interrupted may be half done
        try:
            if self._count == 2:
                self._stop_now()
        finally:
            os._exit(STOPPED_AT_ONCE)


@contextlib.contextmanager
def _reloading(application: Application) -> Iterator[None]:
    """Let SIGHUP have the settings read again; not on a terminal, which says so when it goes, nor under nohup."""
    hang_up = getattr(signal, "SIGHUP", None)  # Windows has none
    if hang_up is None or sys.stderr.isatty() or signal.getsignal(hang_up) is signal.SIG_IGN:
        yield
        return
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(hang_up, _reload, application)
    try:
        yield
    finally:
        loop.remove_signal_handler(hang_up)


def _reload(application: Application) -> None:
    try:
        application.reload()
    except FrameworkError as error:
        log.error("the settings stay as they are: %s", error)  # noqa: TRY400  # a slip of the pen needs no traceback


def carry_through(application: Application, work: Callable[[AppContext], Coroutine[Any, Any, object]]) -> bool:
    """Start the application, do the work, stop; False when a signal came first. Raises what they raise."""
    signals = Signals(application.stop_now)
    with signals.handled():
        return _run(_carry_through(application, work, signals))


def _run(main: Coroutine[Any, Any, bool]) -> bool:
    """Run in a loop of its own, as `asyncio.run`, which however waits for ever for what swallows its cancellation."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        return loop.run_until_complete(main)
    finally:
        has_ended = loop.run_until_complete(_let_go())
        asyncio.set_event_loop(None)
        if has_ended:  # else something deaf is left behind in it, until the process ends
            loop.close()


async def _let_go() -> bool:
    """Cancel what still runs, and wait a moment; True when nothing is left."""
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for each in left:
        each.cancel()
    _, deaf = await asyncio.wait(left, timeout=LAST_MOMENT) if left else (left, left)
    await asyncio.get_running_loop().shutdown_asyncgens()
    return not deaf


async def _carry_through(
    application: Application, work: Callable[[AppContext], Coroutine[Any, Any, object]], signals: Signals
) -> bool:
    stop = signals.stop_event()
    starting = asyncio.ensure_future(application.start())
    if not await _done_before(stop, starting):
        return False
    try:
        with _reloading(application):
            return await _done_before(stop, asyncio.ensure_future(work(starting.result())))
    finally:
        if stop.is_set():
            log.info("stopping: what runs may finish; a second signal stops at once")
        await application.stop()
        if stop.is_set():
            log.info("stopped")


async def _done_before(stop: asyncio.Event, task: asyncio.Future[Any]) -> bool:
    """Await the task, cancelled when `stop` is set first; True when it ended by itself. Raises what it raises."""
    stopping = asyncio.ensure_future(stop.wait())
    await asyncio.wait({task, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if not task.done():
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        return False
    await task
    return True


def until_asked_to_stop() -> Awaitable[None]:
    """Wait for ever: the work of an application that only runs."""
    return asyncio.get_running_loop().create_future()
