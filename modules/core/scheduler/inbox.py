"""New tasks of many callers at once: those that come while a commit is under way share the next one."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

from framework.clock import Clock
from framework.database import is_transient
from modules.core.scheduler.newborn import Arrival

AT_ONCE = 2_000  # tasks of one commit
Waiting = tuple[list[Arrival], "asyncio.Future[None]"]


class Inbox:
    """Stores new tasks, each commit by one call of `store`."""

    def __init__(self, store: Callable[[Sequence[Arrival]], Awaitable[None]], clock: Clock) -> None:
        self._store, self._clock = store, clock
        self._waiting: deque[Waiting] = deque()
        self._is_busy = False
        self._flushing: asyncio.Task[None] | None = None

    async def add(self, arrived: list[Arrival]) -> None:
        """Store new tasks, all or none; returns once they are committed, raises what kept them from it."""
        if self._is_busy:
            await self._wait_for_others(arrived)
            return
        self._is_busy = True
        try:
            await self._store(arrived)
        finally:
            self._is_busy = False
            self._serve_waiting()

    async def _wait_for_others(self, arrived: list[Arrival]) -> None:
        stored = asyncio.get_running_loop().create_future()
        self._waiting.append((arrived, stored))
        await stored

    def _serve_waiting(self) -> None:
        if self._waiting:
            self._is_busy = True
            self._flushing = asyncio.create_task(self._flush(), name="store new tasks")

    async def _flush(self) -> None:
        try:
            while self._waiting:
                await self._flush_some()
                await self._clock.sleep(0)  # who has been answered may come again at once, and shares the next one
        finally:
            self._is_busy = False
            while self._waiting:  # this task was cancelled: nobody will serve them
                self._waiting.popleft()[1].cancel()

    async def _flush_some(self) -> None:
        together: list[Waiting] = []
        tasks: list[Arrival] = []
        while self._waiting and (not tasks or len(tasks) + len(self._waiting[0][0]) <= AT_ONCE):
            arrived, caller = self._waiting.popleft()
            if not caller.cancelled():  # who goes away while waiting has asked for nothing
                together.append((arrived, caller))
                tasks += arrived
        error = await self._stored(tasks) if tasks else None
        if error is None or is_transient(error) or len(together) == 1:
            for _, caller in together:
                _answer(caller, error)
            return
        for arrived, caller in together:  # one of them is at fault, and the others are not to suffer for it
            _answer(caller, await self._stored(arrived))

    async def _stored(self, tasks: Sequence[Arrival]) -> Exception | None:
        try:
            await self._store(tasks)
        except Exception as error:  # noqa: BLE001  # the boundary: whoever waits hears of it
            return error
        return None


def _answer(caller: asyncio.Future[None], error: Exception | None) -> None:
    if caller.done():
        return
    if error is None:
        caller.set_result(None)
    else:
        caller.set_exception(error)
