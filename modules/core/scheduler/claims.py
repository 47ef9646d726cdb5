"""What a node can take on, who claims, and what was claimed: values of one turn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Row

from modules.core.scheduler.execution import Closed, Full
from modules.core.scheduler.heads import Heads

MOMENT = timedelta(seconds=1)  # too short a wait to be told


class Stretch(NamedTuple):
    """From when to when a node was full at each of its turns, and of what."""

    since: datetime
    until: datetime
    of: str


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NEVER = Stretch(EPOCH, EPOCH, Full.SLOTS.value)


@dataclass(frozen=True, slots=True)
class Room:
    """How much a node can take on: `free` in all; in each queue that it serves, or in any where that is None.

    Queues are lines beside each other: a node begins with another one each time, at the place `first`. `full` says of
    queues (None: of all) when the node last had no room, and for what. `batch` is how many due tasks, and how many rows
    of a line, are looked at in one go.
    """

    free: int
    queues: Mapping[str, int] | None = None
    first: int = 0
    full: Sequence[tuple[str | None, Stretch]] = ()
    batch: int = 256

    def full_of(self, queue: str, now: datetime) -> dict[str, Any]:
        """Return `full_at` and `full_of`: for what those have waited for a while that were due by that moment."""
        worth_telling = now - MOMENT
        known = [stretch for name, stretch in self.full if name in (None, queue) and stretch.since <= worth_telling]
        last = max(known, key=lambda stretch: stretch.until, default=NEVER)
        return {"full_at": min(last.until, worth_telling), "full_of": last.of}

    def full_with(self, done: Claimed) -> dict[str | None, Full]:
        """Return in which queues (None: in all) there is no room left beside what was claimed, and for what."""
        taken = Counter(row.queue for row in done.rows)
        full: dict[str | None, Full] = {queue: Full.QUEUE for queue, left in done.left.items() if taken[queue] >= left}
        full |= {queue: Full.SLOTS for queue, share in (self.queues or {}).items() if taken[queue] >= share}
        if done.is_full_everywhere:
            full[None] = Full.EVERYWHERE
        return full if self.free > len(done.rows) else {None: Full.SLOTS}


@dataclass(frozen=True, slots=True)
class Claims:
    """Who claims, and what: `crashes_below` leaves out what may be deadly while one such runs already.

    `everywhere` is how many may run on all nodes together, `at_once` how many of each queue that has a limit.
    """

    node_id: str
    session_id: str
    functions: Collection[str]
    last_chance: int | None
    takes_risk: bool
    everywhere: int | None
    careful: bool
    at_once: Mapping[str, int] = field(default_factory=dict)
    heads: Heads = field(default_factory=Heads)


@dataclass(slots=True)
class Claimed:
    """What was claimed; `more` where others may be in line for whom there is room, `locked` where some could not be
    looked at, because another node was deciding about their limit. `left`: what the limits of queues left room for.
    `rests`: after how many seconds the line is looked at as a whole, where it was not. `closed`: what starts no more.
    """

    rows: list[Row[Any]] = field(default_factory=list)
    more: bool = False
    locked: bool = False
    takes_risk: bool = False
    is_full_everywhere: bool = False
    left: Mapping[str, int] = field(default_factory=dict)
    rests: float = 0.0
    closed: list[Closed] = field(default_factory=list)
