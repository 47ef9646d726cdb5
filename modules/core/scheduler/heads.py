"""Heads: where the lines began that this node looked at, so that it need not begin before that each time.

While somebody holds an old snapshot, PostgreSQL keeps every entry of the line's indexes, and who looks from their
beginning walks past all that has ever stood there. A whole look finds everything. Where it has become dear, looks
between two of them begin where the line of each queue began last. What came in before that, or in a queue or for a
function that was not there, is found by the next whole look.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from modules.core.scheduler.store import candidates

DEAR = 0.002  # seconds of a whole look, of its cheapest of the last few, so that one hiccup changes nothing
LAST = 5
SHARE = 32  # times as long as it took, whole looks rest
LONGEST = 1.0  # seconds that they rest
QUEUES = 16  # that are remembered though nobody stands there now


class Heads:
    """What one node remembers of the lines, from turn to turn; by no clock, each of its looks is a whole one.

    A turn that is undone need not be forgotten: what it claimed stands behind where it began.
    """

    def __init__(self, monotonic: Callable[[], float] = lambda: 0.0) -> None:
        self._monotonic = monotonic
        self._took: deque[float] = deque(maxlen=LAST)
        self._whole_at = float("-inf")
        self._in_line: dict[str, set[str]] = {}
        self._ranks: dict[str, float] = {}
        self._is_whole = True

    def look(self, c: Connection) -> Mapping[str, set[str]]:
        """Return the functions of those in line, by queue; between whole looks, of those that have been there."""
        began = self._monotonic()
        self._is_whole = began >= self._whole_at
        if self._is_whole:
            found = candidates.in_line(c)
            now = self._monotonic()
            self._took.append(now - began)
            self._whole_at = now + self._rest()
            self._remember(found)
            return found
        return self._in_line

    def rank(self, queue: str) -> float:
        """Return from which rank on to look into a queue."""
        return candidates.FIRST if self._is_whole else self._ranks.get(queue, candidates.FIRST)

    def saw(self, queue: str, rows: Sequence[Any]) -> None:
        """Remember where a queue began: at the first of the rows that a look found."""
        if rows:
            self._ranks[queue] = rows[0].rank

    def rests(self) -> float:
        """Return for how many seconds more looks will not be whole; none after a look that was."""
        return 0.0 if self._is_whole else max(self._whole_at - self._monotonic(), 0.0)

    def forget(self) -> None:
        """Let the next look be a whole one."""
        self._whole_at = float("-inf")

    def _rest(self) -> float:
        dear = min(self._took) if len(self._took) == LAST else 0.0
        return min(SHARE * dear, LONGEST) if dear >= DEAR else 0.0

    def _remember(self, found: Mapping[str, set[str]]) -> None:
        if len(self._in_line) > QUEUES:
            self._in_line, self._ranks = {}, {queue: rank for queue, rank in self._ranks.items() if queue in found}
        for queue, functions in found.items():
            self._in_line[queue] = self._in_line.get(queue, set()) | functions
