"""New tasks of many callers at once: those that come while a commit is under way share the next one."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from sqlalchemy import Connection

from modules.core.scheduler import newborn
from modules.core.scheduler.newborn import Newborn

AT_ONCE = 2_000  # tasks of one commit


class Inbox:
    """Stores new tasks; `write` carries out a transaction, `stored` is called after each."""

    def __init__(self, write: Callable[[Callable[[Connection], None]], Awaitable[None]]) -> None:
        self._write = write
        self._waiting: deque[tuple[list[Newborn], asyncio.Future[None]]] = deque()
        self._flushing: asyncio.Task[None] | None = None

    async def add(self, born: list[Newborn]) -> None:
        """Store new tasks, all or none; returns once they are committed, raises what kept them from it."""
        stored = asyncio.get_running_loop().create_future()
        self._waiting.append((born, stored))
        if self._flushing is None:
            self._flushing = asyncio.create_task(self._flush(), name="store new tasks")
        await stored

    async def _flush(self) -> None:
        try:
            while self._waiting:
                await self._flush_some()
        finally:
            self._flushing = None

    async def _flush_some(self) -> None:
        rows: list[Newborn] = []
        callers: list[asyncio.Future[None]] = []
        while self._waiting and (not rows or len(rows) + len(self._waiting[0][0]) <= AT_ONCE):
            born, caller = self._waiting.popleft()
            rows += born
            callers.append(caller)
        try:
            await self._write(lambda c: newborn.insert(c, rows))
        except BaseException as error:
            for caller in callers:
                if not caller.done():
                    caller.set_exception(error if isinstance(error, Exception) else asyncio.CancelledError())
            if not isinstance(error, Exception):
                raise
            return
        for caller in callers:
            if not caller.done():
                caller.set_result(None)
