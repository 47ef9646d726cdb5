"""Way for other processes that write to a SQLite file: they ask for its lock now and then, which nobody sees."""

from __future__ import annotations

from framework.clock import Clock

HELD = 0.05  # seconds of writing after which others, who have written lately, shall find the file free
HELD_AT_LEAST = 0.1  # and others who have it open
ASKED_OFTEN = 0.128  # seconds of waiting during which SQLite asks so often that the shortest rest is enough
SHORTEST_REST = 0.025
LONGEST_REST = 0.1  # SQLite asks at least as often, however long it has waited
NOTICED_FOR = 2.0  # seconds for which whoever has written may want to write again
UNKNOWN_FOR = 0.25  # seconds at the beginning of a run, when nobody knows yet


class Courtesy:
    """How long a run leaves a file alone, after what it has written and who else has."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until = clock.monotonic() + UNKNOWN_FOR
        self._shared = False
        self._is_first = True
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
        if self._shared and self._is_first:  # somebody may have waited for longer than this run writes
            self._is_first, self._held = False, 0.0
            return LONGEST_REST
        if self._held < (HELD if lately else HELD_AT_LEAST):
            return 0.0
        held, self._held = self._held, 0.0
        if not lately and not self._shared:
            return 0.0
        if not lately and held <= ASKED_OFTEN:
            return SHORTEST_REST
        return min(max(SHORTEST_REST, held / 2), LONGEST_REST)
