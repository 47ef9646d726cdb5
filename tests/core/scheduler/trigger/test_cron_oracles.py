"""Cron against oracles that share no code with it: stepping minute by minute, cronsim, and croniter on naive times."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim
from hypothesis import given, settings
from hypothesis import strategies as st

from modules.core.scheduler.trigger import Cron, TriggerError

ZONES = (
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "America/Havana",
    "Asia/Kathmandu",
    "Pacific/Apia",
    "America/Sao_Paulo",
    "Pacific/Kiritimati",
    "UTC",
    "Europe/Dublin",
    "Antarctica/Troll",
    "Asia/Beirut",
    "America/Caracas",
)
# cronsim steps by whole hours and days, and so goes wrong after a gap at midnight or of half an hour
CRONSIM_SKIPS = {
    "Africa/Casablanca",
    "America/Caracas",
    "America/Havana",
    "America/Sao_Paulo",
    "Asia/Beirut",
    "Australia/Lord_Howe",
    "Pacific/Apia",
}
RANGES = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 6))
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


def wall(*parts: int) -> datetime:
    """A wall-clock time, without a zone."""
    return datetime(*parts)  # noqa: DTZ001  # a wall-clock time has none


@cache
def changes(zone: str) -> list[datetime]:
    """The days, to the hour, on which a zone's offset changes; a day of no change where it never does."""
    found = []
    for year in range(2006, 2027):
        days = [datetime(year, 1, 1, tzinfo=UTC) + timedelta(days=number) for number in range(367)]
        for before, after in pairwise(days):
            if before.astimezone(ZoneInfo(zone)).utcoffset() != after.astimezone(ZoneInfo(zone)).utcoffset():
                hours = [before + number * HOUR for number in range(25)]
                offsets = [hour.astimezone(ZoneInfo(zone)).utcoffset() for hour in hours]
                found.append(next(hour for hour, offset in zip(hours, offsets, strict=True) if offset != offsets[0]))
    return found or [datetime(2024, 2, 29, tzinfo=UTC)]


def values(field: str, low: int, high: int) -> set[int]:
    """The numbers of a cron field, read as simply as possible."""
    result: set[int] = set()
    for item in field.split(","):
        span, _, step = item.partition("/")
        first, _, last = span.partition("-")
        start, stop = (low, high) if span == "*" else (int(first), int(last or first))
        result |= set(range(start, stop + 1, int(step or 1)))
    return result


