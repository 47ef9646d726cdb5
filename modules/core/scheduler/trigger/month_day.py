"""A day of each month: the 15th, the last, the last but three, the second Tuesday, the last working day."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from functools import lru_cache

from modules.core.scheduler.trigger.protocol import TriggerError
from modules.core.scheduler.trigger.weekdays import ORDINALS, WEEKDAYS, named

MOST_BEFORE_LAST = 27  # every month has so many days before its last
WORKING, WORKING_DAYS = "weekday", range(5)
NUMBERS = {word: number for number, ordinal in enumerate(ORDINALS) for word in (ordinal, f"{number + 1}")}
NUMBERS |= {"1st": 0, "2nd": 1, "3rd": 2, "4th": 3, "last": -1}


@dataclass(frozen=True, slots=True)
class MonthDay:
    """Every month has exactly one such day: `number` of the days of the week `weekdays`, or of all days.

    Counted from 0; -1 is the last, -4 the last but three. A number past the month's end is its last day.
    """

    number: int
    weekdays: tuple[int, ...] = ()

    def of(self, year: int, month: int) -> int:
        """Return the day of the month, from 1."""
        first, length = calendar.monthrange(year, month)
        if not self.weekdays:
            return min(self.number, length - 1) + 1 if self.number >= 0 else length + self.number + 1
        days = [day for day in range(1, length + 1) if (first + day - 1) % 7 in self.weekdays]
        return days[self.number]

    @property
    def text(self) -> int | str:
        """The definition that is the same for the same meaning."""
        if not self.weekdays:
            before = -1 - self.number
            return self.number + 1 if self.number >= 0 else f"last-{before}" if before else "last"
        return f"{self._which} {self._weekday.lower()}"

    def describe(self) -> str:
        """Return "the last day", "day 15", "the second Tuesday"."""
        if self.weekdays:
            return f"the {self._which} {'working day' if len(self.weekdays) > 1 else self._weekday}"
        if self.number == -1:
            return "the last day"
        if self.number < 0:
            return f"the last day but {-1 - self.number}"
        return f"day {self.number + 1}" + (" (or the last day of a shorter month)" if self.number > 27 else "")

    @property
    def _which(self) -> str:
        return "last" if self.number < 0 else ORDINALS[self.number]

    @property
    def _weekday(self) -> str:
        return WORKING if len(self.weekdays) > 1 else WEEKDAYS[self.weekdays[0]]


@lru_cache(maxsize=512)
def month_day(value: int | str) -> MonthDay:
    """Return the day that 15, "last", "last-3", "second tuesday" or "last weekday" (Monday to Friday) means."""
    words = str(value).lower().split()
    match = re.fullmatch(r"([0-9]{1,2})|last(?:\s*-\s*([0-9]{1,2}))?", " ".join(words))
    if match is not None and not isinstance(value, bool):
        if match[1] and 1 <= int(match[1]) <= 31:
            return MonthDay(-1 if int(match[1]) == 31 else int(match[1]) - 1)
        if not match[1] and int(match[2] or 0) <= MOST_BEFORE_LAST:
            return MonthDay(-1 - int(match[2] or 0))
    if len(words) == 2 and words[0] in NUMBERS:
        weekday = named(words[1], WEEKDAYS)
        if weekday is not None or words[1] == WORKING:
            return MonthDay(NUMBERS[words[0]], tuple(WORKING_DAYS) if weekday is None else (weekday,))
    raise TriggerError(
        f"day is a number from 1 to 31, 'last', 'last-3', 'second tuesday' or 'last weekday', not {value!r}", "day"
    )
