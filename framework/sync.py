"""An application in a thread of its own, for code that is not async: scripts, WSGI workers, notebooks."""

from __future__ import annotations

import asyncio
import atexit
import os
import threading
from collections.abc import Callable, Coroutine, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, ParamSpec, Self, TypeVar

from framework.application import Application
from framework.clock import Clock
from framework.context import AppContext
from framework.errors import FrameworkError
from framework.module import Module

P = ParamSpec("P")
T = TypeVar("T")


class NotStarted(FrameworkError, RuntimeError):  # noqa: N818  # names what is missing
    """The application does not run in this process."""


class Forked(NotStarted):
    """The application runs in the process that this one was forked from."""

    def __init__(self) -> None:
        super().__init__(
            "the application was started before this process was forked, and neither its thread nor its connections"
            " survive that; start it after the fork only, for example in gunicorn's post_fork"
        )


@dataclass(frozen=True, slots=True)
class _Running:
    """A started application, the loop and the thread that it lives in, and the process that these belong to."""

    context: AppContext
    loop: asyncio.AbstractEventLoop
    stop: asyncio.Event
    thread: threading.Thread
    process: int


class SyncApplication:
    """Runs an application in a thread with an event loop of its own; usable from any thread of the process.

    Takes what `Application` takes. `start` and `stop`, or `with`; what is not stopped is stopped when the process
    ends. Neither threads nor connections to a database survive a fork: start after it, not before.
    """

    def __init__(
        self,
        modules: Sequence[str | Module] | None = None,
        settings: Mapping[str, Mapping[str, Any]] | None = None,
        clock: Clock | None = None,
        settings_dirs: Sequence[Path | str] | None = None,
    ) -> None:
        self._make: Callable[[], Application] = partial(Application, modules, settings, clock, settings_dirs)
        self._running: _Running | None = None
        self._changing = threading.Lock()

    def start(self) -> Self:
        """Start the application and return once it runs; a second call changes nothing.

        Raises what `Application.start` raises, and `Forked` where it was started in the process before a fork.
        """
        with self._changing:
            if self._running is None:
                self._running = self._started()
                atexit.register(self.stop)
            elif self._running.process != os.getpid():
                raise Forked
        return self

    def stop(self) -> None:
        """Stop the application and return once it has stopped; a second call changes nothing."""
        with self._changing:
            running = self._running
            if running is None or running.process != os.getpid():
                return
            self._running = None
            atexit.unregister(self.stop)
            running.loop.call_soon_threadsafe(running.stop.set)
            running.thread.join()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def app_context(self) -> AppContext:
        """The application's context; its services are used through `call`. Raises `NotStarted`."""
        return self._here().context

    def get_service(self, wanted: type[T]) -> T:
        """Return the one service of this class; raises as `AppContext.get_service` does, and `NotStarted`."""
        return self._here().context.get_service(wanted)

    def call(self, method: Callable[P, Coroutine[Any, Any, T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call an async function in the application's loop, wait, and return what it returns or raise what it raises.

        Interrupted meanwhile, as by Ctrl-C, it is cancelled. Raises `NotStarted`, and `RuntimeError` in the loop
        itself, which would wait for itself.
        """
        running = self._here()
        if threading.current_thread() is running.thread:
            raise RuntimeError("this is the application's own event loop: await the method instead")
        answer = asyncio.run_coroutine_threadsafe(method(*args, **kwargs), running.loop)
        try:
            return answer.result()
        except BaseException:
            answer.cancel()
            raise

    def _here(self) -> _Running:
        running = self._running
        if running is None:
            raise NotStarted("the application has not been started, or has been stopped; use `with`, or start()")
        if running.process != os.getpid():
            raise Forked
        return running

    def _started(self) -> _Running:
        ready: Future[tuple[AppContext, asyncio.AbstractEventLoop, asyncio.Event]] = Future()
        thread = threading.Thread(target=_run, args=(self._make(), ready), name="application", daemon=True)
        thread.start()
        context, loop, stop = ready.result()
        return _Running(context, loop, stop, thread, os.getpid())


def _run(application: Application, ready: Future[Any]) -> None:
    """Run the application until it is told to stop; what a start raises, whoever waits for it is told."""
    try:
        asyncio.run(_live(application, ready))
    except BaseException as error:
        if ready.done():
            raise
        ready.set_exception(error)


async def _live(application: Application, ready: Future[Any]) -> None:
    stop = asyncio.Event()
    async with application as context:
        ready.set_result((context, asyncio.get_running_loop(), stop))
        await stop.wait()
