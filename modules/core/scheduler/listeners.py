"""Listeners: told of what has been committed, after it has been, and never in the way of it."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection, Row

from framework.clock import SystemClock
from framework.context import AppContext
from framework.database import is_transient
from framework.errors import one_line
from framework.time_limit import finishes_within
from modules.core.scheduler.ending import Ending
from modules.core.scheduler.execution import State
from modules.core.scheduler.listener import EventKind, Listener, SchedulerEvent
from modules.core.scheduler.store import aftermath
from modules.core.scheduler.turn import Turned, Work

log = logging.getLogger(__name__)

GOODBYE_SECONDS = 1.0  # real seconds of a stop in which listeners hear what they have not been told yet
COUNTED = ("name", "told", "failed", "dropped")
REMEMBERED = 10_000  # facts last told, so that none is told twice
LOOKED_AT = 500  # tasks of one look
NOT_RUN = {State.SKIPPED: EventKind.EXECUTION_SKIPPED, State.MISSED: EventKind.EXECUTION_MISSED}
# What a turn does not bring back with it, all of it or in part.
FOUND_BY_LOOKING = frozenset(EventKind) - {EventKind.EXECUTION_STARTED, EventKind.NODE_LOST}


class Listeners:
    """Everybody who listens. All methods but `add`'s answer belong to the event loop; False while nobody listens."""

    def __init__(self, app_context: AppContext) -> None:
        self._database = app_context.database
        self._clock = app_context.clock
        self._everyone: tuple[Listener, ...] = ()
        self._lock = threading.Lock()
        self._moments: set[datetime] = set()
        self._tasks: dict[str, None] = {}
        self._looking: asyncio.Task[None] | None = None
        self._told = Remembered(REMEMBERED)

    def __bool__(self) -> bool:
        return bool(self._everyone)

    def add(
        self,
        callback: Callable[[SchedulerEvent], Any],
        *,
        events: Collection[EventKind | str] | None = None,
        module_id: str | None = None,
    ) -> Callable[[], None]:
        """Call back with each `SchedulerEvent` of this node, or of these kinds and this module's tasks only.

        It is called after the commit, with one event after the other: a coroutine function on the event loop, at most
        ten seconds each, a plain one in a thread of its own. What it raises is logged and counted. Of more than 10,000
        events that wait, the oldest go. Returns a function that removes it, from any thread; a stop removes it, too.
        Raises `ValueError` for a kind that there is not.
        """
        if not callable(callback):
            raise TypeError(f"a listener is a function of an event, not {callback!r}")
        listener = Listener(callback, _kinds(events), module_id)
        with self._lock:
            self._everyone += (listener,)

        def remove() -> None:
            with self._lock:
                self._everyone = tuple(each for each in self._everyone if each is not listener)
            listener.remove()

        return remove

    def counted(self) -> list[dict[str, Any]]:
        """Return `{"name", "told", "failed", "dropped"}` of each listener."""
        return [{name: getattr(listener, name) for name in COUNTED} for listener in self._everyone]

    def turned(self, turned: Turned, work: Work, *, is_mine: bool) -> None:
        """Tell what a committed turn ended, and what it started, unless the node was lost meanwhile."""
        written = [ending for ending in work.endings if ending.id not in turned.refused]
        self._tell(_ended(ending, turned.moment, work.node_id) for ending in written)
        if is_mine:
            self._tell(_started(row, turned.moment, work.node_id) for row in turned.claimed)
        self._look_for(turned.moment if turned.fired else None, [ending.task_id for ending in written])

    def upkept(self, moment: datetime, lost: Sequence[str]) -> None:
        """Tell which nodes were found dead, and find out what became of what they ran."""
        self._tell(SchedulerEvent(EventKind.NODE_LOST, moment, node_id) for node_id in lost)
        self._look_for(moment, ())

    def node_lost(self, node_id: str) -> None:
        """Tell that others have taken this node for dead."""
        self._tell([SchedulerEvent(EventKind.NODE_LOST, self._clock.now(), node_id)])

    async def close(self) -> None:
        """Tell what waits, within a second, and remove everybody."""
        clock = SystemClock()
        if self._looking is not None and not await finishes_within(self._looking, clock, GOODBYE_SECONDS):
            self._looking.cancel()
        with self._lock:
            everyone, self._everyone = self._everyone, ()
        for each in everyone:
            each.finish()
        await asyncio.gather(*(clock.wait(each.ended, GOODBYE_SECONDS) for each in everyone))
        for each in everyone:
            each.abandon()

    def _tell(self, events: Iterable[SchedulerEvent]) -> None:
        everyone = self._everyone
        for event in events:
            for listener in everyone:
                listener.offer(event)

    def _look_for(self, moment: datetime | None, task_ids: Iterable[str]) -> None:
        """Find out what followed, in a task of its own: a turn waits for no look."""
        wanted = frozenset[EventKind]().union(*(listener.kinds for listener in self._everyone))
        if moment is not None and wanted & FOUND_BY_LOOKING:
            self._moments.add(moment)
        if EventKind.TASK_ENDED in wanted:
            self._tasks.update(dict.fromkeys(task_ids))
        if (self._moments or self._tasks) and (self._looking is None or self._looking.done()):
            self._looking = asyncio.create_task(self._look(), name="look for listeners")

    async def _look(self) -> None:
        while self._moments or self._tasks:
            moments, self._moments = self._moments, set()
            task_ids = list(self._tasks)[:LOOKED_AT]
            for task_id in task_ids:
                del self._tasks[task_id]
            try:
                found = await self._database.read(partial(_aftermath, moments=moments, task_ids=task_ids))
            except Exception as error:  # the boundary: listeners miss something, and nothing else does
                unexpected = None if is_transient(error) else error
                log.warning("listeners are not told of all that followed: %s", one_line(error), exc_info=unexpected)
                continue
            closed, ended = found
            self._tell(_closed(row) for row in closed if self._told.is_new(row.id))
            self._tell(_task_ended(row) for row in ended if self._told.is_new((row.id, row.updated_at)))


