"""Rolling up: now and then, a node that carries out adds the executions that have ended to the sums of statistics."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from functools import partial

from sqlalchemy import Connection

from framework.context import AppContext
from framework.database import is_transient
from framework.errors import one_line
from modules.core.scheduler.live.sums import Place, Sum, stored, summed
from modules.core.scheduler.store import rollups
from modules.core.scheduler.store.rollups import Position
from modules.core.scheduler.turn import Turned, Work

log = logging.getLogger(__name__)

PAUSE = 30.0  # seconds between two times, on a node that carries something out; on another one it never comes to it
MARGIN = timedelta(seconds=10)  # a commit may come so much later than the end that stands in its row
PAGE = 2_000  # executions of one transaction
REACH = timedelta(days=7)  # how far back the first time goes


class RollingUp:
    """Keeps the sums up to date while executions end here; whichever node comes first adds those of all nodes."""

    def __init__(self, app_context: AppContext) -> None:
        self._database = app_context.database
        self._clock = app_context.clock
        self._next = app_context.clock.monotonic() + PAUSE
        self._working: asyncio.Task[None] | None = None

    def turned(self, turned: Turned, work: Work) -> None:
        """A turn has been committed: where anything may have ended, add it up, in a task of its own."""
        if not (work.endings or turned.fired) or self._clock.monotonic() < self._next:
            return
        if self._working is None or self._working.done():
            self._next = self._clock.monotonic() + PAUSE
            self._working = asyncio.create_task(self._roll_up_guarded(), name="rolling up")

    async def roll_up(self) -> None:
        """Add all that has ended and is not in the sums, a page at a time."""
        while await self._add_page():
            pass

    async def close(self) -> None:
        """Stop; what is not in the sums is added another time."""
        if self._working is not None:
            self._working.cancel()
            await asyncio.gather(self._working, return_exceptions=True)

    async def _roll_up_guarded(self) -> None:
        try:
            await self.roll_up()
        except Exception as error:  # the boundary: statistics are late, and nothing else is
            log.warning(
                "statistics could not be brought up to date: %s", one_line(error), exc_info=not is_transient(error)
            )

    async def _add_page(self) -> bool:
        """Add some; whether there may be more."""
        now, began = self._clock.now(), self._clock.monotonic()
        after = await self._database.read(rollups.position)
        if after is None:
            await self._database.write(partial(rollups.begin, at=(now - REACH, "")))
            return True
        read = partial(rollups.ended_behind, after=after, before=now - MARGIN, limit=PAGE)
        rows = await self._database.read(read)
        if not rows:
            return False
        sums, last = summed(rows, rollups.KEPT), (rows[-1].end_time, rows[-1].id)
        await self._database.write(partial(_add, sums=sums, after=after, last=last))
        await self._clock.sleep(self._clock.monotonic() - began)  # at least half of the time belongs to others
        return len(rows) == PAGE


def _add(c: Connection, sums: dict[Place, Sum], after: Position, last: Position) -> None:
    """Add a page to the sums, unless another node has done so."""
    if rollups.position(c, locked=True) != after:
        return
    for row in rollups.among(c, {place.at for place in sums}):
        place = Place(row.step, row.at, row.state)
        if place in sums:
            sums[place].join(stored(row))
    rollups.put(c, [{**place._asdict(), **one.columns()} for place, one in sorted(sums.items())])
    rollups.move(c, last)
