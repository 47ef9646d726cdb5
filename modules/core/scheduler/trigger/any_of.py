"""The trigger that fires whenever one of several does."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any, NamedTuple

from modules.core.scheduler.trigger.after_end import pauses_after_each_run
from modules.core.scheduler.trigger.coincidence import beside, count_union, has_fractions
from modules.core.scheduler.trigger.day_counts import count
from modules.core.scheduler.trigger.day_masks import Grid, Rows, merged, without
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
        if any(has_fractions(trigger) for trigger in flat if not isinstance(trigger, Every)):
            raise TriggerError("within any, only an interval of its own is less than whole seconds", "triggers")
        if sum(isinstance(trigger, Every) for trigger in flat) > MAX_INTERVALS:
            raise TriggerError(f"any takes at most {MAX_INTERVALS} intervals", "triggers")
        object.__setattr__(self, "triggers", tuple(flat))

    def __eq__(self, other: object) -> bool:
        if len(self.triggers) == 1:
            return self.triggers[0] == other
        return isinstance(other, AnyOf) and set(self.triggers) == set(other.triggers)

    def __hash__(self) -> int:
        return hash(self.triggers[0] if len(self.triggers) == 1 else frozenset(self.triggers))

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
        """Intervals are counted by arithmetic; of the others, what no interval has, by the day."""
        after, until = as_utc(after), as_utc(until)
        intervals = [trigger for trigger in self.triggers if isinstance(trigger, Every)]
        others = [trigger for trigger in self.triggers if not isinstance(trigger, (Every, Awaited))]
        alone = count(_Beside(others, intervals), after, until) if others else 0
        return count_union(intervals, after, until) + alone

    def between(self, after: datetime, until: datetime) -> Iterator[datetime]:
        merged = heapq.merge(*(trigger.between(after, until) for trigger in self.triggers))
        return (occurrence for occurrence, _ in groupby(merged))

    def on_days(self, grid: Grid) -> Rows:
        return merged(trigger.on_days(grid) for trigger in self.triggers)

    def to_json(self) -> dict[str, Any]:
        return {"v": 1, "type": "any", "triggers": [trigger.to_json() for trigger in self.triggers]}

    def describe(self, place: str | None = None) -> str:
        return told_together(", or ", self.triggers, place)


class _Beside(NamedTuple):
    """What some triggers have and no interval."""

    triggers: Sequence[TimeTrigger]
    intervals: Sequence[Every]

    def on_days(self, grid: Grid) -> Rows:
        rows = merged(trigger.on_days(grid) for trigger in self.triggers)
        hidden = [beside(interval, rows, grid) for interval in self.intervals]
        return {rest: without(row, *(each[rest] for each in hidden)) for rest, row in rows.items()}
