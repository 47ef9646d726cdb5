"""Listening in tests: on a clock that the test moves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

from sqlalchemy import Connection

from framework.clock import SystemClock
from framework.database import Database
from framework.database.notices import Listener, notify
from framework.testing import FakeClock

CHANNEL = "What is due"  # a name that must be quoted
STEPS = 50


class Ear:
    """A listener that runs on a clock which the test moves, and what it has heard."""

    def __init__(self, database: Database) -> None:
        self.clock = FakeClock()
        self.heard: list[str] = []
        self.take: Callable[[str], None] = self.heard.append
        self.listener = Listener(database, CHANNEL, self._take, clock=self.clock)
        self.running = asyncio.ensure_future(self.listener.run())

    def _take(self, payload: str) -> None:
        self.take(payload)

    async def until_live(self, seconds: float = 0) -> None:
        """Wait until it is live, while so many seconds pass on its clock."""
        await self.until(lambda: self.listener.is_live, seconds)

    async def until_not_live(self, seconds: float = 0) -> None:
        """Wait until it is not, while so many seconds pass on its clock."""
        await self.until(lambda: not self.listener.is_live, seconds)

    async def until_heard(self, count: int) -> None:
        """Wait until it has heard so much."""
        await self.until(lambda: len(self.heard) >= count)

    async def until(self, holds: Callable[[], bool], seconds: float = 0) -> None:
        """Wait until it holds, while so many seconds pass on its clock, in small steps, and no more."""
        latest = self.clock.monotonic() + seconds
        while not holds():
            self.clock.advance(min(seconds / STEPS, max(latest - self.clock.monotonic(), 0)))
            await a_moment()

    async def let_pass(self, seconds: float) -> None:
        """Let so many seconds pass on its clock, in small steps, so that it lives through all of them."""
        for _ in range(STEPS):
            self.clock.advance(seconds / STEPS)
            await a_moment()


async def a_moment() -> None:
    await SystemClock().sleep(0.01)


def say(payload: str) -> Callable[[Connection], None]:
    return partial(notify, channel=CHANNEL, payload=payload)


EarOn = Callable[[Database], Ear]
