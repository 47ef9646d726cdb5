"""Calendars: values that say which instants are closed, by days and times of the wall clock, and by spans of time."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple

from modules.core.scheduler.trigger import wall_clock
from modules.core.scheduler.trigger.calendar_days import in_years, walls_closed, with_spans
from modules.core.scheduler.trigger.closed import Closed, Span, Year, between_spans, bounds_of, joined
from modules.core.scheduler.trigger.day_masks import Grid, Row, any_of
from modules.core.scheduler.trigger.protocol import DAY, TICK, TriggerError, moment_text
from modules.core.scheduler.trigger.wall_clock import AS_IT_RUNS
from modules.core.scheduler.trigger.wall_days import on_utc_days, wall_dates
from modules.core.scheduler.trigger.zones import zone

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
EVERY_DAY = frozenset(range(7))
WHOLE_DAY = 86_400
MOST_ENTRIES = 2_000  # a task carries its calendars in its row


class Days(NamedTuple):
    """From a day to a day, both included."""

    first: date
    last: date


class YearlyDays(NamedTuple):
    """From a (month, day) to another in every year, both included; over the new year where `last` is earlier."""

    first: tuple[int, int]
    last: tuple[int, int]

    def hold(self, day: date) -> bool:
        """Tell whether the day lies in them."""
        place = (day.month, day.day)
        if self.first <= self.last:
            return self.first <= place <= self.last
        return place >= self.first or place <= self.last


class Window(NamedTuple):
    """Seconds of the day, `[start, stop)`, over midnight where `stop` is not later, on the weekdays of its start."""

    start: int
    stop: int
    weekdays: frozenset[int] = EVERY_DAY


@dataclass(frozen=True)
class Calendar(Closed):
    """Closed are its weekdays (0 is Monday), days and windows, by the wall clock of its zone, its spans, and whatever
    its members close; or, with `invert`, all but these.

    Whether an instant is closed depends on what the clock shows then: of an hour shown twice, both or neither.
    """

    zone: str
    weekdays: frozenset[int] = frozenset()
    days: tuple[Days, ...] = ()
    yearly: tuple[YearlyDays, ...] = ()
    windows: tuple[Window, ...] = ()
    spans: tuple[Span[datetime], ...] = ()
    members: tuple[Calendar, ...] = ()
    invert: bool = False
    _years: dict[int, Year] = field(default_factory=dict, init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        zone(self.zone)
        object.__setattr__(self, "days", tuple(_joined_days(self.days)))
        object.__setattr__(self, "spans", tuple(joined(self.spans)))
        if any(at.microsecond for span in self.spans for at in (span.start, span.stop)):
            raise TriggerError("a span starts and ends with a whole second", "spans")
        if self.size > MOST_ENTRIES:
            raise TriggerError(f"a calendar has at most {MOST_ENTRIES:,} entries, not {self.size:,}", "calendar")

    @property
    def size(self) -> int:
        """How many entries it has, its members included."""
        own = sum(map(len, (self.days, self.yearly, self.windows, self.spans)))
        return own + sum(member.size + 1 for member in self.members)

    def to_json(self) -> dict[str, Any]:
        """Return a definition of plain JSON that means this calendar, without any name of another one."""
        days = [Days(each.first, each.last) for each in self.days]
        told: dict[str, Any] = {
            "weekdays": [WEEKDAYS[weekday] for weekday in sorted(self.weekdays)],
            "dates": [each.first.isoformat() for each in days if each.first == each.last]
            + [_month_day(each.first) for each in self.yearly if each.first == each.last],
            "ranges": [[each.first.isoformat(), each.last.isoformat()] for each in days if each.first != each.last]
            + [[_month_day(each.first), _month_day(each.last)] for each in self.yearly if each.first != each.last],
            "windows": [_window_json(window) for window in self.windows],
            "spans": [[moment_text(span.start), moment_text(span.stop)] for span in self.spans],
            "calendars": [member.to_json() for member in self.members],
        }
        told = {key: value for key, value in told.items() if value} or {"dates": []}
        return {"timezone": self.zone, **told, **({"invert": True} if self.invert else {})}

    def on_days(self, grid: Grid) -> Row:
        first, days = wall_dates(grid)
        years = range(first.year - 1, (first + days * DAY).year + 1)
        ranges = [*self.days, *(each for part in self.yearly for each in in_years(part.first, part.last, years))]
        walls = walls_closed(self.weekdays, ranges, self.windows, first, grid)
        row = on_utc_days(walls, 0, zone(self.zone), AS_IT_RUNS, grid)[0]
        row = any_of([with_spans(row, self.spans, grid), *(member.on_days(grid) for member in self.members)])
        return Row(row.kinds, [grid.full ^ mask for mask in row.masks]) if self.invert else row

    def _find(self, year: int) -> Iterator[Span[datetime]]:
        start, stop = bounds_of(year)
        found = [*self._on_the_clock(start, stop), *self.spans]
        for member in self.members:
            found += member.of_year(year)
        cut = [Span(max(span.start, start), min(span.stop, stop)) for span in found]
        whole = joined(span for span in cut if span.start < span.stop)
        return between_spans(whole, start, stop) if self.invert else whole

    def _on_the_clock(self, start: datetime, stop: datetime) -> Iterator[Span[datetime]]:
        for stretch in wall_clock.stretches(zone(self.zone), start - TICK, stop - TICK, AS_IT_RUNS):
            for wall in self._walls(stretch.first, stretch.stop):
                first, last = max(wall.start, stretch.first), min(wall.stop, stretch.stop)
                if first < last:
                    yield Span(stretch.instant(first), stretch.instant(last))

    def _walls(self, first: datetime, stop: datetime) -> Iterator[Span[datetime]]:
        """Yield what is closed on the wall clock on the days from the one before `first` to that of `stop`."""
        for number in range(first.toordinal() - 1, stop.toordinal() + 1):
            day = date.fromordinal(number)
            midnight = datetime.combine(day, time())
            if self._closes(day):
                yield Span(midnight, midnight + DAY)
            for window in self.windows:
                if day.weekday() in window.weekdays:
                    length = (window.stop - window.start - 1) % WHOLE_DAY + 1
                    begin = midnight + timedelta(seconds=window.start)
                    yield Span(begin, begin + timedelta(seconds=length))

    def _closes(self, day: date) -> bool:
        if day.weekday() in self.weekdays:
            return True
        place = bisect_right(self.days, day, key=lambda each: each.first) - 1
        if place >= 0 and day <= self.days[place].last:
            return True
        return any(each.hold(day) for each in self.yearly)


def _joined_days(days: tuple[Days, ...]) -> Iterator[Days]:
    spans = joined(Span(each.first.toordinal(), each.last.toordinal() + 1) for each in days)
    return (Days(date.fromordinal(span.start), date.fromordinal(span.stop - 1)) for span in spans)


def _month_day(place: tuple[int, int]) -> str:
    return f"{place[0]:02d}-{place[1]:02d}"


def _window_json(window: Window) -> dict[str, Any]:
    told: dict[str, Any] = {"from": _time_text(window.start), "to": _time_text(window.stop)}
    if window.weekdays != EVERY_DAY:
        told["weekdays"] = [WEEKDAYS[weekday] for weekday in sorted(window.weekdays)]
    return told


def _time_text(seconds: int) -> str:
    hours, minutes, rest = seconds // 3600, seconds // 60 % 60, seconds % 60
    return f"{hours:02d}:{minutes:02d}" + (f":{rest:02d}" if rest else "")
