"""Triggers whose occurrences can be numbered: once, and every so much elapsed time."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar

from modules.core.scheduler.trigger.bits import ticks
from modules.core.scheduler.trigger.day_masks import (
    SECOND_TICKS,
    Grid,
    Rows,
    TooCoarse,
    nothing,
    repainted,
    row_of,
    within,
)
from modules.core.scheduler.trigger.protocol import DAY, LAST, TICK, TriggerError, as_utc, checked_moment, moment_text
from modules.core.scheduler.trigger.words import every, moment_words, until_text

MAX_INTERVAL = timedelta(days=36_525)


def check_interval(interval: object) -> None:
    """Raise `TriggerError` for what is no duration, or one that an interval cannot have."""
    if not isinstance(interval, timedelta) or not timedelta(0) < interval <= MAX_INTERVAL:
        raise TriggerError("an interval lies between a microsecond and a hundred years", "interval")


class Series(ABC):
    """Occurrences 0, 1, 2 … in time order: what is next, latest and between is arithmetic on their numbers."""

    __slots__ = ()

    @abstractmethod
    def _nth(self, number: int) -> datetime | None:
        """Return the occurrence of this number; None past the last."""

    @abstractmethod
    def _passed(self, moment: datetime) -> int:
        """Return how many occurrences lie at or before the moment (UTC)."""

    def next_after(self, moment: datetime) -> datetime | None:
        return self._nth(self._passed(as_utc(moment)))

    def latest_until(self, moment: datetime, after: datetime) -> datetime | None:
        passed = self._passed(as_utc(moment))
        latest = self._nth(passed - 1) if passed else None
        return latest if latest is not None and latest > after else None

    def count_between(self, after: datetime, until: datetime) -> int:
        return max(self._passed(as_utc(until)) - self._passed(as_utc(after)), 0)

    def between(self, after: datetime, until: datetime) -> Iterator[datetime]:
        for number in range(self._passed(as_utc(after)), self._passed(as_utc(until))):
            occurrence = self._nth(number)
            if occurrence is not None:
                yield occurrence


@dataclass(frozen=True, slots=True)
class Once(Series):
    """One moment; in the past it is still its occurrence."""

    run_date: datetime
    recurring: ClassVar[bool] = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "run_date", checked_moment(self.run_date, "run_date"))

    def to_json(self) -> dict[str, Any]:
        return {"v": 1, "type": "date", "run_date": moment_text(self.run_date)}

    def on_days(self, grid: Grid) -> Rows:
        since = self.run_date - grid.midnight()
        day = since // DAY
        if not 0 <= day < grid.days:
            return {}
        unit, rest = divmod(since % DAY // TICK, grid.unit * SECOND_TICKS)
        return {rest: repainted(nothing(grid), {day: 1 << unit})}

    def stored(self) -> str:
        """Return the JSON text of `to_json`, which is the same for all but the moment."""
        return f'{{"v":1,"type":"date","run_date":"{moment_text(self.run_date)}"}}'

    def describe(self, place: str | None = None) -> str:
        return f"once at {moment_words(self.run_date, place)}"

    def _nth(self, number: int) -> datetime | None:
        return self.run_date if number == 0 else None

    def _passed(self, moment: datetime) -> int:
        return int(self.run_date <= moment)


@dataclass(frozen=True, slots=True)
class Every(Series):
    """Every so much elapsed time: first at `start`, then in phase with it without drift, not after `end`."""

    interval: timedelta
    start: datetime
    end: datetime | None = None
    recurring: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_interval(self.interval)
        object.__setattr__(self, "start", checked_moment(self.start, "start"))
        if self.end is not None:
            object.__setattr__(self, "end", checked_moment(self.end, "end"))

    def hits(self, moment: datetime) -> bool:
        """Tell whether a UTC moment is an occurrence."""
        return self.start <= moment <= (self.end or LAST) and not (moment - self.start) % self.interval

    def passed_since(self, begin: datetime) -> Callable[[int], int]:
        """Return what tells how many moments lie earlier than so many microseconds after a UTC one."""
        interval, first = self.interval // TICK, (self.start - begin) // TICK
        total = self._passed(LAST)
        return lambda since: min(max((since - first - 1) // interval + 1, 0), total)

    def on_days(self, grid: Grid) -> Rows:
        interval, left = divmod(self.interval // TICK, grid.unit * SECOND_TICKS)
        if left:
            raise TooCoarse
        units, rest = divmod((self.start - grid.midnight()) // TICK, grid.unit * SECOND_TICKS)
        day = grid.width
        firsts = [first % interval for first in range(units, units - grid.days * day, -day)]
        each = ticks(day // interval + 1, interval)
        row = row_of(firsts, {first: each << first & grid.full if first < day else 0 for first in set(firsts)})
        return within({rest: row}, grid, self.start - TICK, self.end or LAST)

    def to_json(self) -> dict[str, Any]:
        seconds = self.interval.total_seconds()
        return {
            "v": 1,
            "type": "interval",
            "seconds": int(seconds) if seconds.is_integer() else seconds,
            "start": moment_text(self.start),
            "end": self.end and moment_text(self.end),
        }

    def describe(self, place: str | None = None) -> str:
        return every(self.interval) + until_text(self.end, place)

    def _nth(self, number: int) -> datetime | None:
        try:
            occurrence = self.start + number * self.interval
        except OverflowError:
            return None
        return occurrence if occurrence <= (self.end or LAST) else None

    def _passed(self, moment: datetime) -> int:
        until = min(moment, self.end or LAST)
        return 0 if until < self.start else (until - self.start) // self.interval + 1
