"""Every change of every zone's clocks by every policy: `python tests/zones_swept.py [stride] [first]` sweeps them.

Each kind of trigger that has a wall clock is asked around each change from 1970 to 2037, at times that the clocks leave
out or show twice, at the edges of these, and beside them. Changes whose surroundings are alike, as those of Berlin and
Paris, are tried in one zone; that each zone has the changes that it has is tried in all of them.
"""

from __future__ import annotations

import calendar
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import cron_oracle
from wall_oracle import assert_fires_at, moments

from modules.core.scheduler.trigger import (
    AllOf,
    AnyOf,
    CalendarInterval,
    Cron,
    Excluding,
    Exclusion,
    RRule,
    TimeTrigger,
    Until,
    Window,
    parse,
    read_calendar,
    zone,
)
from modules.core.scheduler.trigger.wall_clock import Dst
from modules.core.scheduler.trigger.zones import transitions

SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
REACH = 36 * HOUR  # before and after a change
FIRST, LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2038, 1, 1, tzinfo=UTC)
POLICIES = [Dst(gap, fold) for gap, fold in cron_oracle.POLICIES]
AS_IT_RUNS = Dst("skip", "both")
Case = tuple[TimeTrigger, set[datetime]]
Rule = Callable[[date], bool]


@dataclass(frozen=True)
class Change:
    """A change of a zone's clocks: wall-clock times in `[low, high)` are left out or shown twice."""

    zone: str
    at: datetime
    low: datetime
    high: datetime

    @property
    def middle(self) -> datetime:
        """A time half way, to the minute."""
        return (self.low + (self.high - self.low) / 2).replace(second=0, microsecond=0)

    @property
    def times(self) -> list[datetime]:
        """The edges, the middle, and what lies right before an edge."""
        return [self.low - MINUTE, self.low, self.middle, self.high - MINUTE, self.high]

    def walls(self, times: Iterable[time], matches: Rule = lambda _: True) -> list[datetime]:
        """Times of day on each of the days around that matches."""
        midnight = self.at.replace(hour=0, minute=0, second=0, tzinfo=None)
        days = [day for number in range(-4, 5) if matches((day := midnight + number * DAY).date())]
        chosen = sorted(set(times))
        return [datetime.combine(day, at) for day in days for at in chosen]

    def moments(self, walls: Iterable[datetime], dst: Dst) -> set[datetime]:
        """When these happen."""
        return moments(walls, self.zone, dst)


def changes(name: str) -> list[Change]:
    """All of a zone."""
    return [
        Change(name, moment, *sorted(moment.replace(tzinfo=None) + offset for offset in offsets))
        for moment, *offsets in cron_oracle.moves(name, FIRST, LAST)
    ]


def every_change() -> tuple[Change, ...]:
    """One of all that look alike, with what changes in the weeks around them."""
    found: dict[object, Change] = {}
    for name in cron_oracle.distinct_zones():
        of_zone = changes(name)
        for change in of_zone:
            near = (each for each in of_zone if abs(each.at - change.at) < 14 * DAY)
            key = (change.at, *((each.at, each.low, each.high, _shows(each, name)) for each in near))
            found.setdefault(key, change)
    return tuple(found.values())


def _shows(change: Change, name: str) -> datetime:
    return change.at.astimezone(ZoneInfo(name)).replace(tzinfo=None)


def check_table(name: str) -> None:
    """Compare the changes of a zone with those that looking at it twice a day shows."""
    years = range(FIRST.year, LAST.year)
    found = [(each.at, each.before, each.after) for year in years for each in transitions(zone(name), year)]

    assert found == cron_oracle.moves(name, FIRST, LAST), name


def check(change: Change, policies: Iterable[Dst] = POLICIES) -> int:
    """Compare each kind of trigger with the oracle around a change; return how many triggers were compared."""
    count = 0
    for dst in policies:
        for trigger, expected in _cases(change, dst):
            assert_fires_at(trigger, expected, change.at - REACH, change.at + REACH)
            count += 1
    for wall in change.times:
        check_single_time(wall, change)
        count += 1
    return count


def check_single_time(wall: datetime, change: Change) -> None:
    """Compare a date without an offset with the oracle: the first instant after a gap, the first pass of a fold."""
    (expected,) = change.moments([wall], Dst())
    trigger = parse({"type": "date", "run_date": wall.isoformat()}, zone=change.zone, now=change.at)
    assert trigger.next_after(change.at - 9 * DAY) == expected, (wall, change)


def _cases(change: Change, dst: Dst) -> Iterator[Case]:
    fixed, by_day, window = _cron(change, dst), _by_day(change, dst), _window(change, dst)
    yield from (fixed, by_day, window)
    yield _cron_of_one_day(change, dst)
    yield _cron_of_fields(change, dst)
    yield _cron_by_elapsed_time(change, dst)
    yield _by_month(change, dst)
    yield _rrule(change, dst)
    yield AnyOf((fixed[0], by_day[0])), fixed[1] | by_day[1]
    yield AllOf((fixed[0], window[0])), fixed[1] & window[1]
    yield Until(fixed[0], change.at), {moment for moment in fixed[1] if moment <= change.at}
    yield from _excluding(change, fixed)


