"""The trigger that fires where several coincide."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from modules.core.scheduler.trigger.after_end import pauses_after_each_run
from modules.core.scheduler.trigger.coincidence import beside, has_fractions, meet
from modules.core.scheduler.trigger.day_counts import count
from modules.core.scheduler.trigger.day_masks import Grid, Rows, all_of
from modules.core.scheduler.trigger.event import awaited_in
from modules.core.scheduler.trigger.meeting import Met, first_meeting, last_meeting
from modules.core.scheduler.trigger.protocol import LAST, TICK, TimeTrigger, Trigger, TriggerError, as_utc
from modules.core.scheduler.trigger.series import Every, Once
from modules.core.scheduler.trigger.words import told_together

MAX_TRIGGERS = 20


@dataclass(frozen=True, slots=True)
class AllOf:
    """Fires at the moments that are occurrences of each of its triggers; those inside are times.

    A search ends after 50 years, or 40,000 days of all of them together: `given_up` tells that from there being none.
    """

    triggers: tuple[TimeTrigger, ...]

    def __post_init__(self) -> None:
        flat: dict[TimeTrigger, None] = {}
        given: tuple[object, ...] = self.triggers
        for trigger in given:
            if not isinstance(trigger, TimeTrigger) or awaited_in(trigger) is not None:
                raise TriggerError("all takes times alone: an event happens at no time known beforehand", "triggers")
            if pauses_after_each_run(trigger):
                raise TriggerError("a pause after each run stands alone; give it a task of its own", "triggers")
            flat.update(dict.fromkeys(trigger.triggers if isinstance(trigger, AllOf) else (trigger,)))
        if not 1 <= len(flat) <= MAX_TRIGGERS:
            raise TriggerError(f"all takes 1 to {MAX_TRIGGERS} triggers, not {len(flat)}", "triggers")
        if any(map(has_fractions, flat)):
            raise TriggerError("an interval within all is a whole number of seconds", "triggers")
        object.__setattr__(self, "triggers", _with_one_series(tuple(flat)))

    def __eq__(self, other: object) -> bool:
        if len(self.triggers) == 1:
            return self.triggers[0] == other
        return isinstance(other, AllOf) and set(self.triggers) == set(other.triggers)

    def __hash__(self) -> int:
        return hash(self.triggers[0] if len(self.triggers) == 1 else ("all", frozenset(self.triggers)))

    @property
    def recurring(self) -> bool:
        return all(trigger.recurring for trigger in self.triggers)

    def next_after(self, moment: datetime) -> datetime | None:
        return self._met(moment).at

    def given_up(self, moment: datetime) -> datetime | None:
        """Return up to when nothing was found after a moment, where the search ended before the triggers did."""
        return self._met(moment).until

    def latest_until(self, moment: datetime, after: datetime) -> datetime | None:
        return last_meeting(self, as_utc(moment), as_utc(after))

    def count_between(self, after: datetime, until: datetime) -> int:
        if len(self.triggers) == 1:
            return self.triggers[0].count_between(after, until)
        return count(self, as_utc(after), as_utc(until))

    def between(self, after: datetime, until: datetime) -> Iterator[datetime]:
        after, until = as_utc(after), as_utc(until)
        seldom = min(self.triggers, key=lambda trigger: trigger.count_between(after, until))
        others = [trigger for trigger in self.triggers if trigger is not seldom]
        moments = seldom.between(after, until)
        return (moment for moment in moments if all(_fires_at(trigger, moment) for trigger in others))

    def on_days(self, grid: Grid) -> Rows:
        series = [trigger for trigger in self.triggers if isinstance(trigger, (Every, Once))]
        several = [trigger.on_days(grid) for trigger in self.triggers if not isinstance(trigger, (Every, Once))]
        if not several:
            return series[0].on_days(grid)
        rests = set(several[0]).intersection(*several)
        several += [beside(each, rests, grid) for each in series]
        return {rest: all_of([rows[rest] for rows in several]) for rest in rests}

    def to_json(self) -> dict[str, Any]:
        return {"v": 1, "type": "all", "triggers": [trigger.to_json() for trigger in self.triggers]}

    def describe(self, place: str | None = None) -> str:
        return told_together(", and at the same time ", self.triggers, place)

    def _met(self, moment: datetime) -> Met:
        return first_meeting(self, as_utc(moment))


def searches(trigger: Trigger) -> bool:
    """Whether the times of a trigger are searched for, so that to find none may only mean that the search ended."""
    return isinstance(trigger, AllOf) or any(map(searches, _inner(trigger)))


def given_up(trigger: Trigger, moment: datetime) -> datetime | None:
    """Return up to when a trigger without a next time was searched, where no more than that is known of it."""
    if isinstance(trigger, AllOf):
        return trigger.given_up(moment)
    end, start = getattr(trigger, "end", None) or LAST, getattr(trigger, "start", None)
    moment = moment if start is None else max(moment, start - TICK)
    known = [until for each in _inner(trigger) if (until := given_up(each, moment)) is not None and until < end]
    return min(known, default=None)


def _inner(trigger: Trigger) -> Sequence[Trigger]:
    return getattr(trigger, "triggers", None) or [each for each in [getattr(trigger, "trigger", None)] if each]


def _fires_at(trigger: TimeTrigger, moment: datetime) -> bool:
    return trigger.hits(moment) if isinstance(trigger, Every) else trigger.next_after(moment - TICK) == moment


def _with_one_series(triggers: tuple[TimeTrigger, ...]) -> tuple[TimeTrigger, ...]:
    """Replace intervals by the one that is all of them; raises `TriggerError` where they never meet."""
    series = [trigger for trigger in triggers if isinstance(trigger, (Every, Once))]
    if len(series) < 2:
        return triggers
    common = series[0]
    for other in series[1:]:
        met = meet(common, other)
        if met is None:
            raise TriggerError("the times and intervals within all never coincide", "triggers")
        common = met
    return (*(trigger for trigger in triggers if not isinstance(trigger, (Every, Once))), common)
