"""What the limits of some rows leave room for, as claiming would find it, without taking anything."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from modules.core.scheduler.placing import keys_of
from modules.core.scheduler.policies import policies_of

Rate = tuple[int, float]


def rate_of(row: Any) -> Rate | None:
    """Return how many may start in how many seconds by the policies beside a row; None: any number."""
    try:
        return policies_of(row.policies).rate_limit
    except ValueError:  # damaged; claiming does not look at its rate either
        return None


class Limits:
    """The open keys that are held and the newest starts under each limit; `start` counts one more."""

    def __init__(self, now: datetime, held: set[str], starts: Mapping[str, list[datetime]]) -> None:
        self._now = now
        self._held = set(held)
        self._starts = {key: list(moments) for key, moments in starts.items()}

    def free_key(self, limit_key: str | None, slots: int | None) -> str | None:
        """Return an open key that is free under this limit, None where none is, or none is needed."""
        if limit_key is None or slots is None:
            return None
        return next((key for key in keys_of(limit_key, slots) if key not in self._held), None)

    def has_room(self, limit_key: str | None, slots: int | None) -> bool:
        """Whether no key is needed, or one is free."""
        return slots is None or self.free_key(limit_key, slots) is not None

    def next_start(self, limit_key: str | None, rate: Rate | None) -> datetime | None:
        """Return when the rate lets another one start; None: now."""
        if limit_key is None or rate is None or limit_key not in self._starts:
            return None
        most, seconds = rate
        since = self._now - timedelta(seconds=seconds)
        starts = [moment for moment in self._starts[limit_key] if moment > since]
        return None if len(starts) < most else starts[most - 1] + timedelta(seconds=seconds)

    def take(self, limit_key: str) -> None:
        """Count one that is about to take a key, whether it starts or not."""
        key = next(key for key in keys_of(limit_key, len(self._held) + 1) if key not in self._held)
        self._held.add(key)

    def put_off(self, limit_key: str, until: datetime) -> None:
        """Count one that waits for its rate: those behind it wait longer."""
        self._starts[limit_key].insert(0, until)

    def start(self, limit_key: str | None, slots: int | None) -> None:
        """Count one that starts now."""
        key = self.free_key(limit_key, slots)
        if key is not None:
            self._held.add(key)
        if limit_key is not None and limit_key in self._starts:
            self._starts[limit_key].insert(0, self._now)
