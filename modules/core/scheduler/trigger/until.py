"""Another trigger, up to an end: how a task is given one without touching its phase."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from modules.core.scheduler.trigger.event import awaited_in
from modules.core.scheduler.trigger.protocol import (
    DAY,
    TimeTrigger,
    TriggerError,
    as_utc,
    checked_moment,
    moment_text,
)
from modules.core.scheduler.trigger.words import until_text


@dataclass(frozen=True, slots=True)
class Until:
    """The occurrences of a time trigger up to `end`, which counts; taken off again, the trigger is what it was."""

    trigger: TimeTrigger
    end: datetime

    def __post_init__(self) -> None:
        if isinstance(self.trigger, Until) or awaited_in(self.trigger) is not None:
            raise TriggerError("until bounds a trigger whose times are known, and only once", "trigger")
        object.__setattr__(self, "end", checked_moment(self.end, "end"))

    @property
    def recurring(self) -> bool:
        return self.trigger.recurring

    def next_after(self, moment: datetime) -> datetime | None:
        following = self.trigger.next_after(moment) if as_utc(moment) < self.end else None
        return following if following is not None and following <= self.end else None

    def latest_until(self, moment: datetime, after: datetime) -> datetime | None:
        return self.trigger.latest_until(self._within(moment), after)

    def count_between(self, after: datetime, until: datetime) -> int:
        return self.trigger.count_between(after, self._within(until))

    def between(self, after: datetime, until: datetime) -> Iterator[datetime]:
        return self.trigger.between(after, self._within(until))

    def day_pattern(self, after: datetime) -> Hashable | None:
        return self.trigger.day_pattern(after) if as_utc(after) <= self.end - DAY else None

    def to_json(self) -> dict[str, Any]:
        return {"v": 1, "type": "until", "trigger": self.trigger.to_json(), "end": moment_text(self.end)}

    def describe(self) -> str:
        return self.trigger.describe() + until_text(self.end)

    def _within(self, moment: datetime) -> datetime:
        return min(as_utc(moment), self.end)
