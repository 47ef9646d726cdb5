"""Plays through what is to come: which execution would start when on so many slots. Times are seconds since 1970."""

from __future__ import annotations

import heapq
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

MINUTE = 60.0
LEAST = 0.001  # seconds that anything takes, so that time goes on


@dataclass(frozen=True, slots=True)
class Work:
    """What a task asks of the slots, each time: `seconds` of one slot; `most` of its `limit_key` at once.

    `measured` tells whether its seconds come from its history. `own_minute` is what `H` would stand for in the minute
    field of its cron, where a plain number stands there.
    """

    task_id: str
    name: str
    seconds: float
    queue: str = "default"
    priority: int = 0
    overlap: str = "skip"
    most: int = 1
    limit_key: str = ""
    jitter: float = 0.0
    measured: bool = True
    own_minute: int | None = None


class Run(NamedTuple):
    """One occurrence: due at a time, and of which work."""

    due: float
    work: Work


class Started(NamedTuple):
    """What became of an occurrence: when it would start; None where it never gets a slot."""

    run: Run
    start: float | None

    def late(self, end: float) -> float:
        """Return by how many seconds it starts late; what never starts is late until `end`."""
        return max((end if self.start is None else self.start) - self.run.due, 0.0)


class Level(NamedTuple):
    """How much runs and waits at a time, after all that happens at it."""

    at: float
    running: int
    waiting: int


@dataclass(frozen=True, slots=True)
class Slots:
    """How many may run at once: in all, and in each queue; in those that are not named, as many as `others`."""

    total: int
    queues: Mapping[str, int] = field(default_factory=dict)
    others: int | None = None

    def of(self, queue: str) -> int:
        """Return the slots of a queue."""
        return min(self.queues.get(queue, self.total if self.others is None else self.others), self.total)


@dataclass(slots=True)
class Played:
    """What would happen: every occurrence that is not skipped, how many are, and how much runs and waits when."""

    started: list[Started] = field(default_factory=list)
    skipped: int = 0
    levels: list[Level] = field(default_factory=list)


def play(runs: Sequence[Run], slots: Slots, running: Sequence[tuple[float, Work]] = ()) -> Played:
    """Play runs, earliest due first, beside what `running` has begun (its ends, and of which work).

    The order is that of claiming: by the time, with a head start of a minute for each point of priority. `skip` and
    `replace` count what is open, `queue` lets it wait behind its own limit, `allow` knows no limit.
    """
    playing = _Playing(slots)
    for end, work in running:
        playing.begin(end, work)
    return playing.through(runs)


class _Playing:
    def __init__(self, slots: Slots) -> None:
        self._slots = slots
        self._running: list[tuple[float, int, Work]] = []
        self._in_queue: Counter[str] = Counter()
        self._open: Counter[str] = Counter()
        self._ready: dict[str, list[tuple[float, int, Run]]] = {}
        self._behind: dict[str, list[tuple[float, int, Run]]] = {}
        self._waiting = self._number = 0
        self._played = Played()

    def begin(self, end: float, work: Work, *, counts: bool = True) -> None:
        """Let a work run until `end`; what has come in through `_arrive` is counted as open already."""
        self._number += 1
        heapq.heappush(self._running, (end, self._number, work))
        self._in_queue[work.queue] += 1
        self._open[work.limit_key] += counts

    def through(self, runs: Sequence[Run]) -> Played:
        place = 0
        while place < len(runs) or self._running:
            ends = self._running[0][0] if self._running else math.inf
            now = min(ends, runs[place].due if place < len(runs) else math.inf)
            while self._running and self._running[0][0] <= now:
                self._end(heapq.heappop(self._running)[2])
            while place < len(runs) and runs[place].due <= now:
                self._arrive(runs[place])
                place += 1
            self._start(now)
            self._played.levels.append(Level(now, len(self._running), self._waiting))
        for line in (*self._ready.values(), *self._behind.values()):
            self._played.started += [Started(run, None) for _, _, run in line]
        return self._played

    def _arrive(self, run: Run) -> None:
        work = run.work
        is_full = work.overlap != "allow" and self._open[work.limit_key] >= work.most
        if is_full and work.overlap != "queue":
            self._played.skipped += 1
            return
        self._waiting += 1
        if is_full:
            self._push(self._behind, work.limit_key, run)
            return
        self._open[work.limit_key] += 1
        self._push(self._ready, work.queue, run)

    def _push(self, lines: dict[str, list[tuple[float, int, Run]]], name: str, run: Run) -> None:
        self._number += 1
        rank = run.due - MINUTE * run.work.priority
        heapq.heappush(lines.setdefault(name, []), (rank, self._number, run))

    def _end(self, work: Work) -> None:
        self._in_queue[work.queue] -= 1
        self._open[work.limit_key] -= 1
        if line := self._behind.get(work.limit_key):
            run = heapq.heappop(line)[2]
            self._open[work.limit_key] += 1
            self._push(self._ready, run.work.queue, run)

    def _start(self, now: float) -> None:
        while len(self._running) < self._slots.total:
            lines = [line for queue, line in self._ready.items() if line and self._has_room(queue)]
            if not lines:
                return
            run = heapq.heappop(min(lines, key=lambda line: line[0]))[2]
            self._waiting -= 1
            self._played.started.append(Started(run, now))
            self.begin(now + max(run.work.seconds, LEAST), run.work, counts=False)

    def _has_room(self, queue: str) -> bool:
        return self._in_queue[queue] < self._slots.of(queue)
