"""One ticker for all who watch on this node: it looks at the database twice a second, while somebody watches."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from weakref import WeakSet

from framework.context import AppContext
from framework.database import is_transient
from framework.repeat import repeat
from modules.core.scheduler.live.live_event import EPOCH, LiveEvent, Wanted, numbered, position_of, reset
from modules.core.scheduler.live.looking import OVERLAP, Seen, look
from modules.core.scheduler.live.viewer import Viewer

PAUSE = 0.5  # seconds between two looks
REMEMBERED = 2_000  # events of this node that are told again from memory
RECALL = timedelta(minutes=10)  # how far back what has happened is told again from the database

TOO_OLD = reset("TOO_OLD", "what has happened since that event is not told again; look at what there is")
TOO_SLOW = reset("TOO_SLOW", "events came faster than they were taken, and some are missing; look at what there is")


class Ticker:
    """Turns what happens on all nodes into events, for everybody who watches here. It belongs to the event loop."""

    def __init__(self, app_context: AppContext) -> None:
        self._database = app_context.database
        self._clock = app_context.clock
        self._viewers: WeakSet[Viewer] = WeakSet()
        self._seen: Seen | None = None
        self._ring: deque[LiveEvent] = deque(maxlen=REMEMBERED)
        self._version: int | None = None
        self._last = (EPOCH, 0)
        self._must_look = False
        self._looking = asyncio.Lock()
        self._wake = asyncio.Event()
        self._loop: asyncio.Task[None] | None = None

    def watch(
        self,
        *,
        task_id: str | None = None,
        execution_id: str | None = None,
        kinds: Iterable[str] | None = None,
        after: str | None = None,
        lines_after: int = 0,
    ) -> Viewer:
        """Return the events of all nodes from now on, or from behind the event whose id is `after`.

        `kinds` are `task`, `execution`, `progress`, `log`, `cleanup`, `node` and `pause`; `reset` always comes. Of
        `execution_id` the log lines come, too, from behind the one whose number is `lines_after`. What happens comes
        within about a second, at least once; it may begin with what happened in the last three seconds.
        Raises `ResultError` with `INVALID_KIND` for a kind that there is not.
        """
        viewer = Viewer(Wanted.of(task_id, execution_id, kinds), lines_after, self._clock, self._leave)
        viewer.replays_after = after
        self._viewers.add(viewer)
        self._must_look = True
        if self._loop is None or self._loop.done():
            self._seen = Seen(self._clock.now() - OVERLAP)
            self._ring.clear()
            step = repeat(self._step, name="ticker", clock=self._clock, wake=self._wake, passes=is_transient)
            self._loop = asyncio.create_task(step, name="ticker")
        return viewer

    def close(self) -> None:
        """Let everybody's events end."""
        for viewer in list(self._viewers):
            viewer.close()

    async def look(self) -> None:
        """Look once, and tell what there is."""
        async with self._looking:
            await self._look()

    async def _look(self) -> None:
        for viewer in [each for each in self._viewers if each.replays_after is not None]:
            await self._tell_again(viewer, str(viewer.replays_after))
            viewer.replays_after = None
        if self._seen is None or not await self._has_changed():
            return
        now = self._clock.now()
        read = partial(look, seen=self._seen, now=now, lines=self._followed())
        found, self._seen = await self._database.read(read)
        events = self._numbered(now, found)
        self._ring.extend(events)
        for viewer in list(self._viewers):
            _offer(viewer, events)

    def _numbered(self, now: datetime, found: Collection[dict[str, Any]]) -> list[LiveEvent]:
        """Give events ids behind all earlier ones, also at the same moment, or where the clock was set back."""
        last, count = self._last
        moment, first = (now, 1) if now > last else (last, count + 1)
        if found:
            self._last = moment, first + len(found) - 1
        return numbered(moment, found, first)

    async def _step(self) -> float | None:
        if not self._viewers:
            self._seen = None
            return None
        await self.look()
        return PAUSE

    def _leave(self, viewer: Viewer) -> None:
        self._viewers.discard(viewer)
        if not self._viewers:
            self._wake.set()

    def _followed(self) -> Mapping[str, int]:
        """Return the executions whose lines are followed, with the number behind which any viewer wants them."""
        followed: dict[str, int] = {}
        for viewer in self._viewers:
            if viewer.wanted.follows_lines:
                execution_id = str(viewer.wanted.execution_id)
                followed[execution_id] = min(viewer.lines_after, followed.get(execution_id, viewer.lines_after))
        return followed

    async def _has_changed(self) -> bool:
        """Whether there may be anything new: a file that nobody has written to is not looked at."""
        version, before = await self._database.version(), self._version
        self._version = version
        must_look, self._must_look = self._must_look, False
        return must_look or version is None or version != before

    async def _tell_again(self, viewer: Viewer, after: str) -> None:
        """Tell what came behind an event: from memory where it is remembered, else as the database has it now."""
        position, now = position_of(after), self._clock.now()
        if position is None or position[0] < now - RECALL:
            _offer(viewer, numbered(now, [TOO_OLD]))
            return
        remembered = [event for event in self._ring if _place(event) > position]
        if self._ring and _place(self._ring[0]) <= position:
            _offer(viewer, remembered)
            return
        read = partial(look, seen=Seen(position[0] - OVERLAP), now=now, lines={})
        found = numbered(now, (await self._database.read(read))[0])
        # Whoever is cut off before the last one has had nothing that it would miss.
        _offer(viewer, [*(LiveEvent({**event, "id": after}) for event in found[:-1]), *found[-1:]])


def _offer(viewer: Viewer, events: Collection[LiveEvent]) -> None:
    for event in events:
        viewer.offer(event, LiveEvent({"id": event["id"], "at": event["at"], **TOO_SLOW}))


def _place(event: LiveEvent) -> Any:
    return position_of(event["id"])
