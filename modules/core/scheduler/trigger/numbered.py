"""Wall-clock times that can be numbered: what is first, last and between is arithmetic on their numbers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterator, Sequence
from datetime import date, datetime
from typing import ClassVar


class Numbered(ABC):
    """A set of naive wall-clock times in order, each meant once; a subclass numbers them."""

    __slots__ = ()
    fixed_hour: ClassVar[bool] = True

    @abstractmethod
    def nth(self, number: int) -> datetime | None:
        """Return the time of this number; None where the calendar has ended."""

    @abstractmethod
    def number_at(self, wall: datetime) -> int:
        """Return the number of the first time at or after `wall`."""

    @abstractmethod
    def kind_of(self, day: date) -> Hashable:
        """Return a key that is equal for days with the same times of day."""

    def kinds_of(self, first: date, days: int) -> Sequence[Hashable]:
        """Return keys of so many days from the first on, equal for those with the same times, in this answer alone."""
        return [self.kind_of(date.fromordinal(day)) for day in range(first.toordinal(), first.toordinal() + days)]

    @abstractmethod
    def rest(self, unit: int) -> int:
        """Return how many microseconds after a unit of so many seconds each time lies; else raises `TooCoarse`."""

    @abstractmethod
    def mask_of(self, day: date, unit: int) -> int:
        """Return the units of a day in which it has a time, as bits."""

    def first_in(self, first: datetime, stop: datetime) -> datetime | None:
        """Return the earliest time in `[first, stop)`."""
        found = self.nth(self.number_at(first))
        return found if found is not None and found < stop else None

    def last_in(self, first: datetime, stop: datetime) -> datetime | None:
        """Return the latest time in `[first, stop)`."""
        number = self.number_at(stop) - 1
        return self.nth(number) if number >= self.number_at(first) else None

    def count_in(self, first: datetime, stop: datetime) -> int:
        """Return how many times lie in `[first, stop)`."""
        return max(self.number_at(stop) - self.number_at(first), 0)

    def all_in(self, first: datetime, stop: datetime) -> Iterator[datetime]:
        """Yield the times in `[first, stop)`, oldest first."""
        for number in range(self.number_at(first), self.number_at(stop)):
            wall = self.nth(number)
            if wall is not None:
                yield wall
