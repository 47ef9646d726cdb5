"""A trigger from a start to an end: the same occurrences as without them, none earlier and none later."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wall_oracle import told_by_day

from modules.core.scheduler.trigger import AnyOf, Cron, Every, Once, OnEvent, TriggerError, Until, from_json, parse
from modules.core.scheduler.trigger.protocol import LAST, TICK

BASE = datetime(2026, 3, 28, tzinfo=UTC)
HOURLY = Every(timedelta(hours=1), BASE)
WHOLE = (
    HOURLY,
    Cron("30 2 * * *", "Europe/Berlin"),
    AnyOf((Every(timedelta(minutes=45), BASE), Cron("0 */3 * * *", "Europe/Berlin"))),
)
MINUTES = st.integers(-200, 6_000)


def moment(minutes: int) -> datetime:
    return BASE + timedelta(minutes=minutes)


@settings(max_examples=100, deadline=None)
@given(whole=st.sampled_from(WHOLE), bounds=st.tuples(MINUTES, MINUTES), after=MINUTES, length=st.integers(0, 6_000))
def test_the_occurrences_are_those_of_the_trigger_from_the_start_to_the_end(
    whole: Any, bounds: tuple[int, int], after: int, length: int
) -> None:
    start, end = map(moment, bounds)
    bounded, low, high = Until(whole, end, start), moment(after), moment(after + length)

    expected = [each for each in whole.between(low, high) if start <= each <= end]

    assert list(bounded.between(low, high)) == expected
    assert bounded.count_between(low, high) == len(expected)
    assert bounded.latest_until(high, low) == (expected[-1] if expected else None)
    following = whole.next_after(max(low, start - TICK))
    assert bounded.next_after(low) == (following if following is not None and following <= end else None)


def test_the_end_itself_counts() -> None:
    bounded = Until(HOURLY, moment(120))

    assert bounded.next_after(moment(60)) == moment(120)
    assert bounded.next_after(moment(120)) is None


def test_its_days_tell_what_lies_within_the_bounds() -> None:
    bounded = Until(HOURLY, moment(60 * 30), BASE)

    told = told_by_day(bounded, moment(-60 * 30), moment(60 * 60))

    assert told == list(bounded.between(moment(-60 * 30), moment(60 * 60)))
    assert len(told) == 31


@pytest.mark.parametrize("whole", WHOLE)
def test_what_is_stored_is_read_back(whole: Any) -> None:
    for bounds in ((LAST, None), (LAST, BASE), (None, BASE)):
        bounded = Until(whole, *bounds)
        assert from_json(bounded.to_json()) == bounded


def test_an_end_is_told_in_the_zone_of_what_it_ends() -> None:
    assert Until(HOURLY, BASE).describe() == "every hour, until 2026-03-28T00:00:00Z"
    assert Until(HOURLY, BASE).describe("Europe/Berlin") == "every hour, until 2026-03-28 01:00 (Europe/Berlin)"
    assert Until(WHOLE[1], LAST).describe("Asia/Tokyo").endswith(", until 9999-12-29 01:00 (Europe/Berlin)")


def test_a_moment_that_the_clock_shows_twice_is_told_with_its_offset() -> None:
    twice = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)

    assert Once(twice).describe("Europe/Berlin") == "once at 2026-10-25 02:30+0100 (Europe/Berlin)"
    assert Once(twice + timedelta(seconds=5)).describe("UTC") == "once at 2026-10-25 01:30:05 (UTC)"


@pytest.mark.parametrize("inner", [OnEvent("sale"), Until(HOURLY, LAST)])
def test_only_a_trigger_with_times_is_bounded_and_only_once(inner: Any) -> None:
    with pytest.raises(TriggerError, match="only once"):
        Until(inner, LAST)


@pytest.mark.parametrize("kind", ["any", "all"])
def test_several_triggers_take_a_start_and_an_end_together(kind: str) -> None:
    several = {"type": kind, "triggers": ["0 9 * * *", "0 9 * * mon-fri"]}
    several |= {"start_date": "2026-03-30T09:00", "end_date": "2026-03-30T09:00"}

    trigger = parse(several, zone="Europe/Berlin", now=BASE)

    end = datetime(2026, 3, 30, 7, tzinfo=UTC)
    assert trigger.next_after(BASE - timedelta(days=1)) == end
    assert trigger.next_after(end) is None
    assert from_json(trigger.to_json()) == trigger
    assert trigger.describe().endswith(", until 2026-03-30 09:00 (Europe/Berlin)")


@pytest.mark.parametrize("field", ["start_date", "end_date"])
def test_bounds_of_several_triggers_are_refused_where_one_is_an_event(field: str) -> None:
    several = {"type": "any", "triggers": ["0 9 * * *", {"type": "event", "event": "paid"}], field: "2026-03-30"}

    with pytest.raises(TriggerError, match=f"{field} is for times; give it to each trigger beside the event"):
        parse(several, zone="Europe/Berlin", now=BASE)
