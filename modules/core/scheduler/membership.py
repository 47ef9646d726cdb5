"""Membership: this process's place among the nodes, from a new id to the end of its lease."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from importlib import metadata
from typing import Any

from sqlalchemy import Connection

from framework import strict_json
from framework.clock import Clock, SystemClock, new_id
from framework.database import Database
from modules.core.scheduler import process
from modules.core.scheduler.ending import release_node
from modules.core.scheduler.heartbeat import Heartbeat
from modules.core.scheduler.settings import SchedulerSettings
from modules.core.scheduler.store import nodes

VERSION = metadata.version("chamberlain")

log = logging.getLogger(__name__)


def profile_of(settings: SchedulerSettings, clock: Clock) -> dict[str, Any]:
    """Return `{"version", "queues", "slots", "clock_offset"}` of a node, as others are shown them."""
    queues = strict_json.dumps(dict(settings.queues))
    told = {"version": VERSION, "queues": queues, "slots": settings.max_concurrent_tasks}
    return told | {"clock_offset": offset_of(clock)}


def offset_of(clock: Clock) -> float:
    """Return for how many seconds this machine's clock is ahead of the database's; a test's is never."""
    return -clock.offset.total_seconds() if isinstance(clock, SystemClock) else 0.0


class Membership:
    """At most one node at a time; `id` is None outside. `on_lost` is called with the id that others took for dead."""

    def __init__(self, database: Database, clock: Clock, lease: timedelta, on_lost: Callable[[str], None]) -> None:
        self.id: str | None = None
        self.draining_since: datetime | None = None  # as the last turn saw it; who was taken for dead drains on
        self._database = database
        self._clock = clock
        self._lease = lease
        self._on_lost = on_lost
        self._heartbeat: Heartbeat | None = None

    async def join(self) -> str:
        """Register this process under a new id, and keep its lease from now on."""
        now, node_id = self._clock.now(), new_id()
        values = {"id": node_id, **process.identity(), "started_at": now, "lease_until": now + self._lease}
        values["draining_since"] = self.draining_since
        await self._database.write(partial(nodes.register, values=values))
        self._heartbeat = Heartbeat(self._database, self._clock, node_id, self._lease, partial(self.lose, node_id))
        self._heartbeat.start()
        self.id = node_id
        return node_id

    def is_steady(self) -> bool:
        """Whether nothing has held up this node's own lease of late, so that it may judge others by theirs."""
        return self._heartbeat is None or self._heartbeat.is_steady()

    def lose(self, node_id: str) -> None:
        """Others have taken this node for dead; of a node that is not this one any more, nothing follows."""
        if node_id != self.id:
            return
        log.warning("node %s was taken for dead; it stops what it runs and starts anew", node_id)
        self.end()
        self._on_lost(node_id)

    def end(self) -> None:
        """Stop keeping the lease."""
        heartbeat, self._heartbeat, self.id = self._heartbeat, None, None
        if heartbeat is not None:
            heartbeat.stop()

    def release_now(self) -> None:
        """Hand back what this node runs without the event loop, through the heartbeat's connection."""
        heartbeat, node_id = self._heartbeat, self.id
        self._heartbeat = self.id = None
        if heartbeat is not None and node_id is not None:
            heartbeat.stop(self.last_words(node_id))

    def last_words(self, node_id: str) -> Callable[[Connection], None]:
        """Return the transaction that hands back what the node runs and takes it out of service."""
        return partial(release_node, node_id=node_id, now=self._clock.now())
