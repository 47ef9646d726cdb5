"""Way for other processes that write to a SQLite file: they ask for its lock now and then, which nobody sees."""

from __future__ import annotations

from framework.clock import Clock

HELD = 0.05  # seconds of writing after which others, who have written lately, shall find the file free
HELD_AT_LEAST = 0.1  # and others who have it open: whoever begins to write asks often enough for 128 ms
SHORTEST_REST = 0.025  # SQLite's own waiting asks at least as often as this, until it has waited for 128 ms
LONGEST_REST = 0.1  # and as this, however long it has waited
NOTICED_FOR = 2.0  # seconds for which whoever has written may want to write again
UNKNOWN_FOR = 0.25  # seconds at the beginning of a run, when nobody knows yet


class Courtesy:
    """How long a run leaves a file alone, after what it has written and who else has."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until = clock.monotonic() + UNKNOWN_FOR
        self._shared = False
        self._commits: int | None = None
        self._held = 0.0

    def notice(self, commits: int, *, shared: bool) -> None:
        """Take in a number that others' commits change, and whether other processes have the file open."""
        self._shared = shared
        if self._commits not in (None, commits):
            self._until = self._clock.monotonic() + NOTICED_FOR
        self._commits = commits

    def rest(self, held: float) -> float:
        """Return the seconds to rest for, after so many more of writing."""
        self._held += held
        lately = self._clock.monotonic() < self._until
        if self._held < (HELD if lately else HELD_AT_LEAST):
            return 0.0
        held, self._held = self._held, 0.0
        if not lately:
            return SHORTEST_REST if self._shared else 0.0
        return min(max(SHORTEST_REST, held / 2), LONGEST_REST)
