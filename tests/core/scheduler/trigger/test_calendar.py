"""Calendars: which instants are closed, by the clock of a zone, told by a plain look at the clock."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modules.core.scheduler.trigger import Calendar, TriggerError, read_calendar, stored_calendar

NAMES = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ZONES = ("Europe/Berlin", "America/Havana", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Apia", "UTC")
STEP = timedelta(minutes=10)


def looks_closed(told: dict[str, Any], moment: datetime) -> bool:
    """What a definition in its normal form says of an instant: the clock is read, and nothing is computed."""
    wall = moment.astimezone(ZoneInfo(told["timezone"])).replace(tzinfo=None)
    day = wall.date()
    closed = (
        NAMES[day.weekday()] in told.get("weekdays", ())
        or any(each in (day.isoformat(), f"{day:%m-%d}") for each in told.get("dates", ()))
        or any(within(low, high, day) for low, high in told.get("ranges", ()))
        or any(in_window(window, wall) for window in told.get("windows", ()))
        or any(moment_of(low) <= moment < moment_of(high) for low, high in told.get("spans", ()))
        or any(looks_closed(member, moment) for member in told.get("calendars", ()))
    )
    return closed != told.get("invert", False)


def within(low: str, high: str, day: date) -> bool:
    text = day.isoformat() if len(low) == 10 else f"{day:%m-%d}"
    return low <= text <= high if low <= high else text >= low or text <= high


def in_window(window: dict[str, Any], wall: datetime) -> bool:
    weekdays = window.get("weekdays", NAMES)
    at, low, high = f"{wall:%H:%M}", window["from"], window["to"]
    today, yesterday = NAMES[wall.weekday()] in weekdays, NAMES[wall.weekday() - 1] in weekdays
    if low < high:
        return today and low <= at < high
    return (today and at >= low) or (yesterday and at < high)


def moment_of(text: str) -> datetime:
    return datetime.fromisoformat(text)


days = st.dates(date(2026, 3, 20), date(2026, 4, 12))
times = st.integers(0, 143).map(lambda tens: f"{tens // 6:02d}:{tens % 6}0")
weekdays = st.lists(st.sampled_from(NAMES), max_size=3, unique=True)
windows = st.tuples(times, times, weekdays).filter(lambda each: each[0] != each[1])
moments = st.integers(0, 23 * 144).map(lambda tens: datetime(2026, 3, 20, tzinfo=UTC) + tens * STEP)


def definition(
    members: st.SearchStrategy[list[dict[str, Any]]],
) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {
            "timezone": st.sampled_from(ZONES),
            "weekdays": weekdays,
            "dates": st.lists(days.map(date.isoformat) | days.map(lambda day: f"{day:%m-%d}"), max_size=3),
            "ranges": st.lists(
                st.lists(days, min_size=2, max_size=2).map(lambda both: [day.isoformat() for day in sorted(both)])
                | st.lists(days, min_size=2, max_size=2).map(lambda both: [f"{day:%m-%d}" for day in both]),
                max_size=2,
            ),
            "windows": st.lists(
                windows.map(lambda each: {"from": each[0], "to": each[1], "weekdays": each[2] or list(NAMES)}),
                max_size=3,
            ),
            "spans": st.lists(
                st.lists(moments, min_size=2, max_size=2, unique=True).map(
                    lambda both: [moment.isoformat() for moment in sorted(both)]
                ),
                max_size=2,
            ),
            "calendars": members,
            "invert": st.booleans(),
        }
    )


definitions = definition(st.lists(definition(st.just([])), max_size=2))


@settings(max_examples=60, deadline=None)
@given(told=definitions)
def test_an_instant_is_closed_where_the_clock_says_so(told: dict[str, Any]) -> None:
    calendar = read_calendar(told, "UTC")
    instants = [datetime(2026, 3, 25, tzinfo=UTC) + number * STEP for number in range(144 * 14)]

    closed = [moment for moment in instants if calendar.span_at(moment) is not None]

    assert closed == [moment for moment in instants if looks_closed(told, moment)]


@settings(max_examples=15, deadline=None)
@given(told=definitions)
def test_a_calendar_that_was_stored_is_the_same(told: dict[str, Any]) -> None:
    calendar = read_calendar(told, "UTC")

    again = stored_calendar(calendar.to_json())

    assert again.of_year(2026) == calendar.of_year(2026)
    assert again.to_json() == calendar.to_json()
    assert stored_calendar(again.to_json()) is again


def test_a_closed_stretch_goes_on_over_the_end_of_the_year() -> None:
    calendar = read_calendar({"ranges": [["12-24", "01-06"]]}, "UTC")
    inside = datetime(2026, 12, 31, 23, tzinfo=UTC)

    assert calendar.closed_since(inside) == datetime(2026, 12, 24, tzinfo=UTC)
    assert calendar.open_from(inside) == datetime(2027, 1, 7, tzinfo=UTC)
    assert calendar.closed_since(datetime(2027, 1, 7, tzinfo=UTC)) is None


@pytest.mark.parametrize("told", [{"weekdays": "mon-sun"}, {"dates": ["2020-01-01"], "invert": True}])
def test_what_is_always_closed_never_opens(told: dict[str, Any]) -> None:
    calendar = read_calendar(told, "Europe/Berlin")

    assert calendar.open_from(datetime(2026, 1, 1, tzinfo=UTC)) is None
    assert calendar.open_from(datetime(9999, 12, 28, tzinfo=UTC)) is None
    assert calendar.closed_since(datetime(1, 1, 3, 5, tzinfo=UTC)) is not None


def test_a_leap_day_is_closed_in_leap_years_alone() -> None:
    calendar = read_calendar({"dates": ["02-29"]}, "UTC")

    assert [len(calendar.of_year(year)) for year in (2026, 2027, 2028)] == [0, 0, 1]


def test_an_hour_that_the_clock_shows_twice_is_closed_both_times() -> None:
    calendar = read_calendar({"windows": ["02:00-03:00"]}, "Europe/Berlin")

    (night,) = calendar.between(datetime(2026, 10, 25, tzinfo=UTC), datetime(2026, 10, 25, 12, tzinfo=UTC))

    assert night.stop - night.start == timedelta(hours=2)


def test_other_calendars_are_found_by_name() -> None:
    known = {"weekend": Calendar("UTC", weekdays=frozenset({5, 6}))}

    calendar = read_calendar({"calendars": ["weekend", {"dates": ["12-25"]}]}, "UTC", known.__getitem__)

    assert calendar.span_at(datetime(2026, 1, 3, tzinfo=UTC)) is not None
    assert calendar.span_at(datetime(2026, 12, 25, tzinfo=UTC)) is not None
    assert calendar.span_at(datetime(2026, 1, 5, tzinfo=UTC)) is None


@pytest.mark.parametrize(
    ("told", "field", "says"),
    [
        ("sat-sun", "", "defined by a dict"),
        ({}, "", "needs one of"),
        ({"weekday": "sat"}, "weekday", "did you mean 'weekdays'"),
        ({"weekdays": "sat-son"}, "weekdays", "no weekday"),
        ({"weekdays": 6}, "weekdays", "a list or text"),
        ({"dates": ["25-12"]}, "dates", "no date"),
        ({"dates": ["2026-02-30"]}, "dates", "no date"),
        ({"dates": "12-25"}, "dates", "is a list"),
        ({"dates": [datetime(2026, 1, 1, tzinfo=UTC)]}, "dates", "no date"),
        ({"ranges": [["2026-12-24", "01-06"]]}, "ranges", "both with a year"),
        ({"ranges": [["2026-12-24", "2026-12-01"]]}, "ranges", "to a later one"),
        ({"ranges": ["2026-12-24"]}, "ranges", "one of ranges is written"),
        ({"windows": ["22:00"]}, "windows", "a window is written"),
        ({"windows": ["22:60-06:00"]}, "windows", "no time of the day"),
        ({"windows": ["24:01-06:00"]}, "windows", "no time of the day"),
        ({"windows": ["06:00-06:00"]}, "windows", "is empty"),
        ({"spans": [["2026-01-02", "2026-01-01"]]}, "spans", "does not end after its start"),
        ({"calendars": ["holidays"]}, "calendars", "no calendar 'holidays'"),
        ({"dates": [], "invert": "yes"}, "invert", "true or false"),
        ({"dates": [], "timezone": "Europe/Berlim"}, "timezone", "did you mean 'Europe/Berlin'"),
        ({"dates": [(date(2026, 1, 1) + timedelta(days=2 * n)).isoformat() for n in range(2_001)]}, "calendar", "most"),
    ],
)
def test_a_definition_that_is_wrong_is_refused_with_its_key(told: object, field: str, says: str) -> None:
    with pytest.raises(TriggerError, match=says) as refused:
        read_calendar(told, "UTC")

    assert refused.value.field == field


def test_calendars_within_calendars_end_somewhere() -> None:
    told: dict[str, Any] = {"dates": []}
    for _ in range(20):
        told = {"calendars": [told]}

    with pytest.raises(TriggerError, match="nested"):
        read_calendar(told, "UTC")
