"""Another trigger, from a start to an end: how it is given these without touching its phase."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from modules.core.scheduler.trigger.day_masks import Grid, Rows, within
from modules.core.scheduler.trigger.event import awaited_in
from modules.core.scheduler.trigger.protocol import (
    FIRST,
    LAST,
    TICK,
    TimeTrigger,
    TriggerError,
    as_utc,
    checked_moment,
    moment_text,
)
from modules.core.scheduler.trigger.words import window_text, zone_in


@dataclass(frozen=True, slots=True)
class Until:
    """The occurrences of a time trigger from `start` to `end`, which count; taken off, the trigger is what it was."""

    trigger: TimeTrigger
    end: datetime | None
    start: datetime | None = None

    def __post_init__(self) -> None:
        if isinstance(self.trigger, Until) or awaited_in(self.trigger) is not None:
            raise TriggerError("until bounds a trigger whose times are known, and only once", "trigger")
        for field in ("start", "end"):
            if getattr(self, field) is not None:
                object.__setattr__(self, field, checked_moment(getattr(self, field), field))

    @property
    def recurring(self) -> bool:
        return self.trigger.recurring

    def next_after(self, moment: datetime) -> datetime | None:
        after, end = self._since(moment), self.end or LAST
        following = self.trigger.next_after(after) if after < end else None
        return following if following is not None and following <= end else None

    def latest_until(self, moment: datetime, after: datetime) -> datetime | None:
        return self.trigger.latest_until(self._within(moment), self._since(after))

    def count_between(self, after: datetime, until: datetime) -> int:
        after, until = self._since(after), self._within(until)
        return self.trigger.count_between(after, until) if after < until else 0

    def between(self, after: datetime, until: datetime) -> Iterator[datetime]:
        return self.trigger.between(self._since(after), self._within(until))

    def on_days(self, grid: Grid) -> Rows:
        return within(self.trigger.on_days(grid), grid, self._since(FIRST), self._within(LAST))

    def to_json(self) -> dict[str, Any]:
        bounds = {"start": self.start and moment_text(self.start), "end": self.end and moment_text(self.end)}
        return {"v": 1, "type": "until", "trigger": self.trigger.to_json(), **bounds}

    def describe(self, place: str | None = None) -> str:
        return self.trigger.describe(place) + window_text(self.start, self.end, zone_in([self.trigger]) or place)

    def _since(self, moment: datetime) -> datetime:
        return as_utc(moment) if self.start is None else max(as_utc(moment), self.start - TICK)

    def _within(self, moment: datetime) -> datetime:
        return min(as_utc(moment), self.end or LAST)