def _cron(change: Change, dst: Dst) -> Case:
    hours, minutes = ({getattr(wall, unit) for wall in change.times} for unit in ("hour", "minute"))
    text = f"0,59 {_list(minutes)} {_list(hours)} * * *"
    times = [time(hour, minute, second) for hour in hours for minute in minutes for second in (0, 59)]
    return Cron(text, change.zone, dst=dst), change.moments(change.walls(times), dst)


def _list(numbers: Iterable[int]) -> str:
    return ",".join(map(str, sorted(numbers)))


def _cron_of_one_day(change: Change, dst: Dst) -> Case:
    wall = change.middle
    text = f"{wall.minute} {wall.hour} {wall.day} {wall.month} *"
    return Cron(text, change.zone, dst=dst), change.moments([wall], dst)


def _cron_of_fields(change: Change, dst: Dst) -> Case:
    wall = change.middle
    fields = {"day_of_week": f"{wall:%a}", "hour": wall.hour, "minute": wall.minute}
    choice = {"dst_gap": dst.gap, "dst_fold": dst.fold}
    trigger = parse({"type": "cron", **fields, **choice}, zone=change.zone, now=change.at)
    walls = change.walls([wall.time()], lambda day: day.weekday() == wall.weekday())
    assert isinstance(trigger, TimeTrigger)
    return trigger, change.moments(walls, dst)


def _cron_by_elapsed_time(change: Change, dst: Dst) -> Case:
    minutes = {change.low.minute, change.middle.minute}
    times = [time(hour, minute) for hour in range(24) for minute in minutes]
    return Cron(f"{_list(minutes)} * * * *", change.zone, dst=dst), change.moments(change.walls(times), AS_IT_RUNS)


def _by_day(change: Change, dst: Dst) -> Case:
    at = change.middle.time()
    return CalendarInterval(1, "days", at, change.zone, dst=dst), change.moments(change.walls([at]), dst)


def _by_month(change: Change, dst: Dst) -> Case:
    wall = change.low
    walls = change.walls(
        [wall.time()], lambda day: day.day == min(wall.day, calendar.monthrange(day.year, day.month)[1])
    )
    return CalendarInterval(1, "months", wall.time(), change.zone, wall.day, dst=dst), change.moments(walls, dst)


def _window(change: Change, dst: Dst) -> Case:
    first, last = (change.low - HOUR).time(), (change.high + 40 * MINUTE).time()
    if change.high - change.low > 20 * HOUR:
        first, last = time(22), time(20)
    walls = []
    for midnight in change.walls([time()]):
        wall = datetime.combine(midnight, first)
        end = datetime.combine(midnight + DAY * (last < first), last)
        while wall <= end:
            walls.append(wall)
            wall += 20 * MINUTE
    return Window(20 * MINUTE, first, last, change.zone, dst=dst), change.moments(walls, dst)


def _rrule(change: Change, dst: Dst) -> Case:
    hours, minutes = ({getattr(wall, unit) for wall in change.times[1:]} for unit in ("hour", "minute"))
    start = change.low.replace(hour=0, minute=0, second=0) - 9 * DAY
    times = [time(hour, minute) for hour in hours for minute in minutes]
    rule = f"FREQ=HOURLY;BYHOUR={_list(hours)};BYMINUTE={_list(minutes)}"
    return RRule(rule, start, change.zone, dst=dst), change.moments(change.walls(times), dst)


def _excluding(change: Change, inner: Case) -> Iterator[Case]:
    """Yield what a calendar that closes from the change's lower edge to its middle skips, and what it moves."""
    first, stop = change.low.time(), change.middle.time()
    if first.second or first == stop:
        return
    closing = read_calendar({"windows": [f"{first:%H:%M}-{stop:%H:%M}"]}, change.zone)

    def is_open(moment: datetime) -> bool:
        at = moment.astimezone(ZoneInfo(change.zone)).time()
        return not (first <= at < stop if first < stop else at >= first or at < stop)

    yield Excluding(inner[0], (Exclusion("closed", closing),)), set(filter(is_open, inner[1]))
    ends = change.moments(change.walls([stop]), AS_IT_RUNS) | {change.at}
    opens = sorted(moment for moment in ends if is_open(moment))
    moved = {
        moment if is_open(moment) else min((end for end in opens if end > moment), default=LAST) for moment in inner[1]
    }
    yield Excluding(inner[0], (Exclusion("closed", closing, "move"),)), moved


def main(stride: int = 1, first: int = 0) -> None:
    names = cron_oracle.distinct_zones()
    for name in names[first::stride]:
        check_table(name)
    print(f"{len(names[first::stride])} zones change their clocks when they do", flush=True)
    todo = every_change()[first::stride]
    count = 0
    for number, change in enumerate(todo, 1):
        try:
            count += check(change)
        except AssertionError as error:
            raise AssertionError(f"around {change}") from error
        if not number % 500 or number == len(todo):
            print(f"{number} of {len(todo)} changes of clocks, {count} triggers: no difference", flush=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