def step_minutes(expression: str, zone: str, after: datetime, until: datetime) -> list[datetime]:
    """The occurrences in (after, until], by looking at the zone's clock every minute."""
    fields = expression.split()
    minutes, hours, days, months, weekdays = (values(field, *span) for field, span in zip(fields, RANGES, strict=True))

    def matches(wall: datetime) -> bool:
        by_day, by_weekday = wall.day in days, wall.isoweekday() % 7 in weekdays
        day = by_day or by_weekday if fields[2] != "*" and fields[4] != "*" else by_day and by_weekday
        return wall.minute in minutes and wall.hour in hours and wall.month in months and day

    moment = after - 26 * HOUR
    shown = moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    found = []
    while moment < until:
        moment += MINUTE
        wall = moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
        if fields[1].startswith("*"):
            fires = matches(wall)
        else:
            newly_reached = [shown + number * MINUTE for number in range(1, (wall - shown) // MINUTE + 1)]
            fires = any(map(matches, newly_reached))
            shown = max(shown, wall)
        if fires and moment > after:
            found.append(moment)
    return found


def never_matches(expression: str) -> bool:
    """Whether the days exist in none of the months."""
    _, _, days, months, weekdays = (
        values(field, *span) for field, span in zip(expression.split(), RANGES, strict=True)
    )
    longest = max(29 if month == 2 else 30 if month in {4, 6, 9, 11} else 31 for month in months)
    return min(days) > longest and (expression.split()[4] == "*" or not weekdays)


def numbers(low: int, high: int) -> st.SearchStrategy[str]:
    return st.lists(st.integers(low, high), min_size=1, max_size=3, unique=True).map(
        lambda chosen: ",".join(map(str, sorted(chosen)))
    )


def spans(low: int, high: int) -> st.SearchStrategy[str]:
    pairs = st.tuples(st.integers(low, high), st.integers(low, high)).filter(lambda pair: pair[0] < pair[1])
    return pairs.map(lambda pair: f"{pair[0]}-{pair[1]}")


def steps(low: int, high: int) -> st.SearchStrategy[str]:
    return st.integers(2, high).map(lambda step: f"*/{step}")


fixed_minutes = numbers(0, 59) | st.sampled_from(["0", "30", "0,30", "15-45/15"])
early_hours = st.sampled_from(["0", "1", "2", "3", "1-3", "0,2,23", "0-23", "2-3"])
wildcard_hours = st.sampled_from(["*", "*/2", "*/3", "*/6"])
days = st.just("*") | numbers(1, 31) | spans(1, 31)
weekdays = st.just("*") | numbers(0, 6) | spans(0, 6)
months = st.just("*") | st.just("1-12") | numbers(1, 12)


@st.composite
def cases(draw: st.DrawFn, minute: st.SearchStrategy[str], hour: st.SearchStrategy[str]) -> tuple[str, str, datetime]:
    """An expression, a zone, and one of its changes of offset."""
    fields = [draw(part) for part in (minute, hour, days, st.just("*") | months, weekdays)]
    zone = draw(st.sampled_from(ZONES))
    return " ".join(fields), zone, draw(st.sampled_from(changes(zone)))


any_minutes = fixed_minutes | steps(0, 59) | st.just("*")
any_hours = early_hours | wildcard_hours | numbers(0, 23)


@settings(max_examples=250, deadline=None)
@given(case=cases(any_minutes, any_hours), before=st.integers(0, 30 * 60), length=st.integers(1, 40 * 60))
def test_occurrences_around_a_change_of_clocks_are_those_seen_by_looking_every_minute(
    case: tuple[str, str, datetime], before: int, length: int
) -> None:
    expression, zone, change = case
    after = change - before * MINUTE
    until = after + length * MINUTE
    if never_matches(expression):
        with pytest.raises(TriggerError, match="no year has"):
            Cron(expression, zone)
        return
    cron = Cron(expression, zone)

    expected = step_minutes(expression, zone, after, until)

    one_by_one = []
    moment = after
    while (following := cron.next_after(moment)) is not None and following <= until:
        assert following > moment
        one_by_one.append(following)
        moment = following
    assert one_by_one == expected
    assert list(cron.between(after, until)) == expected
    assert cron.count_between(after, until) == len(expected)
    assert cron.latest_until(until, after) == (expected[-1] if expected else None)


@settings(max_examples=250, deadline=None)
@given(
    case=cases(fixed_minutes, early_hours) | cases(fixed_minutes, wildcard_hours) | cases(steps(0, 59), wildcard_hours)
)
def test_cron_agrees_with_debian_cron_around_a_change_of_clocks(case: tuple[str, str, datetime]) -> None:
    expression, zone, change = case
    if expression.split()[1].startswith("*") and zone in CRONSIM_SKIPS:
        return
    if never_matches(expression):
        return

    start = change - 30 * HOUR
    expected = [moment.astimezone(UTC) for moment in islice(CronSim(expression, start.astimezone(ZoneInfo(zone))), 8)]

    cron = Cron(expression, zone)
    found = [start]
    while len(found) <= len(expected):
        following = cron.next_after(found[-1])
        assert following is not None
        found.append(following)
    assert found[1:] == expected


def fires_on(expression: str, zone: str, day: datetime) -> list[str]:
    """The UTC times of day at which a cron fires within 24 hours of a local midnight."""
    start = day.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC) - timedelta(microseconds=1)
    return [f"{moment:%H:%M}" for moment in Cron(expression, zone).between(start, start + timedelta(days=1))]


def test_a_fixed_hour_with_every_minute_counts_as_fixed_unlike_debian_cron() -> None:
    spring, autumn = wall(2026, 3, 29), wall(2026, 10, 25)

    assert fires_on("*/15 2 * * *", "Europe/Berlin", spring) == ["01:00"]
    assert fires_on("*/15 2 * * *", "Europe/Berlin", autumn) == ["00:00", "00:15", "00:30", "00:45"]
    oracle = CronSim("*/15 2 * * *", autumn.replace(tzinfo=ZoneInfo("Europe/Berlin")))
    assert len([moment for moment in (next(oracle) for _ in range(8)) if moment.day == 25]) == 8


def test_day_and_weekday_mean_either_even_with_a_step_unlike_debian_cron() -> None:
    cron = Cron("0 0 1 * */2", "UTC")

    assert cron.count_between(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 8, tzinfo=UTC)) == 4


def test_a_step_of_one_is_no_restriction_unlike_croniter() -> None:
    start = datetime(2026, 1, 5, 12, tzinfo=UTC)

    assert Cron("0 0 */1 * 5", "UTC").next_after(start) == datetime(2026, 1, 9, tzinfo=UTC)


def test_a_range_from_a_number_to_itself_is_that_number_unlike_croniter() -> None:
    start = datetime(2026, 1, 5, 12, tzinfo=UTC)

    assert Cron("5-5 * * * *", "UTC").next_after(start) == datetime(2026, 1, 5, 12, 5, tzinfo=UTC)
    assert Cron("5-5 * * * *", "UTC").count_between(start, start + timedelta(days=1)) == 24
