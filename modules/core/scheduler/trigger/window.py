"""Every so often within a part of the day: from nine to half past five, on some days of the week."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Any, ClassVar

from modules.core.scheduler.trigger.bits import ticks
from modules.core.scheduler.trigger.day_masks import TooCoarse
from modules.core.scheduler.trigger.numbered import Numbered
from modules.core.scheduler.trigger.on_wall_clock import OnWallClock, WallTimes
from modules.core.scheduler.trigger.protocol import DAY, TICK, TriggerError, moment_text
from modules.core.scheduler.trigger.wall_clock import BY_DEFAULT, Dst
from modules.core.scheduler.trigger.weekdays import EVERY_DAY, WEEKDAYS, clock, run_text
from modules.core.scheduler.trigger.words import every, window_text

SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Window(OnWallClock):
    """At `first` and then every `interval` while it is not past `last`, on each of `days` (Monday = 0), in a zone.

    Each day starts anew at `first`. Where `last` is earlier than `first` it lies in the next day, and all of it belongs
    to the day on which it began. These are times of the wall clock: what a change of the clocks leaves out or shows
    twice is as `dst` says. Raises `TriggerError` when built wrong.
    """

    interval: timedelta
    first: time
    last: time
    zone: str
    days: tuple[int, ...] = EVERY_DAY
    start: datetime | None = None
    end: datetime | None = None
    dst: Dst = BY_DEFAULT
    recurring: ClassVar[bool] = True

    def __post_init__(self) -> None:
        interval: object = self.interval
        if not isinstance(interval, timedelta) or not timedelta(0) < interval <= DAY:
            raise TriggerError("every is longer than nothing and at most a day", "every")
        ends: tuple[tuple[str, object], ...] = (("from", self.first), ("to", self.last))
        for field, at in ends:
            if not isinstance(at, time) or at.tzinfo is not None:
                raise TriggerError(f"{field} must be a wall-clock time without a zone, not {at!r}", field)
        if self.first == self.last:
            raise TriggerError("a window is longer than nothing and shorter than a day", "to")
        if not self.days or any(type(day) is not int or day not in EVERY_DAY for day in self.days):
            raise TriggerError(f"days are numbers from 0 (Monday) to 6 (Sunday), not {self.days!r}", "days")
        object.__setattr__(self, "days", tuple(sorted(set(self.days))))
        object.__setattr__(self, "first", self.first.replace(fold=0))
        object.__setattr__(self, "last", self.last.replace(fold=0))
        self._check_window()

    @property
    def times(self) -> WallTimes:
        return _times(self.interval, self.first, self.last, self.days)

    def to_json(self) -> dict[str, Any]:
        seconds = self.interval.total_seconds()
        return {
            "v": 1,
            "type": "window",
            "seconds": int(seconds) if seconds.is_integer() else seconds,
            "from": self.first.isoformat(),
            "to": self.last.isoformat(),
            "days": list(self.days),
            "zone": self.zone,
            "start": self.start and moment_text(self.start),
            "end": self.end and moment_text(self.end),
            "gap": self.dst.gap,
            "fold": self.dst.fold,
        }

    def describe(self, place: str | None = None) -> str:  # noqa: ARG002  # it has a zone of its own
        night = " the next day" if self.last < self.first else ""
        days = "" if self.days == EVERY_DAY else f" on {run_text(self.days, WEEKDAYS)}"
        hours = f"from {clock(self.first)} to {clock(self.last)}{night}{days}"
        return f"{every(self.interval)} {hours} ({self.zone}){window_text(self.start, self.end, self.zone)}"


@lru_cache(maxsize=1024)
def _times(interval: timedelta, first: time, last: time, days: tuple[int, ...]) -> Numbered:
    begin, stop = (datetime.combine(date.min, at) - datetime.combine(date.min, time()) for at in (first, last))
    length = stop - begin if stop > begin else stop - begin + DAY
    return _Times(interval, begin, length // interval + 1, days)


@dataclass(frozen=True, slots=True)
class _Times(Numbered):
    """`each` times on every matching day, the first of them `begin` after its midnight; no day reaches the next one."""

    interval: timedelta
    begin: timedelta
    each: int
    days: tuple[int, ...]

    def nth(self, number: int) -> datetime | None:
        day, place = divmod(number, self.each)
        week, weekday = divmod(day, len(self.days))
        ordinal = week * 7 + self.days[weekday] + 1
        if ordinal > date.max.toordinal() - 1:
            return None
        midnight = datetime.combine(date.fromordinal(ordinal), time())
        return midnight + self.begin + place * self.interval

    def number_at(self, wall: datetime) -> int:
        midnight = datetime.combine(wall.date(), time())
        since = wall - midnight - self.begin
        today = self._earlier_days(wall.toordinal()) * self.each
        yesterday = wall.toordinal() - 1
        unfinished = self.each - self._passed(since + DAY) if self._matches(yesterday) else 0
        return today - unfinished + (self._passed(since) if self._matches(wall.toordinal()) else 0)

    def kind_of(self, day: date) -> Hashable:
        return self._matches(day.toordinal()), self._matches(day.toordinal() - 1)

    def kinds_of(self, first: date, days: int) -> Sequence[Hashable]:
        week = [self.kind_of(first + number * DAY) for number in range(min(days, 7))]
        return (week * (days // 7 + 1))[:days]

    def rest(self, unit: int) -> int:
        if self.interval % timedelta(seconds=unit):
            raise TooCoarse
        return self.begin % timedelta(seconds=unit) // TICK

    def mask_of(self, day: date, unit: int) -> int:
        step, first, width = self.interval // SECOND // unit, self.begin // SECOND // unit, DAY // SECOND // unit
        each = ticks(self.each, step) << first
        today = each & (1 << width) - 1 if self._matches(day.toordinal()) else 0
        return today | (each >> width if self._matches(day.toordinal() - 1) else 0)

    def _matches(self, ordinal: int) -> bool:
        return (ordinal - 1) % 7 in self.days

    def _earlier_days(self, ordinal: int) -> int:
        week, weekday = divmod(ordinal - 1, 7)
        return week * len(self.days) + bisect_left(self.days, weekday)

    def _passed(self, since: timedelta) -> int:
        """Return how many times of a day lie earlier than so long after its first."""
        return min(max(-(-since // self.interval), 0), self.each)
