"""One who watches: the events that wait for it, a bounded number of them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Self

from framework.clock import Clock
from modules.core.scheduler.live.live_event import Kind, LiveEvent, Wanted

MOST_WAITING = 1_000  # events that wait for one viewer; then it starts anew


class Viewer:
    """The events that somebody wants, as an asynchronous iterator; `close` it, or leave its `async with`, when done.

    It ends when the scheduler stops. Who is too slow gets a `reset` in place of what it has missed. It belongs to the
    event loop of the application.
    """

    def __init__(self, wanted: Wanted, lines_after: int, clock: Clock, on_close: Callable[[Viewer], None]) -> None:
        self.wanted = wanted
        self.lines_after = lines_after
        self.replays_after: str | None = None
        self._clock = clock
        self._on_close = on_close
        self._waiting: deque[LiveEvent] = deque()
        self._arrived = asyncio.Event()
        self._is_closed = False

    @property
    def is_closed(self) -> bool:
        """Whether nothing more will come but what waits already."""
        return self._is_closed

    def offer(self, event: LiveEvent, too_slow: LiveEvent) -> None:
        """Let an event wait, if it is one that is wanted; where too many wait, only `too_slow` does."""
        if self._is_closed or not self.wanted.takes(event) or not self._is_next_line(event):
            return
        if len(self._waiting) >= MOST_WAITING:
            self._waiting.clear()
            self._waiting.append(too_slow)
        else:
            self._waiting.append(event)
        self._arrived.set()

    def close(self) -> None:
        """Watch no longer; what waits can still be taken."""
        if not self._is_closed:
            self._is_closed = True
            self._on_close(self)
        self._arrived.set()

    async def next(self, seconds: float) -> LiveEvent | None:
        """Return the next event; None when there is none within so many seconds, or ever."""
        if not self._waiting and not self._is_closed:
            self._arrived.clear()
            await self._clock.wait(self._arrived, seconds)
        return self._waiting.popleft() if self._waiting else None

    def __aiter__(self) -> Viewer:
        return self

    async def __anext__(self) -> LiveEvent:
        while not self._waiting:
            if self._is_closed:
                raise StopAsyncIteration
            self._arrived.clear()
            await self._arrived.wait()
        return self._waiting.popleft()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _is_next_line(self, event: LiveEvent) -> bool:
        """Whether a log line comes behind those that it has had; others that watch may have begun further back."""
        if event["kind"] != Kind.LOG:
            return True
        if event["number"] <= self.lines_after:
            return False
        self.lines_after = event["number"]
        return True
