"""When wall-clock times are in UTC, told by zoneinfo's own two readings of each; shares no code with the product."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from modules.core.scheduler.trigger import TimeTrigger
from modules.core.scheduler.trigger.day_counts import finest
from modules.core.scheduler.trigger.day_masks import within
from modules.core.scheduler.trigger.wall_clock import Dst

SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
ZONES = (
    *("Europe/Berlin", "America/Havana", "Australia/Lord_Howe", "Pacific/Apia", "UTC"),
    *("Africa/Casablanca", "America/St_Johns", "Asia/Kathmandu", "Africa/Cairo"),
)
CHANGES = tuple(
    datetime(*day, tzinfo=UTC)
    for day in (
        (2026, 3, 29, 1),
        (2026, 10, 25, 1),
        (2011, 12, 30, 10),
        (2026, 3, 8, 5),
        (2026, 4, 4, 15),
        (2024, 2, 29),
    )
)
zones = st.sampled_from(ZONES)
policies = st.builds(Dst, st.sampled_from(("shift", "skip")), st.sampled_from(("first", "last", "both")))
lows = st.builds(lambda change, hours: change - timedelta(hours=hours), st.sampled_from(CHANGES), st.integers(-99, 99))


def wall(*parts: int) -> datetime:
    """A wall-clock time, without a zone."""
    return datetime(*parts)  # noqa: DTZ001  # a wall-clock time has none


def moments(walls: Iterable[datetime], zone: str, dst: Dst) -> set[datetime]:
    """When the times happen."""
    return {moment for each in walls for moment in _moments(each, ZoneInfo(zone), dst)}


def _moments(wall: datetime, zone: ZoneInfo, dst: Dst) -> Iterator[datetime]:
    passes, is_shown = _readings(wall, zone)
    if is_shown:
        yield from {"first": passes[:1], "last": passes[1:], "both": passes}[dst.fold]
    elif dst.gap == "shift":
        yield _change(zone, passes[1], passes[0])


@lru_cache(maxsize=1024)
def _readings(wall: datetime, zone: ZoneInfo) -> tuple[list[datetime], bool]:
    """What a time is read as, first and second, and whether the clock shows it at all."""
    passes = [wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)]
    return passes, all(moment.astimezone(zone).replace(tzinfo=None, fold=0) == wall for moment in passes)


def _change(zone: ZoneInfo, low: datetime, high: datetime) -> datetime:
    before = low.astimezone(zone).utcoffset()
    while high - low > SECOND:
        middle = low + (high - low) // SECOND // 2 * SECOND
        low, high = (middle, high) if middle.astimezone(zone).utcoffset() == before else (low, middle)
    return high


def days_around(low: datetime, high: datetime) -> list[datetime]:
    """The midnights of every day that a zone's clock may show in between."""
    first = (low - 3 * DAY).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    return [first + number * DAY for number in range((high - low).days + 7)]


def assert_fires_at(trigger: TimeTrigger, expected: Iterable[datetime], low: datetime, high: datetime) -> None:
    """Every answer that a trigger gives about `(low, high]` is that of these moments, of which others are ignored."""
    wanted = sorted(moment for moment in expected if low < moment <= high)
    found: list[datetime] = []
    while (following := trigger.next_after(found[-1] if found else low)) is not None and following <= high:
        assert following > (found[-1] if found else low)
        found.append(following)
    assert found == wanted
    assert list(trigger.between(low, high)) == wanted
    assert trigger.count_between(low, high) == len(wanted)
    assert trigger.latest_until(high, low) == (wanted[-1] if wanted else None)
    assert told_by_day(trigger, low, high) == wanted


def told_by_day(trigger: TimeTrigger, low: datetime, high: datetime) -> list[datetime]:
    """The times that the days of a trigger have in `(low, high]`, as their masks tell."""
    rows, grid = finest(trigger, low, high)
    told = []
    for rest, row in within(rows, grid, low, high).items():
        units = [[unit for unit, bit in enumerate(f"{mask:b}"[::-1]) if bit == "1"] for mask in row.masks]
        for day, kind in enumerate(row.kinds):
            begin = grid.midnight(day) + timedelta(microseconds=rest)
            told += [begin + unit * grid.unit * SECOND for unit in units[kind]]
    return sorted(told)
