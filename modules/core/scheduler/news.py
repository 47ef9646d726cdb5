"""News of running executions: collected for about a second, then written with the next turn."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from framework.clock import Clock

PAUSE = 1.0  # seconds from the first piece of news until it is written: however often a function tells, no oftener


class News:
    """The executions of which there is something new; `wake` is called when it is time to write it."""

    def __init__(self, clock: Clock, wake: Callable[[], None]) -> None:
        self._clock = clock
        self._wake = wake
        self._heard: set[str] = set()
        self._taken: set[str] = set()
        self._due: float | None = None
        self._nudge: asyncio.Task[None] | None = None

    def heard(self, execution_id: str) -> None:
        """There is news of an execution."""
        self._heard.add(execution_id)
        if self._due is None:
            self._due = self._clock.monotonic() + PAUSE
            self._nudge = asyncio.create_task(self._wake_later(), name="news of executions")

    def is_urgent(self, execution_id: str) -> None:
        """There is news of an execution that the next turn writes."""
        self._taken.add(execution_id)

    def take(self) -> frozenset[str]:
        """Return the executions whose news is to be written now, and again until `written` says that it is."""
        if self._due is not None and self._clock.monotonic() >= self._due:
            self._taken |= self._heard
            self._heard, self._due = set(), None
        return frozenset(self._taken)

    def written(self) -> None:
        """What was taken last has been written."""
        self._taken.clear()

    def close(self) -> None:
        """Nothing is written any more."""
        if self._nudge is not None:
            self._nudge.cancel()

    async def _wake_later(self) -> None:
        await self._clock.sleep(PAUSE)
        self._wake()
