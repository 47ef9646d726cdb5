"""A thread that does one thing after another, for work that would block the event loop."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from contextvars import copy_context
from functools import partial
from queue import SimpleQueue
from typing import Any, TypeVar

T = TypeVar("T")
Job = tuple[Callable[[], Any], asyncio.AbstractEventLoop, "asyncio.Future[Any]"]


class Worker:
    """Does what it is given in one daemon thread, in order; the thread starts with the first job."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._thread: threading.Thread | None = None

    async def do(self, work: Callable[[], T]) -> T:
        """Have the work done and return what it returns; cancelled meanwhile, raise that once it has ended."""
        answer = self._give(work)
        try:
            return await answer
        except asyncio.CancelledError:
            await self._give(_nothing)  # in order, so that the work has ended by then
            raise

    def _give(self, work: Callable[[], T]) -> asyncio.Future[T]:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()
        self._jobs.put((partial(copy_context().run, work), loop, answer))  # whoever acts there acts in the thread, too
        if self._thread is None:
            self._thread = threading.Thread(target=self._serve, name=self._name, daemon=True)
            self._thread.start()
        return answer

    @property
    def has_begun(self) -> bool:
        """Whether it was ever given anything."""
        return self._thread is not None

    def end(self) -> None:
        """Let the thread end after what it has been given."""
        if self._thread is not None:
            self._jobs.put(None)

    def _serve(self) -> None:
        while (job := self._jobs.get()) is not None:
            work, loop, answer = job
            value, error = None, None
            try:
                value = work()
            except BaseException as raised:  # noqa: BLE001  # the boundary: whoever awaits it hears of it
                error = RuntimeError("the work raised StopIteration") if isinstance(raised, StopIteration) else raised
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(_deliver, answer, value, error)
            del job, work, loop, answer, value, error  # else they live until the next job comes


def _nothing() -> None:
    """Do nothing."""


def _deliver(answer: asyncio.Future[Any], value: Any, error: BaseException | None) -> None:
    if answer.cancelled():
        return
    if error is None:
        answer.set_result(value)
    else:
        answer.set_exception(error)


async def to_the_end(work: Awaitable[T]) -> T:
    """Await the work to its end even when cancelled: a connection cut off in the middle is a broken one."""
    done = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(done)
    except asyncio.CancelledError:
        await asyncio.gather(done, return_exceptions=True)
        raise


class FairLock:
    """A lock between threads that is given in the order in which it was asked for, so that nobody starves."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: deque[threading.Lock] = deque()
        self._taken = False

    def __enter__(self) -> None:
        with self._lock:
            if not self._taken:
                self._taken = True
                return
            turn = threading.Lock()
            turn.acquire()
            self._waiting.append(turn)
        turn.acquire()

    def __exit__(self, *_: object) -> None:
        with self._lock:
            if self._waiting:
                self._waiting.popleft().release()  # handed over, so it stays taken
            else:
                self._taken = False
