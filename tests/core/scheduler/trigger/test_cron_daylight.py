"""Daylight saving: what the clocks leave out or show twice, as a task chooses, in every zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import cron_oracle as oracle
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modules.core.scheduler.trigger import Cron
from modules.core.scheduler.trigger.wall_clock import Dst

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
SPRING, AUTUMN = datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 10, 25, tzinfo=UTC)


def fires(cron: Cron, day: datetime) -> list[str]:
    """The UTC times of day at which a cron fires from 23:00 UTC the day before to 22:59."""
    return [f"{moment:%H:%M}" for moment in cron.between(day - HOUR - MINUTE, day + 23 * HOUR - MINUTE)]


@pytest.mark.parametrize(
    ("gap", "fold", "spring", "autumn"),
    [
        ("shift", "first", ["01:00"], ["00:30"]),
        ("shift", "last", ["01:00"], ["01:30"]),
        ("shift", "both", ["01:00"], ["00:30", "01:30"]),
        ("skip", "first", [], ["00:30"]),
        ("skip", "last", [], ["01:30"]),
        ("skip", "both", [], ["00:30", "01:30"]),
    ],
)
def test_half_past_two_in_berlin_fires_as_chosen(gap: str, fold: str, spring: list[str], autumn: list[str]) -> None:
    cron = Cron("30 2 * * *", "Europe/Berlin", dst=Dst(gap, fold))

    assert fires(cron, SPRING) == spring
    assert fires(cron, AUTUMN) == autumn


@pytest.mark.parametrize(("gap", "fold"), oracle.POLICIES)
def test_a_wildcard_hour_follows_elapsed_time_whatever_is_chosen(gap: str, fold: str) -> None:
    cron = Cron("30 * * * *", "Europe/Berlin", dst=Dst(gap, fold))

    assert cron.count_between(SPRING - HOUR, SPRING + 22 * HOUR) == 23
    assert cron.count_between(AUTUMN - 2 * HOUR, AUTUMN + 23 * HOUR) == 25


@pytest.mark.parametrize(
    ("zone", "expression", "gap", "fold", "after", "expected"),
    [
        # 31 December 1994 was left out; 30 December 2011 was
        ("Pacific/Kiritimati", "0 12 31 12 *", "shift", "first", "1994-06-01T00:00", "1994-12-31T10:00"),
        ("Pacific/Kiritimati", "0 12 31 12 *", "skip", "first", "1994-06-01T00:00", "1995-12-30T22:00"),
        ("Pacific/Apia", "0 12 30 12 *", "shift", "first", "2011-06-01T00:00", "2011-12-30T10:00"),
        ("Pacific/Apia", "0 12 30 12 *", "skip", "first", "2011-06-01T00:00", "2012-12-29T22:00"),
        # 30 September 1969 was shown twice, 21 August 1993 left out
        ("Pacific/Kwajalein", "0 12 30 9 *", "shift", "first", "1969-06-01T00:00", "1969-09-30T01:00"),
        ("Pacific/Kwajalein", "0 12 30 9 *", "shift", "last", "1969-06-01T00:00", "1969-10-01T00:00"),
        ("Pacific/Kwajalein", "0 12 21 8 *", "skip", "first", "1993-06-01T00:00", "1994-08-21T00:00"),
        # from 23:23:15 straight to midnight as 1912 began in UTC
        ("Europe/Lisbon", "30 23 31 12 *", "shift", "first", "1911-12-01T00:00", "1912-01-01T00:00"),
        ("Europe/Lisbon", "30 23 31 12 *", "skip", "first", "1911-12-01T00:00", "1912-12-31T23:30"),
        # from midnight back to 22:56:19, at the end of 1883
        ("Africa/Sao_Tome", "45 23 31 12 *", "shift", "last", "1883-12-01T00:00", "1884-01-01T00:21:45"),
    ],
)
def test_whole_days_and_the_turn_of_a_year_are_no_exception(
    zone: str, expression: str, gap: str, fold: str, after: str, expected: str
) -> None:
    cron = Cron(expression, zone, dst=Dst(gap, fold))

    found = cron.next_after(datetime.fromisoformat(after + "Z"))

    assert found == datetime.fromisoformat(expected + "Z")


minutes = st.sampled_from(["*", "0", "30", "*/7", "15,45", "0-10"])
hours = st.sampled_from(["*", "*/2", "0", "1", "2", "3", "1-3", "0,2,23", "0-23", "12", "22-23"])
days = st.sampled_from(["*", "*", "*", "1", "31", "*/2", "L", "25-31"])
weekdays = st.sampled_from(["*", "*", "*", "0", "6,0", "1-5", "*/2"])


@settings(max_examples=100, deadline=None)
@given(
    fields=st.tuples(minutes, hours, days, st.just("*"), weekdays),
    zone=st.sampled_from(oracle.distinct_zones()),
    policy=st.sampled_from(oracle.POLICIES),
    data=st.data(),
)
def test_around_every_change_of_clocks_the_occurrences_are_those_seen_by_looking_every_minute(
    fields: tuple[str, ...], zone: str, policy: tuple[str, str], data: st.DataObject
) -> None:
    change = data.draw(st.sampled_from(oracle.changes(zone)))
    after = change.replace(second=0) - data.draw(st.integers(0, 30 * 60)) * MINUTE
    until = after + data.draw(st.integers(1, 40 * 60)) * MINUTE
    expression = " ".join(fields)
    cron = Cron(expression, zone, dst=Dst(*policy))

    expected = oracle.occurrences(expression, zone, after, until, *policy)

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


def test_every_hour_by_name_is_told_apart_from_every_hour_that_elapses() -> None:
    words = "every hour (Europe/Berlin)"

    assert Cron("0 * * * *", "Europe/Berlin").describe() == words
    assert Cron("0 0-23 * * *", "Europe/Berlin").describe() == f"{words}, each time of the clock once"
    assert Cron("0 0-23/2 * * *", "Europe/Berlin").describe() != Cron("0 */2 * * *", "Europe/Berlin").describe()
    assert Cron("0 0-23 * * *", "Europe/Berlin", dst=Dst(fold="both")).describe() == words


def test_a_start_is_told_before_the_end() -> None:
    start, end = datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC)

    told = Cron("0 9 * * *", "Asia/Tokyo", start, end).describe()

    bounds = "from 2026-06-01 09:00 (Asia/Tokyo), until 2026-07-01 09:00 (Asia/Tokyo)"
    assert told == f"every day at 09:00 (Asia/Tokyo), {bounds}"
