"""What a cron expression means, found by walking over every minute of UTC; shares no code with the product."""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
NOTHING, SECOND, HALF_DAY = timedelta(), timedelta(seconds=1), timedelta(hours=12)
RANGES = ((0, 59), (0, 59), (0, 23), (1, 31), (1, 12), (0, 6), (1970, 2099))
POLICIES = [(gap, fold) for gap in ("shift", "skip") for fold in ("first", "last", "both")]


@cache
def zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


@lru_cache(maxsize=4096)
def values(field: str, low: int, high: int) -> frozenset[int]:
    """The numbers of a field of numbers, ranges and steps, read as simply as possible."""
    result: set[int] = set()
    for item in field.split(","):
        span, _, step = item.partition("/")
        first, _, last = span.partition("-")
        start, stop = (low, high) if span == "*" else (int(first), int(last or (high if step else first)))
        result |= set(range(start, stop + 1, int(step or 1)))
    return frozenset(result)


class Meaning:
    """The seven fields of an expression: second, minute, hour, day, month, weekday, year."""

    def __init__(self, expression: str) -> None:
        fields = expression.split()
        self.fields = {5: ["0", *fields, "*"], 6: [*fields, "*"], 7: fields}[len(fields)]
        numbers = [
            frozenset[int]() if place in (3, 5) else values(field, *span)
            for place, (field, span) in enumerate(zip(self.fields, RANGES, strict=True))
        ]
        self.seconds = [timedelta(seconds=second) for second in sorted(numbers[0])]
        self.minutes, self.hours, self.months = numbers[1], numbers[2], numbers[4]
        self.years = range(1, 10_000) if self.fields[6] == "*" else numbers[6]
        self.follows_elapsed_time = self.fields[2].startswith("*")
        self._days: dict[date, bool] = {}

    def minute(self, wall: datetime) -> bool:
        """Whether the minute that begins at this wall-clock time matches."""
        return wall.minute in self.minutes and wall.hour in self.hours and self.day(wall.date())

    def day(self, day: date) -> bool:
        """Whether the day matches."""
        if day not in self._days:
            self._days[day] = day.month in self.months and day.year in self.years and self._day(day)
        return self._days[day]

    def first_after(self, wall: datetime, days: int) -> datetime | None:
        """The first matching wall-clock time after another, by looking at so many days."""
        for number in range(days):
            midnight = datetime.combine(wall.date(), time()) + number * DAY
            if self.day(midnight.date()):
                for at in self._times_of_day():
                    if midnight + at > wall:
                        return midnight + at
        return None

    def _times_of_day(self) -> Iterator[timedelta]:
        for hour in sorted(self.hours):
            for minute in sorted(self.minutes):
                yield from (hour * HOUR + minute * MINUTE + second for second in self.seconds)

    def _day(self, wall: date) -> bool:
        """Day and weekday both restricted mean either."""
        days, weekdays = self.fields[3], self.fields[5]
        length = calendar.monthrange(wall.year, wall.month)[1]
        by_day = any(self._day_item(item, wall, length) for item in days.split(","))
        by_weekday = any(self._weekday_item(item, wall, length) for item in weekdays.split(","))
        either = days not in ("*", "?") and weekdays not in ("*", "?")
        return by_day or by_weekday if either else by_day and by_weekday

    def _day_item(self, item: str, wall: date, length: int) -> bool:
        if item == "?":
            return True
        if item == "L":
            return wall.day == length
        if item.startswith("L-"):
            return wall.day == length - int(item[2:])
        if item.endswith("W"):
            wanted = length if item == "LW" else int(item[:-1])
            if wanted > length:
                return False
            working = [day for day in range(1, length + 1) if wall.replace(day=day).weekday() < 5]
            return wall.day == min(working, key=lambda day: abs(day - wanted))
        return wall.day in values(item, 1, 31)

    def _weekday_item(self, item: str, wall: date, length: int) -> bool:
        weekday = wall.isoweekday() % 7
        if item == "?":
            return True
        if item.endswith("L"):
            return weekday == int(item[:-1]) % 7 and wall.day + 7 > length
        if "#" in item:
            number, week = map(int, item.split("#"))
            return weekday == number % 7 and (wall.day - 1) // 7 + 1 == week
        return weekday in {number % 7 for number in values(item, 0, 7)}


