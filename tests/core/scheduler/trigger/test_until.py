"""A trigger up to an end: the same occurrences as without it, and none later."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modules.core.scheduler.trigger import AnyOf, Cron, Every, OnEvent, TriggerError, Until, from_json, parse
from modules.core.scheduler.trigger.protocol import LAST

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
@given(whole=st.sampled_from(WHOLE), end=MINUTES, after=MINUTES, length=st.integers(0, 6_000))
def test_the_occurrences_are_those_of_the_trigger_up_to_the_end(whole: Any, end: int, after: int, length: int) -> None:
    bounded, low, high = Until(whole, moment(end)), moment(after), moment(after + length)

    expected = [each for each in whole.between(low, high) if each <= moment(end)]

    assert list(bounded.between(low, high)) == expected
    assert bounded.count_between(low, high) == len(expected)
    assert bounded.latest_until(high, low) == (expected[-1] if expected else None)
    following = whole.next_after(low)
    assert bounded.next_after(low) == (following if following is not None and following <= moment(end) else None)


def test_the_end_itself_counts() -> None:
    bounded = Until(HOURLY, moment(120))

    assert bounded.next_after(moment(60)) == moment(120)
    assert bounded.next_after(moment(120)) is None


def test_a_day_that_reaches_beyond_the_end_is_like_no_other() -> None:
    bounded = Until(HOURLY, moment(60 * 30))

    assert bounded.day_pattern(BASE) == HOURLY.day_pattern(BASE)
    assert bounded.day_pattern(moment(60 * 12)) is None


@pytest.mark.parametrize("whole", WHOLE)
def test_what_is_stored_is_read_back(whole: Any) -> None:
    bounded = Until(whole, LAST)

    assert from_json(bounded.to_json()) == bounded
    assert bounded.describe().endswith(", until 9999-12-29T00:00:00Z")


@pytest.mark.parametrize("inner", [OnEvent("sale"), Until(HOURLY, LAST)])
def test_only_a_trigger_with_times_is_bounded_and_only_once(inner: Any) -> None:
    with pytest.raises(TriggerError, match="only once"):
        Until(inner, LAST)


@pytest.mark.parametrize("kind", ["any", "all"])
def test_several_triggers_take_an_end_together(kind: str) -> None:
    several = {"type": kind, "triggers": ["0 9 * * *", "0 9 * * mon-fri"], "end_date": "2026-03-30T09:00"}

    trigger = parse(several, zone="Europe/Berlin", now=BASE)

    end = datetime(2026, 3, 30, 7, tzinfo=UTC)
    assert trigger.next_after(BASE + timedelta(days=1, hours=12)) == end
    assert trigger.next_after(end) is None
    assert from_json(trigger.to_json()) == trigger
    assert trigger.describe().endswith(", until 2026-03-30T07:00:00Z")


def test_an_end_of_several_triggers_is_refused_where_one_is_an_event() -> None:
    several = {"type": "any", "triggers": ["0 9 * * *", {"type": "event", "event": "paid"}], "end_date": "2026-03-30"}

    with pytest.raises(TriggerError, match="give it to each trigger beside the event"):
        parse(several, zone="Europe/Berlin", now=BASE)
