"""Every so often within a part of the day."""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from steps import at_most
from wall_oracle import assert_fires_at, days_around, lows, moments, policies, zones

from modules.core.scheduler.trigger import Trigger, TriggerError, Window, parse
from modules.core.scheduler.trigger.wall_clock import Dst

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
TIMES = st.sampled_from([time(0), time(1, 55), time(2, 30), time(9), time(17, 30), time(22), time(23, 59)])


def read(**keys: object) -> Trigger:
    return parse({"type": "window", **keys}, zone="Europe/Berlin", now=NOW)


@settings(max_examples=60, deadline=None)
@given(
    every=st.sampled_from([7, 10, 45, 61.5, 90, 1440, 600]),
    ends=st.tuples(TIMES, TIMES).filter(lambda ends: ends[0] != ends[1]),
    days=st.sets(st.integers(0, 6), min_size=1).map(tuple),
    zone=zones,
    dst=policies,
    low=lows,
)
def test_a_window_is_what_a_walk_through_each_day_finds(
    every: float, ends: tuple[time, time], days: tuple[int, ...], zone: str, dst: Dst, low: datetime
) -> None:
    trigger = Window(timedelta(minutes=every), *ends, zone, days, dst=dst)
    high = low + timedelta(days=9)
    walls = []
    for midnight in days_around(low, high):
        if midnight.weekday() in days:
            at = datetime.combine(midnight, ends[0])
            last = datetime.combine(midnight + timedelta(days=ends[1] < ends[0]), ends[1])
            while at <= last:
                walls.append(at)
                at += timedelta(minutes=every)

    assert_fires_at(trigger, moments(walls, zone, dst), low, high)


def test_every_seven_minutes_starts_anew_each_day_and_keeps_to_the_end() -> None:
    trigger = read(**{"every": "7 minutes", "from": "09:00", "to": "09:30", "days": "mon-fri", "timezone": "UTC"})

    found = list(trigger.between(NOW, NOW + timedelta(days=3)))  # type: ignore[attr-defined]  # a time trigger

    monday = ["09:00", "09:07", "09:14", "09:21", "09:28"]
    assert [f"{moment:%a %H:%M}" for moment in found] == [f"{day} {at}" for day in ("Mon", "Tue") for at in monday]


def test_the_last_time_is_inclusive_and_a_night_belongs_to_its_evening() -> None:
    hours = {"every": "2 hours", "from": "22:00", "to": "02:00", "days": "fri", "timezone": "UTC"}
    trigger = read(**hours)

    found = list(trigger.between(NOW, NOW + timedelta(days=8)))  # type: ignore[attr-defined]  # a time trigger

    assert [f"{moment:%a %H:%M}" for moment in found] == ["Fri 22:00", "Sat 00:00", "Sat 02:00"]


def test_the_hour_that_comes_twice_pauses_or_runs_through_as_chosen() -> None:
    night = {"every": "30 minutes", "from": "01:00", "to": "04:00"}
    autumn = datetime(2026, 10, 24, 22, tzinfo=UTC)

    once, twice = read(**night), read(**night, dst_fold="both")

    assert once.count_between(autumn, autumn + timedelta(hours=8)) == 7
    assert twice.count_between(autumn, autumn + timedelta(hours=8)) == 9


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        (
            {"every": "10 minutes", "from": "09:00", "to": "17:30", "days": "mon-fri"},
            "every 10 minutes from 09:00 to 17:30 on Monday to Friday (Europe/Berlin)",
        ),
        (
            {"every": 3600, "from": "22:00", "to": "02:00:30", "days": ["tue", "Sat"], "timezone": "UTC"},
            "every hour from 22:00 to 02:00:30 the next day on Tuesday and Saturday (UTC)",
        ),
        (
            {
                "every": "90s",
                "from": "00:00",
                "to": "23:59",
                "days": "fri,mon",
                "timezone": "UTC",
                "end_date": "2027-01-01T00:00:00Z",
            },
            "every 1 minute 30 seconds from 00:00 to 23:59 on Monday and Friday (UTC), until 2027-01-01 00:00 (UTC)",
        ),
        ({"every": "PT1H", "from": "09:00", "to": "10:00"}, "every hour from 09:00 to 10:00 (Europe/Berlin)"),
    ],
)
def test_a_window_tells_itself_in_words(keys: dict[str, object], words: str) -> None:
    assert read(**keys).describe() == words


def test_days_may_run_over_the_end_of_the_week() -> None:
    trigger = read(**{"every": "1h", "from": "09:00", "to": "10:00", "days": "fri-mon"})

    assert isinstance(trigger, Window)
    assert trigger.days == (0, 4, 5, 6)


def test_two_ways_to_say_the_same_are_equal() -> None:
    rest = {"from": "09:00", "to": "17:30"}
    said = [60, 60.0, "1 minute", {"minutes": 1}, "60s", timedelta(minutes=1), "PT1M"]

    values = [read(every=every, **rest) for every in said]
    values.append(read(every=60, **{"from": time(9), "to": "17:30:00", "days": "mon-sun"}))

    assert set(values) == {values[0]}
    assert {repr(value.to_json()) for value in values} == {repr(values[0].to_json())}
    assert deepcopy(values[0]) == values[0]


@pytest.mark.parametrize(
    ("keys", "field", "part"),
    [
        ({"from": "09:00", "to": "17:00"}, "every", "needs 'every'"),
        ({"every": 60, "to": "17:00"}, "from", "needs 'from'"),
        ({"every": 60, "from": "09:00"}, "to", "needs 'to'"),
        ({"every": 0, "from": "09:00", "to": "17:00"}, "every", "longer than nothing"),
        ({"every": "2 days", "from": "09:00", "to": "17:00"}, "every", "at most a day"),
        ({"every": "soon", "from": "09:00", "to": "17:00"}, "every", "duration"),
        ({"every": {"eons": 1}, "from": "09:00", "to": "17:00"}, "every", "duration"),
        ({"every": 60, "from": "09:00", "to": "09:00"}, "to", "longer than nothing"),
        ({"every": 60, "from": "9", "to": "17:00"}, "from", "time of day"),
        ({"every": 60, "from": "09:00", "to": "24:00"}, "to", "time of day"),
        ({"every": 60, "from": "09:00", "to": "17:00", "days": "mon-fry"}, "days", "names of days"),
        ({"every": 60, "from": "09:00", "to": "17:00", "days": []}, "days", "names of days"),
        ({"every": 60, "from": "09:00", "to": "17:00", "days": 5}, "days", "names of days"),
        ({"every": 60, "from": "09:00", "to": "17:00", "day": "mon"}, "day", "did you mean 'days'"),
    ],
)
def test_what_is_no_window_is_refused(keys: dict[str, object], field: str, part: str) -> None:
    with pytest.raises(TriggerError, match=part) as refusal:
        read(**keys)

    assert refusal.value.field == field


def test_ten_years_of_every_second_are_counted_by_arithmetic() -> None:
    trigger = Window(timedelta(seconds=1), time(9), time(17), "America/Chicago", (0, 1, 2, 3, 4))

    with at_most(40_000):
        missed = trigger.count_between(NOW - timedelta(days=3_653), NOW)

    assert missed == 2_610 * (8 * 3600 + 1)
