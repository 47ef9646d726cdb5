"""Heads: where the lines began that this node looked at, so that it need not begin before that each time.

While somebody holds an old snapshot, PostgreSQL keeps every entry of the line's indexes, and who looks from their
beginning walks past all that has ever stood there. A whole look finds everything. Where it has become dear, looks
between two of them begin where the line of each queue began last. What came in before that, or in a queue or for a
function that was not there, is found by the next whole look. With times it is the same.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from modules.core.scheduler.store import candidates, outlook

DEAR = 0.002  # seconds of a whole look, of its cheapest of the last few, so that one hiccup changes nothing
LAST = 5
SHARE = 32  # times as long as it took, whole looks rest
LONGEST = 1.0  # seconds that they rest
QUEUES = 16  # that are remembered though nobody stands there now
LATE = timedelta(seconds=5)  # by which what is stored for a moment may be committed after it


class _Looks:
    """Looks of which some are whole; where those are dear, they rest."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._took: deque[float] = deque(maxlen=LAST)
        self._began, self._whole_at = 0.0, float("-inf")
        self.is_whole = True

    def begin(self) -> bool:
        """Begin a look; tell whether it is to be a whole one."""
        self._began = self._monotonic()
        self.is_whole = self._began >= self._whole_at
        return self.is_whole

    def end(self) -> None:
        """Let whole looks rest after one, as long as they are worth."""
        now = self._monotonic()
        self._took.append(now - self._began)
        dear = min(self._took) if len(self._took) == LAST else 0.0
        self._whole_at = now + (min(SHARE * dear, LONGEST) if dear >= DEAR else 0.0)

    def rests(self) -> float:
        """Return for how many seconds more looks will not be whole; none after a look that was."""
        return 0.0 if self.is_whole else max(self._whole_at - self._monotonic(), 0.0)

    def forget(self) -> None:
        """Let the next look be a whole one."""
        self._whole_at = float("-inf")


class Times:
    """From which moment on one node looks for what is or becomes due, from turn to turn: `since`, None for any."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._looks = _Looks(monotonic)
        self._first: datetime | None = None
        self.since: datetime | None = None

    def look(self, c: Connection, node_id: str, now: datetime) -> outlook.Outlook:
        """Return what lies before the node; what is due later than `now` is never left out."""
        self.since = None if self._looks.begin() else self._first
        ahead = outlook.look(c, node_id, self.since)
        if self._looks.is_whole:
            self._looks.end()
        self._first = min(moment for moment in (ahead.soonest, ahead.later, now - LATE) if moment is not None)
        return ahead

    def rests(self) -> float:
        """Return after how many seconds a look may find what this one has left out."""
        return self._looks.rests()

    def forget(self) -> None:
        """Let the next look be a whole one."""
        self._looks.forget()


class Heads:
    """What one node remembers of the lines, from turn to turn; by no clock, each of its looks is a whole one.

    A turn that is undone need not be forgotten: what it claimed stands behind where it began.
    """

    def __init__(self, monotonic: Callable[[], float] = lambda: 0.0) -> None:
        self._looks, self.times = _Looks(monotonic), Times(monotonic)
        self._in_line: dict[str, set[str]] = {}
        self._ranks: dict[str, float] = {}

    def look(self, c: Connection) -> Mapping[str, set[str]]:
        """Return the functions of those in line, by queue; between whole looks, of those that have been there."""
        if not self._looks.begin():
            return self._in_line
        found = candidates.in_line(c)
        self._looks.end()
        self._remember(found)
        return {queue: set(firsts) for queue, firsts in found.items()}

    def rank(self, queue: str) -> float:
        """Return from which rank on to look into a queue."""
        return self._ranks.get(queue, candidates.FIRST)

    def saw(self, queue: str, rows: Sequence[Any]) -> None:
        """Remember where a queue began: at the first of the rows that a look found."""
        if rows:
            self._ranks[queue] = rows[0].rank

    def rests(self) -> float:
        """Return for how many seconds more looks will not be whole; none after a look that was."""
        return self._looks.rests()

    def forget(self) -> None:
        """Let the next looks be whole ones."""
        self._looks.forget()
        self.times.forget()

    def _remember(self, found: Mapping[str, Mapping[str, float]]) -> None:
        if len(self._in_line) > QUEUES:
            self._in_line, self._ranks = {}, {}
        for queue, firsts in found.items():
            self._in_line[queue] = self._in_line.get(queue, set()) | set(firsts)
            self._ranks[queue] = _least(firsts.values())


def _least(ranks: Collection[float]) -> float:
    """Return the first of the ranks; before any where one is none, as a damaged row of SQLite's may have it."""
    return min(ranks) if all(type(rank) is float for rank in ranks) else candidates.FIRST
