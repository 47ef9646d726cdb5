"""Hearing of what other processes do: by a look at the file on SQLite, by notices on PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from framework.clock import Clock
from framework.database import Database, Listener, is_transient
from framework.repeat import repeat
from modules.core.scheduler.tables import CHANNEL

LOOK_SECONDS = 2.0  # how often SQLite's version is looked at for what other processes wrote


def watching(
    database: Database, clock: Clock, wake: Callable[[], None], *, notify: bool
) -> list[Coroutine[Any, Any, None]]:
    """Return the loops that call `wake` when another process may have made something due; none in memory."""
    if database.is_memory:
        return []
    if database.dialect == "sqlite":
        look = _Look(database, wake)
        return [repeat(look, name="look at the database", clock=clock, wake=asyncio.Event(), passes=is_transient)]
    return [Listener(database, CHANNEL, lambda _: wake(), clock=clock).run()] if notify else []


class _Look:
    def __init__(self, database: Database, wake: Callable[[], None]) -> None:
        self._database = database
        self._wake = wake
        self._seen: int | None = None

    async def __call__(self) -> float | None:
        """Wake the loop when the file has changed: what another process wrote is noticed without a poll."""
        version = await self._database.version()
        if version != self._seen:
            self._seen = version
            self._wake()
        return LOOK_SECONDS
