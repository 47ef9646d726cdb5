"""Any of several triggers: merged, never twice at one instant, counted without visiting each."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from steps import at_most

from modules.core.scheduler.trigger import (
    After,
    AfterEnd,
    AllOf,
    AnyOf,
    CalendarInterval,
    Cron,
    Every,
    Once,
    OnEvent,
    RRule,
    TimeTrigger,
    TriggerError,
    Window,
    awaited_in,
)

BASE = datetime(2026, 3, 27, tzinfo=UTC)
SECONDS = st.integers(-200_000, 400_000)


def wall(*parts: int) -> datetime:
    """A wall-clock time, without a zone."""
    return datetime(*parts)  # noqa: DTZ001  # a wall-clock time has none


triggers: st.SearchStrategy[TimeTrigger] = st.one_of(
    st.builds(lambda s: Once(BASE + timedelta(seconds=s)), SECONDS),
    st.builds(
        lambda minutes, s, end: Every(
            timedelta(minutes=minutes), BASE + timedelta(minutes=s), None if end is None else BASE + end
        ),
        st.sampled_from([5, 7, 15, 20, 45, 60, 90, 1440, 2880, 0.75 * 60, 61.5]),
        st.integers(-3000, 3000),
        st.none() | st.timedeltas(timedelta(0), timedelta(days=6)),
    ),
    st.builds(
        Cron,
        st.sampled_from(
            ["*/15 * * * *", "0 * * * *", "30 2 * * *", "0 9 * * mon-fri", "*/20 1-3 * * *", "0 */2 * * *"]
        ),
        st.sampled_from(["Europe/Berlin", "UTC", "Asia/Kathmandu"]),
    ),
    st.builds(lambda day: CalendarInterval(1, "months", time(2, 30), "Europe/Berlin", day), st.integers(1, 31)),
    st.builds(
        lambda every: Window(timedelta(minutes=every), time(22), time(2, 30), "Europe/Berlin"), st.sampled_from([7, 30])
    ),
    st.builds(
        lambda n: RRule(f"FREQ=HOURLY;INTERVAL={n}", wall(2026, 3, 1), "Asia/Kathmandu"), st.sampled_from([1, 5, 7])
    ),
    st.just(AllOf((Cron("0 */2 * * *", "UTC"), Every(timedelta(minutes=90), BASE)))),
)


def walk(trigger: AnyOf, after: datetime, until: datetime) -> list[datetime]:
    found: list[datetime] = []
    while (following := trigger.next_after(found[-1] if found else after)) is not None and following <= until:
        found.append(following)
    return found


@settings(max_examples=150, deadline=None)
@given(parts=st.lists(triggers, min_size=1, max_size=5), after=SECONDS, hours=st.integers(0, 150))
def test_counting_equals_walking_and_instants_are_merged(parts: list[TimeTrigger], after: int, hours: int) -> None:
    trigger = AnyOf(tuple(parts))
    low = BASE + timedelta(seconds=after)
    high = low + timedelta(hours=hours)

    found = walk(trigger, low, high)

    assert found == sorted({moment for part in parts for moment in part.between(low, high)})
    assert list(trigger.between(low, high)) == found
    assert trigger.count_between(low, high) == len(found)
    assert trigger.latest_until(high, low) == (found[-1] if found else None)


def test_coinciding_intervals_are_counted_once_over_ten_years_at_once() -> None:
    ten_years = timedelta(days=3_650)
    trigger = AnyOf(tuple(Every(timedelta(seconds=seconds), BASE) for seconds in (0.2, 0.3, 7)))

    with at_most(2_000):
        missed = trigger.count_between(BASE, BASE + ten_years)

    tenths = ten_years // timedelta(milliseconds=100)
    pairs = tenths // 6 + tenths // 70 + tenths // 210
    assert missed == tenths // 2 + tenths // 3 + tenths // 70 - pairs + tenths // 210


def test_ten_years_of_a_cron_beside_an_interval_that_never_falls_into_step_with_the_day() -> None:
    trigger = AnyOf((Cron("0 9 * * mon-fri", "Europe/Berlin"), Every(timedelta(seconds=3.141593), BASE)))

    with at_most(2_000_000):
        missed = trigger.count_between(BASE, BASE + timedelta(days=3_650))

    assert missed > 100_000_000


def test_one_event_inside_changes_no_time_and_a_second_one_is_refused() -> None:
    hourly = Every(timedelta(hours=1), BASE)
    trigger = AnyOf((hourly, OnEvent("paid")))

    week = BASE, BASE + timedelta(days=7)
    assert list(trigger.between(*week)) == list(hourly.between(*week))
    assert trigger.count_between(*week) == hourly.count_between(*week)
    assert trigger.next_after(BASE) == hourly.next_after(BASE)
    assert awaited_in(trigger) == OnEvent("paid")
    assert awaited_in(hourly) is None
    with pytest.raises(TriggerError, match="at most one event"):
        AnyOf((OnEvent("paid"), After("other")))


def test_a_pause_after_each_run_stands_alone() -> None:
    with pytest.raises(TriggerError, match="stands alone"):
        AnyOf((Once(BASE), AfterEnd(timedelta(hours=1), BASE)))


def test_the_order_of_several_means_nothing() -> None:
    hourly, daily = Every(timedelta(hours=1), BASE), Cron("0 9 * * *", "UTC")

    assert {AnyOf((hourly, daily))} == {AnyOf((daily, hourly))}
    assert {AllOf((hourly, daily))} == {AllOf((daily, hourly))}
    assert AnyOf((hourly, daily)) != AllOf((hourly, daily))


def test_ten_years_of_minutes_beside_an_interval_that_falls_into_step_with_the_day_once_in_months() -> None:
    minutes, odd = Cron("* * * * *", "Europe/Berlin"), Every(timedelta(seconds=61), BASE)
    years = BASE, BASE + timedelta(days=3_650)

    with at_most(200 * 3_650):
        either, both = AnyOf((minutes, odd)).count_between(*years), AllOf((minutes, odd)).count_between(*years)

    assert either + both == minutes.count_between(*years) + odd.count_between(*years)


def test_nested_ones_are_flattened_and_repeated_ones_merged() -> None:
    assert AnyOf((AnyOf((Once(BASE),)), Once(BASE))).triggers == (Once(BASE),)
    assert not AnyOf((Once(BASE), Once(BASE))).recurring


def test_several_that_mean_one_equal_that_one() -> None:
    nine = Cron("0 9 * * *", "UTC")

    for several in (AnyOf((nine,)), AnyOf((nine, nine)), AllOf((nine, nine)), AnyOf((AllOf((nine,)), nine))):
        assert several == nine
        assert nine == several
        assert hash(several) == hash(nine)
    assert AnyOf((nine, Cron("0 10 * * *", "UTC"))) != nine
