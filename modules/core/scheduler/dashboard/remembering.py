"""What takes longer to find out than a page may take: found out beside it, and shown again for a while."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextvars import Context
from typing import Generic, TypeVar

from framework.clock import Clock

log = logging.getLogger(__name__)

T = TypeVar("T")
FRESH = 5.0  # seconds for which an answer is shown again
SHARE = 50.0  # and so many times as long as it took: at most a fiftieth of the time is spent on it
PATIENCE = 0.05  # seconds that a page waits for a newer one, unless the last one took longer


class Remembered(Generic[T]):
    """The last answer to one question, asked again when it is old and somebody wants it; `changed` hears of another."""

    def __init__(self, clock: Clock, ask: Callable[[], Awaitable[T]], changed: Callable[[], None]) -> None:
        self._clock, self._ask, self._changed = clock, ask, changed
        self._told: T | None = None
        self._asking: asyncio.Task[None] | None = None
        self._fresh_until = float("-inf")
        self._is_slow = False

    async def told(self) -> T | None:
        """Return the newest answer there is, None where the first one is not there yet."""
        if self._asking is None and self._clock.monotonic() >= self._fresh_until:
            self._asking = asyncio.create_task(self._find(), context=Context())  # not on the account of who asked first
        if self._asking is not None and not self._is_slow:
            _, unfinished = await asyncio.wait({self._asking}, timeout=PATIENCE)
            self._is_slow = bool(unfinished)
        return self._told

    async def close(self) -> None:
        """Wait for no answer any more."""
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.wait({self._asking})

    async def _find(self) -> None:
        began, before = self._clock.monotonic(), self._told
        try:
            self._told = await self._ask()
        except Exception:  # the page is shown without it, and asks again
            log.exception("what a page shows could not be found out")
        finally:
            took = self._clock.monotonic() - began
            self._fresh_until, self._asking = began + max(FRESH, SHARE * took), None
            self._is_slow = took > PATIENCE
            if self._told != before:
                self._changed()
