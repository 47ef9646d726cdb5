"""Tiers: the newest of each of the last so many hours, days, weeks, months and years stays, as with restic's forget."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

Tier = Literal["hourly", "daily", "weekly", "monthly", "yearly"]
Tiers = Annotated[dict[Tier, Annotated[int, Field(ge=1, le=10_000)]], Field(min_length=1)]
Period = tuple[int, ...]


def period(tier: Tier, moment: datetime) -> Period:
    """Return the hour, day, ISO week, month or year that the moment lies in, in its own zone; a later one is more."""
    if tier == "weekly":
        return tuple(moment.isocalendar()[:2])
    parts = (moment.year, moment.month, moment.day, moment.hour)
    return parts[: {"yearly": 1, "monthly": 2, "daily": 3, "hourly": 4}[tier]]


class TierKeeper:
    """Learns all items of a group, in any order, and then says which of them a tier keeps.

    Only periods that hold an item count, so seven daily ones may lie weeks apart. An item stays as soon as one tier
    wants it. Memory is bounded by the sum of the counts.
    """

    def __init__(self, tiers: Mapping[Tier, int]) -> None:
        self._tiers = tiers
        self._newest: dict[Tier, dict[Period, int]] = {tier: {} for tier in tiers}

    def add(self, moment: datetime, rank: int) -> None:
        """Learn an item; a higher rank is newer, and agrees with the moments."""
        for tier, newest in self._newest.items():
            when = period(tier, moment)
            newest[when] = max(rank, newest.get(when, rank))
            if len(newest) > self._tiers[tier]:
                del newest[min(newest)]

    def keeps(self, moment: datetime, rank: int) -> bool:
        """Tell whether a tier keeps the item; one that is newer than all that was learnt is kept."""
        return any(self._wants(tier, newest, moment, rank) for tier, newest in self._newest.items())

    def _wants(self, tier: Tier, newest: Mapping[Period, int], moment: datetime, rank: int) -> bool:
        when = period(tier, moment)
        if when in newest:
            return rank >= newest[when]
        return len(newest) < self._tiers[tier] or when > min(newest)
