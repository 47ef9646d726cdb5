"""The heartbeat: a thread with its own loop and connection, so that blocking work makes no node look dead."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

from sqlalchemy import Connection

from framework.clock import Clock, SystemClock
from framework.database import Database, agree_on_time, is_transient
from framework.repeat import repeat
from modules.core.scheduler.store import nodes

log = logging.getLogger(__name__)

JOIN_SECONDS = 5.0
LATE = 3 / 4  # of a lease without a renewal: what held it up may have cost another node its lease
PROBATION = 1 / 2  # of a lease, in which the others have time to renew theirs


class Heartbeat:
    """Renews one node's lease at a quarter of its length, and keeps the clock in step with the database's.

    `on_lost` is called in the event loop in which it was made, once the node is found to be taken for dead.
    """

    def __init__(
        self, database: Database, clock: Clock, node_id: str, lease: timedelta, on_lost: Callable[[], None]
    ) -> None:
        self._database = database
        self._clock = clock
        self._node_id = node_id
        self._lease = lease
        self._pause = lease.total_seconds() / 4
        self._on_lost = on_lost
        self._loop_of_node = asyncio.get_running_loop()
        self._renewed = self._read_clocks()
        self._late: tuple[float, float] | None = None
        self._ready = threading.Event()
        self._last_words: Callable[[Connection], object] | None = None
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="scheduler-heartbeat", daemon=True)

    def is_steady(self) -> bool:
        """Whether the lease has been renewed in time of late, by both clocks; always where a test moves the time.

        Else the database was out of reach, this process stood still, or the clock was set; perhaps for all nodes.
        """
        if not self._thread.is_alive() or not isinstance(self._clock, SystemClock):
            return True
        lease = self._lease.total_seconds()
        on_time = self._since(self._renewed) <= LATE * lease
        return on_time and (self._late is None or self._since(self._late) > PROBATION * lease)

    def _read_clocks(self) -> tuple[float, float]:
        return self._clock.monotonic(), self._clock.now().timestamp()

    def _since(self, then: tuple[float, float]) -> float:
        return max(now - before for now, before in zip(self._read_clocks(), then, strict=True))

    def _note_renewal(self) -> None:
        was_late = self._since(self._renewed) > LATE * self._lease.total_seconds()
        self._renewed = self._read_clocks()
        if was_late:
            self._late = self._renewed

    def start(self) -> None:
        """Start the thread; a database in memory has one node, whose turns renew the lease."""
        if not self._database.is_memory:
            self._thread.start()
            self._ready.wait(JOIN_SECONDS)

    def stop(self, last_words: Callable[[Connection], object] | None = None) -> None:
        """End the thread, after one last transaction if given; usable without any event loop."""
        if not self._thread.is_alive():
            return
        self._last_words = last_words
        self._stopping = True
        self._loop.call_soon_threadsafe(self._wake.set)
        self._thread.join(JOIN_SECONDS)

    def _run(self) -> None:
        asyncio.run(self._beat_until_stopped())

    async def _beat_until_stopped(self) -> None:
        self._loop, self._wake = asyncio.get_running_loop(), asyncio.Event()
        self._own = self._database.clone()
        self._ready.set()
        clock = SystemClock()
        try:
            await clock.wait(self._wake, self._pause)  # who joins has the lease and has just agreed on the time
            await repeat(self._beat, name="heartbeat", clock=clock, wake=self._wake, passes=is_transient)
        finally:
            await self._own.close()

    async def _beat(self) -> float | None:
        if self._stopping:
            if self._last_words is not None:
                last_words, self._last_words = self._last_words, None
                await self._own.write(last_words)
            return None
        await agree_on_time(self._own, self._clock)
        until = self._clock.now() + self._lease
        if not await self._own.write(lambda c: nodes.renew(c, self._node_id, until)):
            with suppress(RuntimeError):  # the loop is closed: nobody is left to tell
                self._loop_of_node.call_soon_threadsafe(self._on_lost)
            return None
        self._note_renewal()
        return self._pause
