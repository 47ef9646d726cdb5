"""Protections of what runs for long: loops, their end, and what they hold."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from benchmarks.torture.without.replacing import swap
from modules.core.scheduler import heartbeat, runner
from modules.core.scheduler.crew import Crew


def loops_that_survive() -> None:
    """An error of the database ends the loop that met it."""

    async def repeated(
        step: Callable[[], Awaitable[float | None]], *, clock: Any, wake: asyncio.Event, **_options: Any
    ) -> None:
        while (seconds := await step()) is not None:
            await clock.wait(wake, min(seconds, 1.0))
            wake.clear()

    for owner in (runner, heartbeat):
        swap(owner, "repeat", lambda _: repeated)


def handing_back() -> None:
    """A stop writes nothing about what it cuts off."""

    async def leave(self: Any) -> None:
        self._crew.abandon_all()
        self._node.end()

    def new(stop: Callable[..., Any]) -> Callable[..., Any]:
        async def stopped(self: Any) -> None:
            self._crew.abandon_all()
            await stop(self)

        return stopped

    swap(runner.Runner, "_leave", lambda _: leave)
    swap(runner.Runner, "stop", new)


def letting_go() -> None:
    """What a node has carried out it remembers for ever."""
    kept: list[Any] = []

    def new(ended: Callable[..., Any]) -> Callable[..., Any]:
        def remembered(crew: Any, carrying: Any) -> None:
            kept.append(carrying)
            ended(crew, carrying)

        return remembered

    swap(Crew, "_ended", new)
