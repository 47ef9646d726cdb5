"""Pings: an outside service hears how a task's occurrences end, and that the scheduler itself is alive."""

from __future__ import annotations

import asyncio
import logging

from framework.clock import Clock, SystemClock
from framework.outgoing import Outgoing
from framework.time_limit import finishes_within
from modules.core.scheduler.ending import Ending
from modules.core.scheduler.execution import State
from modules.core.scheduler.turn import Turned, Work

log = logging.getLogger(__name__)

MOST_WAITING = 1_000  # URLs; of one URL that waits already, another ping says no more
PAUSES = (2.0, 10.0)  # seconds before the second and the third try
GOODBYE_SECONDS = 2.0  # real seconds of a stop in which pings still go out


class Pings:
    """Calls URLs one after the other, outside of everything else; a ping that does not get through is logged."""

    def __init__(self, clock: Clock, outgoing: Outgoing) -> None:
        self._clock, self._outgoing = clock, outgoing
        self._waiting: dict[str, str] = {}
        self._sending: asyncio.Task[None] | None = None

    def turned(self, turned: Turned, work: Work) -> None:
        """Call for every ending that a committed turn has recorded as a success, or as a failure for good."""
        for ending in work.endings:
            url = _url_of(ending, turned)
            if url is not None and ending.id not in turned.refused:
                self.call(url, f"of {ending.name}")

    def call(self, url: str, whose: str) -> None:
        """Let this URL be called; `whose` is how a ping that fails is told."""
        if len(self._waiting) < MOST_WAITING:
            self._waiting[url] = whose
        if self._sending is None or self._sending.done():
            self._sending = asyncio.create_task(self._send(), name="pings")

    async def stop(self) -> None:
        """Let those that wait go out, within two seconds."""
        if self._sending is not None and not await finishes_within(self._sending, SystemClock(), GOODBYE_SECONDS):
            self._sending.cancel()

    async def _send(self) -> None:
        while self._waiting:
            url = next(iter(self._waiting))
            whose, problem = self._waiting.pop(url), None
            for pause in (*PAUSES, None):
                problem = await self._outgoing.send(url)
                if problem is None or pause is None:
                    break
                await self._clock.sleep(pause)
            if problem is not None:
                log.warning("the ping %s did not get through: %s", whose, problem)


def _url_of(ending: Ending, turned: Turned) -> str | None:
    of_success, of_failure = ending.pings
    state = ending.stored[0]
    if state is State.SUCCEEDED:
        return of_success
    has_failed = state in (State.FAILED, State.TIMED_OUT) and ending.id in turned.final
    return of_failure if has_failed else None