class Remembered:
    """The last so many of the facts that it was asked about."""

    def __init__(self, most: int) -> None:
        self._facts: set[Any] = set()
        self._order: deque[Any] = deque()
        self._most = most

    def is_new(self, fact: Any) -> bool:
        """Whether a fact is not among them; it is from now on."""
        if fact in self._facts:
            return False
        self._facts.add(fact)
        self._order.append(fact)
        if len(self._order) > self._most:
            self._facts.discard(self._order.popleft())
        return True


def _kinds(events: Collection[EventKind | str] | None) -> frozenset[EventKind]:
    if events is None:
        return frozenset(EventKind)
    wanted = [events] if isinstance(events, str) else events
    unknown = [str(each) for each in wanted if str(each) not in list(EventKind)]
    if unknown:
        raise ValueError(f"there is no event {', '.join(map(repr, unknown))}; there are {', '.join(EventKind)}")
    return frozenset(EventKind(each) for each in wanted)


def _aftermath(
    c: Connection, moments: Collection[datetime], task_ids: Collection[str]
) -> tuple[Sequence[Row[Any]], Sequence[Row[Any]]]:
    closed = aftermath.closed_at(c, moments) if moments else []
    ids = {*task_ids, *(row.event_id for row in closed)}
    return closed, aftermath.ended_tasks(c, ids) if ids else []


def _started(row: Row[Any], moment: datetime, node_id: str) -> SchedulerEvent:
    kind, state = EventKind.EXECUTION_STARTED, State.RUNNING.value
    return SchedulerEvent(kind, moment, node_id, row.event_id, row.name, row.module_id, row.id, state)


def _ended(ending: Ending, moment: datetime, node_id: str) -> SchedulerEvent:
    whose = (ending.task_id, ending.name, ending.module_id, ending.id)
    state, reason, error = ending.stored
    return SchedulerEvent(EventKind.EXECUTION_ENDED, moment, node_id, *whose, state.value, reason, error)


def _closed(row: Row[Any]) -> SchedulerEvent:
    kind = NOT_RUN.get(row.state, EventKind.EXECUTION_ENDED)
    whose = (row.event_id, row.name, row.module_id, row.id)
    return SchedulerEvent(kind, row.end_time, row.node_id, *whose, row.state, row.reason, row.error)


def _task_ended(row: Row[Any]) -> SchedulerEvent:
    whose = {"task_id": row.id, "task_name": row.name, "module_id": row.module_id}
    return SchedulerEvent(EventKind.TASK_ENDED, row.updated_at, **whose, state=row.status, error=row.last_error)
