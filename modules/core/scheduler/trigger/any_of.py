"""The trigger that fires whenever one of several does."""

from __future__ import annotations

import heapq
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from modules.core.scheduler.trigger.after_end import pauses_after_each_run
from modules.core.scheduler.trigger.by_day import Ticks, count_by_day, within
from modules.core.scheduler.trigger.coincidence import count_union
from modules.core.scheduler.trigger.event import Awaited
from modules.core.scheduler.trigger.protocol import TimeTrigger, TriggerError, as_utc
from modules.core.scheduler.trigger.series import Every
from modules.core.scheduler.trigger.words import told_together

MAX_TRIGGERS = 20
MAX_INTERVALS = 8  # their coincidences are counted by subset


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Fires at every occurrence of any of its triggers, once where several coincide; one of them may be an event."""

    triggers: tuple[TimeTrigger, ...]

    def __post_init__(self) -> None:
        flat: dict[TimeTrigger, None] = {}
        for trigger in self.triggers:
            if pauses_after_each_run(trigger):
                raise TriggerError("a pause after each run stands alone; give it a task of its own", "triggers")
            if not isinstance(trigger, TimeTrigger):
                raise TriggerError(f"{trigger!r} is not a trigger", "triggers")
            flat.update(dict.fromkeys(trigger.triggers if isinstance(trigger, AnyOf) else (trigger,)))
        if not 1 <= len(flat) <= MAX_TRIGGERS:
            raise TriggerError(f"any takes 1 to {MAX_TRIGGERS} triggers, not {len(flat)}", "triggers")
        if sum(isinstance(trigger, Awaited) for trigger in flat) > 1:
            raise TriggerError("any takes at most one event; give each further one a task of its own", "triggers")
        if sum(isinstance(trigger, Every) for trigger in flat) > MAX_INTERVALS:
            raise TriggerError(f"any takes at most {MAX_INTERVALS} intervals", "triggers")
        object.__setattr__(self, "triggers", tuple(flat))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AnyOf) and set(self.triggers) == set(other.triggers)

    def __hash__(self) -> int:
        return hash(frozenset(self.triggers))

    @property
    def recurring(self) -> bool:
        return len(self.triggers) > 1 or self.triggers[0].recurring

    def next_after(self, moment: datetime) -> datetime | None:
        found = [trigger.next_after(moment) for trigger in self.triggers]
        return min((occurrence for occurrence in found if occurrence is not None), default=None)

    def latest_until(self, moment: datetime, after: datetime) -> datetime | None:
        found = [trigger.latest_until(moment, after) for trigger in self.triggers]
        return max((occurrence for occurrence in found if occurrence is not None), default=None)

    def count_between(self, after: datetime, until: datetime) -> int:
        """Intervals are counted by arithmetic; of the others, days that look alike only once."""
        after, until = as_utc(after), as_utc(until)
        intervals = [trigger for trigger in self.triggers if isinstance(trigger, Every)]
        others = [trigger for trigger in self.triggers if not isinstance(trigger, (Every, Awaited))]
        beside = count_by_day(others, intervals, after, until, join=_join, count=_beside) if others else 0
        return count_union(intervals, after, until) + beside

    def between(self, after: datetime, until: datetime) -> Iterator[datetime]:
        merged = heapq.merge(*(trigger.between(after, until) for trigger in self.triggers))
        return (occurrence for occurrence, _ in groupby(merged))

    def day_pattern(self, after: datetime) -> Hashable | None:
        patterns = tuple(trigger.day_pattern(after) for trigger in self.triggers)
        return None if None in patterns else patterns

    def day_patterns(self, after: datetime, days: int) -> Sequence[Hashable | None]:
        several = zip(*(trigger.day_patterns(after, days) for trigger in self.triggers), strict=True)
        return [None if None in patterns else patterns for patterns in several]

    def to_json(self) -> dict[str, Any]:
        return {"v": 1, "type": "any", "triggers": [trigger.to_json() for trigger in self.triggers]}

    def describe(self, place: str | None = None) -> str:
        return told_together(", or ", self.triggers, place)


def _join(several: Sequence[Ticks]) -> Ticks:
    return frozenset().union(*several)


def _beside(moments: Ticks, intervals: Sequence[range]) -> int:
    """Count the moments that no interval has."""
    return len(moments) - len(set[int]().union(*(within(moments, ticks) for ticks in intervals)))
