"""The trigger that leaves a pause after each run: the next time is counted from the last end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar

from modules.core.scheduler.trigger.day_masks import Grid, Rows
from modules.core.scheduler.trigger.protocol import LAST, Trigger, as_utc, checked_moment, moment_text
from modules.core.scheduler.trigger.series import Once, check_interval
from modules.core.scheduler.trigger.words import span_text, until_text


@dataclass(frozen=True, slots=True)
class AfterEnd:
    """First at `start`, then so long after the last execution has ended, retries included; not after `end`.

    Only the first time is known beforehand. Every further one is asked for with the moment of that end: it lies one
    interval later. Walking along `next_after` shows the times at the earliest, as if the runs took no time.
    """

    interval: timedelta
    start: datetime
    end: datetime | None = None
    recurring: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_interval(self.interval)
        object.__setattr__(self, "start", checked_moment(self.start, "start"))
        if self.end is not None:
            object.__setattr__(self, "end", checked_moment(self.end, "end"))

    def next_after(self, moment: datetime) -> datetime | None:
        moment = as_utc(moment)
        try:
            following = self.start if moment < self.start else moment + self.interval
        except OverflowError:
            return None
        return following if following <= (self.end or LAST) else None

    def latest_until(self, moment: datetime, after: datetime) -> datetime | None:
        return next(iter([*self.between(after, moment)][-1:]), None)

    def count_between(self, after: datetime, until: datetime) -> int:
        return len([*self.between(after, until)])

    def between(self, after: datetime, until: datetime) -> Iterator[datetime]:
        """Yield the first time, if it lies there: no other is known."""
        if as_utc(after) < self.start <= min(as_utc(until), self.end or LAST):
            yield self.start

    def on_days(self, grid: Grid) -> Rows:
        return Once(self.start).on_days(grid) if self.start <= (self.end or LAST) else {}

    def to_json(self) -> dict[str, Any]:
        return {
            "v": 1,
            "type": "after_end",
            "seconds": self.interval.total_seconds(),
            "start": moment_text(self.start),
            "end": self.end and moment_text(self.end),
        }

    def describe(self, place: str | None = None) -> str:
        return f"{span_text(self.interval)} after each run has ended{until_text(self.end, place)}"


def pauses_after_each_run(trigger: Trigger) -> bool:
    """Tell whether the next time is counted from the end of a run, and not known before it."""
    inner = getattr(trigger, "trigger", None)
    return isinstance(trigger, AfterEnd) if inner is None else pauses_after_each_run(inner)
