"""The cron trigger: the wall-clock times of an expression, found in a zone."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from modules.core.scheduler.trigger import wall_clock
from modules.core.scheduler.trigger.expression import normal_text, timetable
from modules.core.scheduler.trigger.protocol import DAY, FIRST, LAST, TICK, as_utc, checked_moment, moment_text
from modules.core.scheduler.trigger.timetable import Timetable
from modules.core.scheduler.trigger.wall_clock import Stretch
from modules.core.scheduler.trigger.words import until_text
from modules.core.scheduler.trigger.zones import zone


@dataclass(frozen=True, slots=True)
class Cron:
    """A five-field cron expression in a zone, within `[start, end]`; raises `TriggerError` when built wrong.

    Daylight saving as in Debian's cron, decided by the hour field alone. A fixed hour: a time in the gap fires at the
    first valid instant after it, a time in the fold fires once, the first time. An hour that begins with `*` follows
    elapsed time: the times of the fold fire in both passes, those of the gap do not exist.
    """

    expression: str
    zone: str
    start: datetime | None = None
    end: datetime | None = None
    recurring: ClassVar[bool] = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "expression", normal_text(self.expression))
        zone(self.zone)
        timetable(self.expression)
        for field in ("start", "end"):
            moment = getattr(self, field)
            if moment is not None:
                object.__setattr__(self, field, checked_moment(moment, field))

    def next_after(self, moment: datetime) -> datetime | None:
        for stretch in self._stretches(moment, LAST):
            wall = self._times.first_in(stretch.first, stretch.stop)
            if wall is not None:
                return stretch.instant(wall)
        return None

    def latest_until(self, moment: datetime, after: datetime) -> datetime | None:
        for stretch in self._stretches(after, moment, newest_first=True):
            wall = self._times.last_in(stretch.first, stretch.stop)
            if wall is not None:
                return stretch.instant(wall)
        return None

    def count_between(self, after: datetime, until: datetime) -> int:
        return sum(self._count(stretch) for stretch in self._stretches(after, until))

    def between(self, after: datetime, until: datetime) -> Iterator[datetime]:
        for stretch in self._stretches(after, until):
            walls = self._times.all_in(stretch.first, stretch.stop)
            if stretch.at is not None:
                walls = walls[:1]
            yield from (stretch.instant(wall) for wall in walls)

    def day_pattern(self, after: datetime) -> Hashable | None:
        parts = list(self._stretches(after, after + DAY))
        if len(parts) != 1 or parts[0].stop - parts[0].first != DAY:
            return None
        days = (parts[0].first.date(), parts[0].stop.date())
        return (parts[0].offset, *(self._times.has_day(day) for day in days))

    def to_json(self) -> dict[str, Any]:
        return {
            "v": 1,
            "type": "cron",
            "expression": self.expression,
            "zone": self.zone,
            "start": self.start and moment_text(self.start),
            "end": self.end and moment_text(self.end),
        }

    def describe(self) -> str:
        return f"cron {self.expression} ({self.zone}){until_text(self.end)}"

    @property
    def _times(self) -> Timetable:
        return timetable(self.expression)

    def _count(self, stretch: Stretch) -> int:
        count = self._times.count_in(stretch.first, stretch.stop)
        return count if stretch.at is None else min(count, 1)

    def _stretches(self, after: datetime, until: datetime, *, newest_first: bool = False) -> Iterator[Stretch]:
        after = max(as_utc(after), self.start - TICK if self.start else FIRST)
        until = min(as_utc(until), self.end or LAST)
        once = self._times.fixed_hour
        return wall_clock.stretches(zone(self.zone), after, until, once=once, newest_first=newest_first)