@lru_cache(maxsize=256)
def minutes_shown(name: str, start: datetime, hours: int) -> list[tuple[datetime, datetime]]:
    """Every minute of UTC from `start`, and what the zone's clock shows then."""
    found = []
    for hour in (start + number * HOUR for number in range(hours)):
        minutes = [hour + number * MINUTE for number in range(60)]
        offsets = {moment.astimezone(zone(name)).utcoffset() for moment in (hour, hour + HOUR)}
        if len(offsets) == 1:  # no zone changes twice within an hour
            wall = hour.astimezone(zone(name)).replace(tzinfo=None)
            found += [(moment, wall + number * MINUTE) for number, moment in enumerate(minutes)]
        else:
            found += [(moment, moment.astimezone(zone(name)).replace(tzinfo=None)) for moment in minutes]
    return found


def occurrences(
    expression: str, name: str, after: datetime, until: datetime, gap: str = "shift", fold: str = "first"
) -> list[datetime]:
    """The occurrences in (after, until], in zones whose clocks change at whole minutes."""
    meaning = Meaning(expression)
    start = (after - 30 * HOUR).replace(minute=0, second=0, microsecond=0)
    shown = minutes_shown(name, start, (until - start) // HOUR + 32)
    if meaning.follows_elapsed_time:
        found = {moment + second for moment, wall in shown if meaning.minute(wall) for second in meaning.seconds}
    else:
        found = set(_each_as_decided(meaning, shown, gap, fold))
    return sorted(moment for moment in found if after < moment <= until)


def _each_as_decided(
    meaning: Meaning, shown: list[tuple[datetime, datetime]], gap: str, fold: str
) -> Iterator[datetime]:
    passes: dict[datetime, list[datetime]] = {}
    for moment, wall in shown:
        passes.setdefault(wall, []).append(moment)
    chosen = {"first": slice(0, 1), "last": slice(-1, None), "both": slice(None)}[fold]
    for wall, moments in passes.items():
        if meaning.minute(wall):
            yield from (moment + second for moment in moments[chosen] for second in meaning.seconds)
    for (_, before), (moment, wall) in pairwise(shown):
        left_out = (before + number * MINUTE for number in range(1, (wall - before) // MINUTE))
        if gap == "shift" and any(meaning.minute(minute) for minute in left_out):
            yield moment


@cache
def moves(name: str, first: datetime, last: datetime) -> list[tuple[datetime, timedelta, timedelta]]:
    """When a zone's clocks change in `[first, last)`, to the second, from what offset to what, by two looks a day."""
    count = (last - first) // HALF_DAY + 1
    looks = [first + number * HALF_DAY for number in range(-1, count)]
    offsets = [moment.astimezone(zone(name)).utcoffset() or NOTHING for moment in looks]
    found = []
    for (before, after), low, high in zip(pairwise(offsets), looks, looks[1:], strict=False):
        if before != after:
            while high - low > SECOND:
                middle = low + (high - low) // SECOND // 2 * SECOND
                is_before = middle.astimezone(zone(name)).utcoffset() == before
                low, high = (middle, high) if is_before else (low, middle)  # noqa: PLW2901  # halved
            found.append((high, before, after))
    return [move for move in found if first <= move[0] < last]


@cache
def changes(name: str) -> tuple[datetime, ...]:
    """When a zone's clocks change, from 1973 to 2039; a day of no change where they never do."""
    found = moves(name, datetime(1973, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC))
    return tuple(moment for moment, _, _ in found) or (datetime(2024, 2, 29, tzinfo=UTC),)


@cache
def distinct_zones() -> tuple[str, ...]:
    """One name for each way in which clocks have changed since 1973, or will by the rules now in force."""
    found: dict[object, str] = {}
    days = [datetime(1973, 1, 1) + number * 5 * DAY for number in range(67 * 73)]  # noqa: DTZ001  # wall-clock times
    for name in sorted(available_timezones() - {"localtime", "Factory", "posixrules"}):
        found.setdefault(tuple(map(zone(name).utcoffset, days)), name)
    return tuple(found.values())
