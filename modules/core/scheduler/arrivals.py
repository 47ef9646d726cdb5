"""Tasks that cannot be there yet: their rows are made at once, and concurrent callers share a commit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

from framework.clock import Clock
from framework.database import Database, Joining, Notice, is_transient
from framework.repeat import LONGEST_SLEEP
from modules.core.scheduler import creating, newborn
from modules.core.scheduler.alike import Plan
from modules.core.scheduler.inbox import Inbox
from modules.core.scheduler.patience import patiently
from modules.core.scheduler.tables import CHANNEL

SOON = timedelta(seconds=2 * LONGEST_SLEEP)  # until then every loop has looked by itself: nobody needs to be woken


class Arrivals:
    """Stores new tasks; `wake` is called after each commit of any that is due soon."""

    def __init__(self, database: Database, clock: Clock, joining: Joining, wake: Callable[[], None]) -> None:
        self._database, self._clock = database, clock
        self._joining, self._wake = joining, wake
        self._inbox = Inbox(self._insert, clock)

    async def store(self, plans: Sequence[Plan]) -> list[dict[str, Any]]:
        """Store the tasks of plans that name none, and return what is told of them once they are committed."""
        self._joining.refuse_waiting()
        self._database.refuse_nesting()  # now: what waits in the inbox is written by another asyncio task
        arrived, created = creating.arriving(plans)
        await self._inbox.add(arrived)
        return created

    async def _insert(self, arrived: Sequence[newborn.Arrival]) -> None:
        """Insert tasks whose ids are their own: even when nobody knows whether they came in, again is harmless."""
        now = self._clock.now()
        born = creating.new_rows(arrived, now)
        is_soon = newborn.is_any_due(born, now + SOON)
        notice = Notice(CHANNEL, "") if is_soon else None
        await patiently(partial(self._database.insert, newborn.insertions(born), notice), passes=is_transient)
        if is_soon:
            self._wake()
