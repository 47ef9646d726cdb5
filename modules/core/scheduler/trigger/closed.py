"""Closed times: the stretches of time in which nothing is to happen, found year by year."""

from __future__ import annotations

import heapq
from abc import ABC, abstractmethod
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Generic, NamedTuple, TypeVar

from modules.core.scheduler.trigger.day_masks import (
    Grid,
    Row,
    any_of,
    nothing,
)
from modules.core.scheduler.trigger.protocol import FIRST, LAST, TICK

MOST_YEARS = 50  # what is closed for longer than that without a break counts as closed for ever
YEARS_KEPT = 100

T = TypeVar("T", datetime, int, timedelta)
NOTHING = timedelta(0)


@dataclass(frozen=True, slots=True)
class Span(Generic[T]):
    """From `start` to `stop`, which does not belong to it."""

    start: T
    stop: T


class Year(NamedTuple):
    """What is closed in a year, in order, and where each stretch starts and stops."""

    spans: tuple[Span[datetime], ...]
    starts: tuple[datetime, ...]
    stops: tuple[datetime, ...]


class Closed(ABC):
    """A set of closed instants: half-open stretches in UTC; what lies between them is open."""

    _years: dict[int, Year]

    @abstractmethod
    def _find(self, year: int) -> Iterable[Span[datetime]]:
        """Return what is closed in a UTC year, within its bounds, in any order."""

    @abstractmethod
    def on_days(self, grid: Grid) -> Row:
        """Return which units of each of many UTC days are closed; raises `TooCoarse` where it begins or ends within."""

    def of_year(self, year: int) -> tuple[Span[datetime], ...]:
        """Return what is closed in a UTC year, in order, stretches that touch joined."""
        return self._year(year).spans

    def _year(self, year: int) -> Year:
        found = self._years.get(year)
        if found is None:
            if len(self._years) >= YEARS_KEPT:
                self._years.clear()
            spans = tuple(joined(self._find(year)))
            found = Year(spans, tuple(span.start for span in spans), tuple(span.stop for span in spans))
            self._years[year] = found
        return found

    def span_at(self, moment: datetime) -> Span[datetime] | None:
        """Return the stretch of its year that a UTC moment lies in; None where it is open."""
        year = self._year(moment.year)
        place = bisect_right(year.starts, moment) - 1
        return year.spans[place] if place >= 0 and moment < year.stops[place] else None

    def open_until(self, moment: datetime) -> datetime:
        """Return an instant up to which, exclusively, all is open after an open one; not always the last such."""
        starts = self._year(moment.year).starts
        place = bisect_right(starts, moment)
        return starts[place] if place < len(starts) else bounds_of(moment.year)[1]

    def open_from(self, moment: datetime) -> datetime | None:
        """Return the first open instant at or after a UTC moment; None where it stays closed for ever."""
        last_year = min(moment.year + MOST_YEARS, LAST.year)
        while (span := self.span_at(moment)) is not None:
            moment = span.stop
            if moment > LAST or moment.year > last_year:
                return None
        return moment

    def closed_since(self, moment: datetime, low: datetime = FIRST) -> datetime | None:
        """Return the start of the stretch that a UTC moment lies in, over the ends of years; None where it is open.

        Of a stretch that begins before `low`, any instant that is not later.
        """
        span = self.span_at(moment)
        while span is not None:
            since = span.start
            if since <= low or moment.year - since.year > MOST_YEARS:
                return since
            span = self.span_at(since - TICK)
            if span is None:
                return since
        return None

    def between(self, start: datetime, stop: datetime) -> Iterator[Span[datetime]]:
        """Yield what is closed in `[start, stop)`, in order, cut at its ends."""
        whole = (span for year in range(start.year, stop.year + 1) for span in self._touching(year, start, stop))
        cut = (Span(max(span.start, start), min(span.stop, stop)) for span in whole)
        return joined_in_order(span for span in cut if span.start < span.stop)

    def _touching(self, year: int, start: datetime, stop: datetime) -> tuple[Span[datetime], ...]:
        """Return the stretches of a year that have a part in `[start, stop)`, without looking at the others."""
        of_year = self._year(year)
        return of_year.spans[bisect_right(of_year.stops, start) : bisect_left(of_year.starts, stop)]


@dataclass(frozen=True)
class Together(Closed):
    """Closed whenever any of several is."""

    members: tuple[Closed, ...]
    _years: dict[int, Year] = field(default_factory=dict, init=False, compare=False, repr=False)

    def on_days(self, grid: Grid) -> Row:
        return any_of([nothing(grid), *(member.on_days(grid) for member in self.members)])

    def _find(self, year: int) -> Iterator[Span[datetime]]:
        return heapq.merge(*(member.of_year(year) for member in self.members), key=lambda span: span.start)


def together(members: tuple[Closed, ...]) -> Closed:
    """Return what is closed whenever any of these is, the same for the same ones, so that its years are found once."""
    return members[0] if len(members) == 1 else _together(members)


@lru_cache(maxsize=500)
def _together(members: tuple[Closed, ...]) -> Closed:
    return Together(members)


def joined(spans: Iterable[Span[T]]) -> Iterator[Span[T]]:
    """Yield the spans in order, those that overlap or touch as one."""
    return joined_in_order(sorted(spans, key=lambda span: span.start))


def joined_in_order(spans: Iterable[Span[T]]) -> Iterator[Span[T]]:
    """Yield spans that come in order of their starts, those that overlap or touch as one."""
    current: Span[T] | None = None
    for span in spans:
        if current is None or span.start > current.stop:
            if current is not None:
                yield current
            current = span
        elif span.stop > current.stop:
            current = Span(current.start, span.stop)
    if current is not None:
        yield current


def between_spans(spans: Iterable[Span[T]], start: T, stop: T) -> Iterator[Span[T]]:
    """Yield what the spans, in order and apart, leave of `[start, stop)`."""
    for span in spans:
        if span.start > start:
            yield Span(start, span.start)
        start = max(start, span.stop)
    if start < stop:
        yield Span(start, stop)


def bounds_of(year: int) -> tuple[datetime, datetime]:
    """Return from where to where, exclusively, a UTC year goes, as far as triggers work in it."""
    start = max(datetime(year, 1, 1, tzinfo=UTC), FIRST)
    return start, datetime(year + 1, 1, 1, tzinfo=UTC) if year < LAST.year else LAST + TICK
