"""Every so many days or months at a wall-clock time: a day of the calendar that is counted, not a time that elapses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import MAXYEAR, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any, ClassVar

from modules.core.scheduler.trigger.day_masks import HOUR, MINUTE, SECOND_TICKS
from modules.core.scheduler.trigger.month_day import MonthDay, month_day
from modules.core.scheduler.trigger.numbered import Numbered
from modules.core.scheduler.trigger.on_wall_clock import OnWallClock, WallTimes
from modules.core.scheduler.trigger.protocol import TriggerError, moment_text
from modules.core.scheduler.trigger.wall_clock import BY_DEFAULT, Dst
from modules.core.scheduler.trigger.weekdays import MONTHS, WEEKDAYS, clock
from modules.core.scheduler.trigger.words import counted, every_months, until_text

MAX_EVERY = {"days": 36_525, "months": 1_200}


@dataclass(frozen=True, slots=True)
class CalendarInterval(OnWallClock):
    """Every so many `days` or `months` (`unit`) at the time `at` of a zone, within `[start, end]`.

    In months on `day` as `month_day` reads it: 30 is the last day where the month is shorter, and 30 again in the next.
    `phase` says which days or months: the remainder of the day's ordinal, or of the month counted from the year 0, by
    `every`. Raises `TriggerError` when built wrong.
    """

    every: int
    unit: str
    at: time
    zone: str
    day: int | str | None = None
    phase: int = 0
    start: datetime | None = None
    end: datetime | None = None
    dst: Dst = BY_DEFAULT
    recurring: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.unit not in ("days", "months"):
            raise TriggerError(f"a calendar counts {' or '.join(MAX_EVERY)}, not {self.unit!r}", "unit")
        most = MAX_EVERY[self.unit]
        if type(self.every) is not int or not 1 <= self.every <= most:
            raise TriggerError(f"{self.unit} must be a whole number from 1 to {most:,}", self.unit)
        if type(self.phase) is not int:
            raise TriggerError(f"phase must be a whole number, not {self.phase!r}", "phase")
        at: object = self.at
        if not isinstance(at, time) or at.tzinfo is not None:
            raise TriggerError(f"at must be a wall-clock time without a zone, not {at!r}", "at")
        if self.unit == "months" and not isinstance(self.day, (int, str)):
            raise TriggerError("a calendar of months needs 'day'", "day")
        if self.unit == "days" and self.day is not None:
            raise TriggerError("a calendar of days has no day", "day")
        object.__setattr__(self, "day", None if self.day is None else month_day(self.day).text)
        object.__setattr__(self, "phase", self.phase % self.every)
        object.__setattr__(self, "at", self.at.replace(fold=0))
        self._check_window()

    @property
    def times(self) -> WallTimes:
        return _times(self.every, self.at, self.day, self.phase)

    def to_json(self) -> dict[str, Any]:
        return {
            "v": 1,
            "type": "calendar",
            "every": self.every,
            "unit": self.unit,
            "phase": self.phase,
            "day": self.day,
            "at": self.at.isoformat(),
            "zone": self.zone,
            "start": self.start and moment_text(self.start),
            "end": self.end and moment_text(self.end),
            "gap": self.dst.gap,
            "fold": self.dst.fold,
        }

    def describe(self, place: str | None = None) -> str:  # noqa: ARG002  # it has a zone of its own
        return f"{self._which} at {clock(self.at)} ({self.zone}){until_text(self.end, self.zone)}"

    @property
    def _which(self) -> str:
        if self.day is None:
            weeks, days = divmod(self.every, 7)
            if days:
                return "every day" if self.every == 1 else f"every {counted(self.every, 'day')}"
            weekday = WEEKDAYS[(self.phase - 1) % 7]
            return f"every {weekday}" if weeks == 1 else f"every {counted(weeks, 'week')} on {weekday}"
        month = ""
        if self.every % 12 == 0:
            month = f" in {MONTHS[self.phase % 12]}"
        elif 12 % self.every == 0 and self.every > 1:
            month = f" from {MONTHS[self.phase]}"
        return f"{every_months(self.every)}{month} on {month_day(self.day).describe()}"


@lru_cache(maxsize=1024)
def _times(every: int, at: time, day: int | str | None, phase: int) -> Numbered:
    return _Days(every, phase, at) if day is None else _Months(every, phase, month_day(day), at)


class _OnceADay(Numbered):
    __slots__ = ()
    at: time

    def rest(self, unit: int) -> int:
        return self.at.second % unit * SECOND_TICKS + self.at.microsecond

    def mask_of(self, day: date, unit: int) -> int:
        second = self.at.hour * HOUR + self.at.minute * MINUTE + self.at.second
        return 1 << second // unit if self.kind_of(day) is True else 0


@dataclass(frozen=True, slots=True)
class _Days(_OnceADay):
    every: int
    phase: int
    at: time

    def nth(self, number: int) -> datetime | None:
        ordinal = number * self.every + self.phase
        return datetime.combine(date.fromordinal(ordinal), self.at) if ordinal <= date.max.toordinal() else None

    def number_at(self, wall: datetime) -> int:
        ordinal = wall.toordinal() + (wall.time() > self.at)
        return -((self.phase - ordinal) // self.every)

    def kind_of(self, day: date) -> bool:
        return (day.toordinal() - self.phase) % self.every == 0

    def kinds_of(self, first: date, days: int) -> Sequence[bool]:
        found = [False] * days
        for day in range((self.phase - first.toordinal()) % self.every, days, self.every):
            found[day] = True
        return found


@dataclass(frozen=True, slots=True)
class _Months(_OnceADay):
    every: int
    phase: int
    day: MonthDay
    at: time

    def nth(self, number: int) -> datetime | None:
        year, month = divmod(number * self.every + self.phase, 12)
        if year > MAXYEAR:
            return None
        return datetime.combine(date(year, month + 1, self.day.of(year, month + 1)), self.at)

    def number_at(self, wall: datetime) -> int:
        number = -((self.phase - (wall.year * 12 + wall.month - 1)) // self.every)
        found = self.nth(number)
        return number + (found is not None and found < wall)

    def kind_of(self, day: date) -> bool:
        in_phase = (day.year * 12 + day.month - 1 - self.phase) % self.every == 0
        return in_phase and day.day == self.day.of(day.year, day.month)

    def kinds_of(self, first: date, days: int) -> Sequence[bool]:
        found, begin = [False] * days, datetime.combine(first, time())
        number = self.number_at(begin)
        while (wall := self.nth(number)) is not None and (day := (wall - begin).days) < days:
            found[day], number = True, number + 1
        return found


def phase_of(day: date, unit: str) -> int:
    """Return the phase of a calendar that counts from this day, or from its month."""
    return day.toordinal() if unit == "days" else day.year * 12 + day.month - 1


def on_weekday(day: date, weekday: int) -> date:
    """Return the first day at or after `day` that is this day of the week."""
    return day + timedelta(days=(weekday - day.weekday()) % 7)
