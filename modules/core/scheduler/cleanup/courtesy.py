"""Way for other processes that write to a SQLite file: they ask for its lock now and then, which nobody sees."""

from __future__ import annotations

from collections.abc import Callable

from framework.clock import Clock

HELD = 0.05  # seconds of writing after which others, who have written lately, shall find the file free
HELD_AT_LEAST = 0.1  # and others who have it open
ASKED_OFTEN = 0.128  # seconds of waiting during which SQLite asks so often that the shortest rest is enough
SHORTEST_REST = 0.025
LONGEST_REST = 0.1  # SQLite asks at least as often, however long it has waited
NOTICED_FOR = 2.0  # seconds for which whoever has written may want to write again
UNKNOWN_FOR = 0.25  # seconds at the beginning of a run, when nobody knows yet


class Courtesy:
    """How long a run leaves a file alone, after what it has written and who else has.

    `is_shared` tells whether other processes have the file open; it is asked once before each rest, not for each batch.
    """

    def __init__(self, clock: Clock, is_shared: Callable[[], bool]) -> None:
        self._clock, self._is_shared = clock, is_shared
        self._until = clock.monotonic() + UNKNOWN_FOR
        self._has_begun = self._has_welcomed = False
        self._commits: int | None = None
        self._held = 0.0

    def notice(self, commits: int) -> None:
        """Take in a number that others' commits change."""
        if self._commits not in (None, commits):
            self._until = self._clock.monotonic() + NOTICED_FOR
        self._commits = commits

    def rest(self, held: float) -> float:
        """Return the seconds to rest for, after so many more of writing."""
        self._held += held
        lately = self._clock.monotonic() < self._until
        is_due = self._held >= (HELD if lately else HELD_AT_LEAST)
        if self._has_begun and not is_due:
            return 0.0
        self._has_begun, shared = True, self._is_shared()
        if shared and not self._has_welcomed:  # somebody may have waited for longer than this run writes
            self._has_welcomed, self._held = True, 0.0
            self._until = min(self._until, self._clock.monotonic() + LONGEST_REST)  # and has written by then
            return LONGEST_REST
        if not is_due:
            return 0.0
        held, self._held = self._held, 0.0
        if not lately and not shared:
            return 0.0
        if not lately and held <= ASKED_OFTEN:
            return SHORTEST_REST
        return min(max(SHORTEST_REST, held / 2), LONGEST_REST)
