"""All of several triggers: where they coincide, found and counted within bounds."""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from steps import at_most
from wall_oracle import assert_fires_at, wall

from modules.core.scheduler.trigger import (
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
    Until,
    Window,
    given_up,
    parse,
    searches,
)

BASE = datetime(2026, 3, 27, tzinfo=UTC)
TEN_YEARS = timedelta(days=3_653)
MINUTE = timedelta(minutes=1)
TICK = timedelta(microseconds=1)
BERLIN = "Europe/Berlin"
MINUTES = st.sampled_from([5, 7, 15, 20, 60, 90, 1440])

parts: st.SearchStrategy[TimeTrigger] = st.one_of(
    st.builds(lambda every, s: Every(every * MINUTE, BASE + s * MINUTE), MINUTES, st.integers(-9, 9)),
    st.builds(Cron, st.sampled_from(["*/5 * * * *", "0 * * * *", "30 2 * * *", "*/20 1-3 * * *"]), st.just(BERLIN)),
    st.builds(lambda day: CalendarInterval(day, "days", time(2, 30), BERLIN), st.integers(1, 3)),
    st.builds(lambda every: Window(timedelta(minutes=every), time(22), time(4), BERLIN), MINUTES),
    st.builds(lambda n: RRule(f"FREQ=MINUTELY;INTERVAL={n}", wall(2026, 3, 1), "UTC"), MINUTES),
    st.just(AnyOf((Once(BASE + timedelta(hours=5)), Cron("0 */3 * * *", "UTC")))),
)


@settings(max_examples=40, deadline=None)
@given(several=st.lists(parts, min_size=1, max_size=3), hours=st.integers(-50, 50), length=st.integers(0, 60))
def test_all_is_where_the_moments_of_each_are_the_same(several: list[TimeTrigger], hours: int, length: int) -> None:
    low = BASE + timedelta(hours=hours)
    high = low + timedelta(hours=length)
    wanted = set.intersection(*(set(trigger.between(low, high)) for trigger in several))
    try:
        trigger = AllOf(tuple(several))
    except TriggerError:
        assert not wanted
        return

    assert_fires_at(trigger, wanted, low, high)


def test_every_other_thursday_that_is_a_working_day() -> None:
    calendar = {"type": "calendar", "weeks": 2, "day": "thursday", "at": "09:00", "start_date": "2026-01-01"}
    trigger = parse({"type": "all", "triggers": ["0 9 * * mon-fri", calendar]}, zone=BERLIN, now=BASE)

    first = trigger.next_after(BASE)

    assert first == datetime(2026, 4, 9, 7, tzinfo=UTC)
    assert trigger.count_between(BASE, BASE + TEN_YEARS) == 260
    assert deepcopy(trigger) == trigger
    assert trigger.describe().endswith("and at the same time every 2 weeks on Thursday at 09:00 (Europe/Berlin)")


def test_what_coincides_once_in_decades_is_found_and_what_never_does_is_refused_at_once() -> None:
    seldom = parse({"type": "all", "triggers": ["0 0 29 2 *", "0 0 * * mon"]}, zone="UTC", now=BASE)
    assert seldom.next_after(BASE) == datetime(2044, 2, 29, tzinfo=UTC)

    for never in (["0 9 * * *", "1 9 * * *"], ["*/2 * * * *", "1-59/2 * * * *"], ["0 9 * * mon", "0 9 * * tue"]):
        with pytest.raises(
            TriggerError, match=r"do not coincide before (2039|2040|2076)-.*, where the search ends"
        ) as refusal:
            parse({"type": "all", "triggers": never}, zone="UTC", now=BASE)
        assert refusal.value.field == "triggers"


def test_days_on_which_nothing_coincides_are_not_gone_through_step_by_step() -> None:
    even, odd = Cron("*/2 * * * *", "UTC"), Cron("1-59/2 * * * *", "UTC")
    trigger = AllOf((even, AnyOf((odd, Cron("30 4 29 2 *", "UTC")))))
    leap_days = [datetime(year, 2, 29, 4, 30, tzinfo=UTC) for year in (2028, 2032)]

    with at_most(800_000):
        assert trigger.next_after(BASE) == leap_days[0]
        assert trigger.next_after(leap_days[0]) == leap_days[1]
        assert trigger.latest_until(leap_days[1] - TICK, BASE) == leap_days[0]
        assert trigger.latest_until(leap_days[0] - TICK, BASE) is None


def test_the_same_search_is_made_only_once() -> None:
    never = AllOf((Cron("2/2 * * * *", "UTC"), Cron("1-59/2 * * * *", "UTC")))
    ended = never.given_up(BASE)

    with at_most(20_000):
        assert (never.next_after(BASE), never.given_up(BASE)) == (None, ended)


def test_where_the_search_ended_is_told_from_there_being_no_more() -> None:
    nine = Cron("0 9 * * *", "UTC")
    ends = AllOf((nine, Cron("1 9 * * *", "UTC", end=BASE + TEN_YEARS)))
    never = AllOf((nine, Cron("1 9 * * *", "UTC")))

    assert (ends.next_after(BASE), given_up(ends, BASE)) == (None, None)
    assert given_up(AnyOf((Once(BASE), never)), BASE) == never.given_up(BASE)
    assert given_up(Until(never, BASE + TEN_YEARS), BASE) is None
    assert [searches(each) for each in (nine, never, Until(never, BASE + TEN_YEARS))] == [False, True, True]


def test_intervals_within_all_become_the_one_that_is_both() -> None:
    six, four = Every(timedelta(hours=6), BASE), Every(timedelta(hours=4), BASE + timedelta(hours=2))

    assert AllOf((six, four)).triggers == (Every(timedelta(hours=12), BASE + timedelta(hours=6)),)
    with pytest.raises(TriggerError, match="never coincide"):
        AllOf((six, Every(timedelta(hours=6), BASE + timedelta(hours=1))))


def test_ten_years_asleep_are_counted_without_visiting_each_moment() -> None:
    trigger = AllOf((Cron("*/5 * * * *", BERLIN), Every(timedelta(minutes=7), BASE)))

    with at_most(2_000_000):
        missed = trigger.count_between(BASE, BASE + TEN_YEARS)

    assert missed == TEN_YEARS // timedelta(minutes=35)


def test_all_within_any_within_all_and_the_limits_of_each() -> None:
    inner = AllOf((Cron("0 9 * * mon-fri", "UTC"), CalendarInterval(14, "days", time(9), "UTC")))
    nested = AllOf((AnyOf((inner, Once(BASE + timedelta(hours=9)))), Cron("0 * * * *", "UTC")))

    assert nested.next_after(BASE) == BASE + timedelta(hours=9)
    assert AllOf((inner, inner)).triggers == inner.triggers
    for wrong in ((), tuple(Once(BASE + timedelta(seconds=number)) for number in range(21))):
        with pytest.raises(TriggerError, match="1 to 20"):
            AllOf(wrong)
    with pytest.raises(TriggerError, match="event"):
        AllOf((Once(BASE), OnEvent("paid")))  # type: ignore[arg-type]  # the point of the test
    with pytest.raises(TriggerError, match="whole number of seconds"):
        AllOf((Every(timedelta(seconds=0.3), BASE), Cron("0 * * * *", "UTC")))
