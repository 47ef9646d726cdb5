"""Every so many days, weeks, months and years at a time of the wall clock."""

from __future__ import annotations

import calendar
from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from steps import at_most
from wall_oracle import assert_fires_at, days_around, lows, moments, policies, zones

from modules.core.scheduler.trigger import CalendarInterval, Trigger, TriggerError, parse, recurring_schedule
from modules.core.scheduler.trigger.wall_clock import Dst

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
TIMES = st.sampled_from([time(2, 30), time(0), time(23, 59, 30), time(1, 45), time(9)])
NAMES = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
WHICH = ["first", "second", "third", "fourth", "last"]


def first_days(trigger: Trigger, count: int, after: datetime = NOW) -> list[str]:
    found: list[datetime] = []
    while len(found) < count and (following := trigger.next_after(found[-1] if found else after)) is not None:
        found.append(following)
    return [f"{moment:%Y-%m-%d %H:%M}" for moment in found]


def meant(day: int | str, midnight: datetime) -> bool:
    """Whether a day is the one that is meant of its month, by looking through the month."""
    length = calendar.monthrange(midnight.year, midnight.month)[1]
    if isinstance(day, int):
        return midnight.day == min(day, length)
    if day.startswith("last-") or day == "last":
        return midnight.day == length - int(day[5:] or 0)
    which, name = day.split()
    same = [number for number in range(1, length + 1) if is_named(name, midnight.replace(day=number))]
    return midnight.day == same[WHICH.index(which) if which != "last" else -1]


def is_named(name: str, midnight: datetime) -> bool:
    return midnight.weekday() < 5 if name == "weekday" else NAMES[midnight.weekday()] == name


@settings(max_examples=80, deadline=None)
@given(
    every=st.sampled_from([1, 2, 3, 5, 12, 24]),
    day=st.integers(1, 31)
    | st.sampled_from(["last", "last-1", "last-27"])
    | st.builds(lambda which, name: f"{which} {name}", st.sampled_from(WHICH), st.sampled_from([*NAMES, "weekday"])),
    at=TIMES,
    phase=st.integers(0, 30),
    zone=zones,
    dst=policies,
    low=lows,
)
def test_months_are_what_a_look_at_every_day_finds(
    every: int, day: int | str, at: time, phase: int, zone: str, dst: Dst, low: datetime
) -> None:
    trigger = CalendarInterval(every, "months", at, zone, day, phase, dst=dst)
    high = low + timedelta(days=800)

    days = [
        midnight
        for midnight in days_around(low, high)
        if (midnight.year * 12 + midnight.month - 1 - phase) % every == 0 and meant(day, midnight)
    ]

    assert_fires_at(trigger, moments((datetime.combine(each, at) for each in days), zone, dst), low, high)


@settings(max_examples=60, deadline=None)
@given(every=st.sampled_from([1, 2, 7, 10, 14]), phase=st.integers(0, 13), at=TIMES, zone=zones, dst=policies, low=lows)
def test_days_are_what_a_look_at_every_day_finds(
    every: int, phase: int, at: time, zone: str, dst: Dst, low: datetime
) -> None:
    trigger = CalendarInterval(every, "days", at, zone, phase=phase, dst=dst)
    high = low + timedelta(days=60)

    days = [midnight for midnight in days_around(low, high) if (midnight.toordinal() - phase) % every == 0]

    assert_fires_at(trigger, moments((datetime.combine(each, at) for each in days), zone, dst), low, high)


def test_an_interval_of_months_is_a_calendar_and_honours_what_the_clocks_do() -> None:
    start = {"type": "interval", "months": 1, "start_date": "2026-02-28T02:30", "timezone": "Europe/Berlin"}
    by_default = parse({**start}, zone="UTC", now=NOW)
    skipping = parse({**start, "start_date": "2026-01-29T02:30", "dst_gap": "skip"}, zone="UTC", now=NOW)

    assert first_days(by_default, 2) == ["2026-02-28 01:30", "2026-03-28 01:30"]
    assert first_days(skipping, 3) == ["2026-02-28 01:30", "2026-04-29 00:30", "2026-05-29 00:30"]


def test_a_start_that_the_clocks_leave_out_keeps_its_time_of_day_in_the_other_months() -> None:
    start = {"months": 1, "start_date": "2026-03-29T02:30", "timezone": "Europe/Berlin"}
    by_default = parse({"type": "interval", **start}, zone="UTC", now=NOW)
    skipping = parse({"type": "interval", **start, "dst_gap": "skip"}, zone="UTC", now=NOW)
    calendar = parse({"type": "calendar", **start}, zone="UTC", now=NOW)

    assert first_days(by_default, 3) == ["2026-03-29 01:00", "2026-04-29 00:30", "2026-05-29 00:30"]
    assert first_days(skipping, 2) == ["2026-04-29 00:30", "2026-05-29 00:30"]
    assert calendar == by_default


def test_a_start_in_the_second_pass_of_a_time_is_not_lost() -> None:
    second_pass = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)  # 02:30 in Berlin, shown for the second time

    trigger = recurring_schedule("months", 1, start=second_pass, zone="Europe/Berlin")

    assert first_days(trigger, 2, NOW) == ["2026-10-25 00:30", "2026-11-25 01:30"]


def test_within_start_and_end_and_to_the_calendars_end() -> None:
    start, end = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 30, 7, tzinfo=UTC)
    trigger = CalendarInterval(1, "months", time(9), "Europe/Berlin", "last", start=start, end=end)

    assert first_days(trigger, 9) == ["2026-03-31 07:00", "2026-04-30 07:00"]
    seldom = CalendarInterval(1_200, "months", time(9), "Europe/Berlin", 1, phase=9_999 * 12)
    assert first_days(seldom, 99, datetime(9000, 1, 1, tzinfo=UTC))[-1] == "9999-01-01 08:00"
    assert seldom.latest_until(datetime(9998, 1, 1, tzinfo=UTC), NOW) == datetime(9899, 1, 1, 8, tzinfo=UTC)


def test_a_hundred_years_ahead_and_ten_years_asleep_are_answered_at_once() -> None:
    seldom = CalendarInterval(1_200, "months", time(9), "America/Toronto", 1, phase=2_000 * 12)
    monthly = CalendarInterval(1, "months", time(9), "America/Toronto", "last")

    with at_most(40_000):
        following, missed = seldom.next_after(NOW), monthly.count_between(NOW - timedelta(days=3_653), NOW)

    assert following == datetime(2100, 1, 1, 14, tzinfo=UTC)
    assert missed == 120


def test_nonsense_cannot_be_built() -> None:
    for field, values in {
        "unit": (1, "hours", time(9), "UTC"),
        "days": (True, "days", time(9), "UTC"),
        "at": (1, "days", "09:00", "UTC"),
        "day": (1, "days", time(9), "UTC", 5),
        "phase": (1, "days", time(9), "UTC", None, "0"),
        "timezone": (1, "days", time(9), "Nowhere"),
    }.items():
        with pytest.raises(TriggerError) as refusal:
            CalendarInterval(*values)  # type: ignore[arg-type]  # the point of the test
        assert refusal.value.field == field
    with pytest.raises(TriggerError, match="needs 'day'"):
        CalendarInterval(1, "months", time(9), "UTC")
