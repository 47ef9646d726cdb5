"""One listener: called with one event after the other, where it can harm nothing but itself."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import logging
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum, auto
from typing import Any

from framework.clock import SystemClock
from framework.time_limit import finishes_within
from modules.core.scheduler.signature import is_async, named

log = logging.getLogger(__name__)

MOST_WAITING = 10_000  # events that wait for one listener; then the oldest goes
CALL_SECONDS = 10.0  # real seconds of one call of a coroutine, and again for it to end once it is cancelled


class EventKind(StrEnum):
    """What listeners can be told of."""

    EXECUTION_STARTED = auto()
    EXECUTION_ENDED = auto()
    EXECUTION_SKIPPED = auto()
    EXECUTION_MISSED = auto()
    TASK_ENDED = auto()
    NODE_LOST = auto()


@dataclass(frozen=True, slots=True)
class SchedulerEvent:
    """What has happened and been committed at a moment; what does not belong to its kind is None.

    `state`, `reason` and `error` are those of the execution, or where a task ended, `state` is the task's status.
    `node_id` is the node that carried the execution out, or that was lost.
    """

    kind: EventKind
    moment: datetime
    node_id: str | None = None
    task_id: str | None = None
    task_name: str | None = None
    module_id: str | None = None
    execution_id: str | None = None
    state: str | None = None
    reason: str | None = None
    error: str | None = None


class Listener:
    """A callback and the events that wait for it: called on the loop where it is async, else in a thread of its own.

    `offer` belongs to the loop, `remove` may be called anywhere. `ended` is set once nothing is told any more.
    """

    def __init__(self, callback: Callable[[SchedulerEvent], Any], kinds: frozenset[EventKind], module_id: str | None):
        self.name = named(callback)
        self.kinds = kinds
        self.module_id = module_id
        self.told = self.failed = self.dropped = 0
        self.ended = asyncio.Event()
        self._callback = callback
        self._is_async = is_async(callback)
        self._waiting: deque[SchedulerEvent] = deque()
        self._lock = threading.Lock()
        self._arrived: asyncio.Event | threading.Event = asyncio.Event() if self._is_async else threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._worker: asyncio.Task[None] | None = None
        self._call: asyncio.Task[None] | None = None
        self._is_last = False
        self._in_trouble = False
        self._is_dropping = False

    def offer(self, event: SchedulerEvent) -> None:
        """Let an event wait to be told, if it is one that is listened to; where too many wait, the oldest goes."""
        if event.kind not in self.kinds or self.module_id not in (None, event.module_id):
            return
        with self._lock:
            if self._is_last:
                return
            is_full = len(self._waiting) >= MOST_WAITING
            if is_full:
                self._waiting.popleft()
                self.dropped += 1
            self._waiting.append(event)
            self._arrived.set()
        if is_full and not self._is_dropping:
            log.warning("listener %s is too slow: what waits longest is dropped", self.name)
        self._is_dropping = is_full
        if self._loop is None:
            self._begin()

    def finish(self) -> None:
        """Tell what waits already, then nothing more."""
        with self._lock:
            self._is_last = True
        if self._loop is None:
            self.ended.set()
        elif isinstance(self._arrived, threading.Event):
            self._arrived.set()
        else:
            with contextlib.suppress(RuntimeError):  # the loop is closed, and this with it
                self._loop.call_soon_threadsafe(self._arrived.set)

    def remove(self) -> None:
        """Tell nothing more; a call under way ends by itself."""
        with self._lock:
            self._waiting.clear()
        self.finish()

    def abandon(self) -> None:
        """Tell nothing more, and cancel a call under way; a thread goes on unheard."""
        self.remove()
        for task in (self._worker, self._call):
            if task is not None:
                task.cancel()

    def _begin(self) -> None:
        self._loop = asyncio.get_running_loop()
        if self._is_async:
            self._worker = self._loop.create_task(self._serve_on_loop(), name=f"listener {self.name}")
            self._worker.add_done_callback(lambda _: self.ended.set())
            return
        thread = threading.Thread(target=self._serve_in_thread, name=f"listener {self.name}", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # the system has no more threads; the next event tries again
            self._loop = None

    def _next(self) -> SchedulerEvent | None:
        with self._lock:
            if self._waiting:
                return self._waiting.popleft()
            self._arrived.clear()
            return None

    async def _serve_on_loop(self) -> None:
        while True:
            event = self._next()
            if event is not None:
                if not await self._ends_in_time(event):
                    self.remove()
            elif self._is_last:
                return
            elif isinstance(self._arrived, asyncio.Event):
                await self._arrived.wait()

    async def _ends_in_time(self, event: SchedulerEvent) -> bool:
        """Call a coroutine; cancel it when its time is up. False when it does not even end then."""
        self._call = asyncio.create_task(self._tell(event), name=f"listener {self.name}")
        clock = SystemClock()
        if await finishes_within(self._call, clock, CALL_SECONDS):
            return True
        log.warning("listener %s is cancelled: it has not returned for %g s", self.name, CALL_SECONDS)
        self.failed += 1
        self._call.cancel()
        if await finishes_within(self._call, clock, CALL_SECONDS):
            return True
        log.error("listener %s does not end when it is cancelled, and is removed", self.name)
        return False

    async def _tell(self, event: SchedulerEvent) -> None:
        try:
            await self._callback(event)
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # noqa: BLE001  # the boundary: what a listener raises is its own affair
            self._note(error)
        else:
            self._note(None)

    def _serve_in_thread(self) -> None:
        while True:
            event = self._next()
            if event is not None:
                self._tell_here(event)
            elif self._is_last:
                break
            elif isinstance(self._arrived, threading.Event):
                self._arrived.wait()
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self.ended.set)

    def _tell_here(self, event: SchedulerEvent) -> None:
        try:
            value = self._callback(event)
        except BaseException as error:  # noqa: BLE001  # the boundary: what a listener raises is its own affair
            self._note(error)
            return
        if inspect.iscoroutine(value):
            value.close()
            self._note(TypeError("it returned a coroutine, which nobody awaits; an async function can listen"))
        else:
            self._note(None)

    def _note(self, error: BaseException | None) -> None:
        """Count a call; of failures in a row, the first is logged."""
        if error is None:
            self.told += 1
        else:
            self.failed += 1
            if not self._in_trouble:
                log.error("listener %s failed", self.name, exc_info=error)
        self._in_trouble = error is not None
