"""New tasks of many callers at once: those that come while a commit is under way share the next one."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

from modules.core.scheduler.newborn import Newborn

AT_ONCE = 2_000  # tasks of one commit


class Inbox:
    """Stores new tasks, each commit by one call of `store`."""

    def __init__(self, store: Callable[[Sequence[Newborn]], Awaitable[None]]) -> None:
        self._store = store
        self._waiting: deque[tuple[list[Newborn], asyncio.Future[None]]] = deque()
        self._is_busy = False
        self._flushing: asyncio.Task[None] | None = None

    async def add(self, born: list[Newborn]) -> None:
        """Store new tasks, all or none; returns once they are committed, raises what kept them from it."""
        if self._is_busy:
            await self._wait_for_others(born)
            return
        self._is_busy = True
        try:
            await self._store(born)
        finally:
            self._is_busy = False
            self._serve_waiting()

    async def _wait_for_others(self, born: list[Newborn]) -> None:
        stored = asyncio.get_running_loop().create_future()
        self._waiting.append((born, stored))
        await stored

    def _serve_waiting(self) -> None:
        if self._waiting:
            self._is_busy = True
            self._flushing = asyncio.create_task(self._flush(), name="store new tasks")

    async def _flush(self) -> None:
        try:
            while self._waiting:
                await self._flush_some()
        finally:
            self._is_busy = False

    async def _flush_some(self) -> None:
        rows: list[Newborn] = []
        callers: list[asyncio.Future[None]] = []
        while self._waiting and (not rows or len(rows) + len(self._waiting[0][0]) <= AT_ONCE):
            born, caller = self._waiting.popleft()
            rows += born
            callers.append(caller)
        try:
            await self._store(rows)
        except BaseException as error:
            refusal = error if isinstance(error, Exception) else asyncio.CancelledError()
            for caller in callers:
                if not caller.done():
                    caller.set_exception(refusal)
            if not isinstance(error, Exception):
                raise
            return
        for caller in callers:
            if not caller.done():
                caller.set_result(None)
