"""Occurrences that fall into calendars: skipped or moved, found by arithmetic as by walking."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from steps import at_most
from wall_oracle import told_by_day

from modules.core.scheduler.trigger import (
    AllOf,
    AnyOf,
    CalendarInterval,
    Cron,
    Every,
    Excluding,
    Exclusion,
    LeftOut,
    Once,
    RRule,
    TimeTrigger,
    from_json,
    read_calendar,
)

BASE = datetime(2026, 3, 27, tzinfo=UTC)
TICK = timedelta(microseconds=1)
NOW = BASE
BERLIN = "Europe/Berlin"
CALENDARS = [
    read_calendar(told, BERLIN)
    for told in (
        {"weekdays": "sat-sun"},
        {"windows": ["22:00-06:00"]},
        {"dates": ["2026-03-30", "03-31"]},
        {"windows": ["09:00-17:00"], "invert": True},
        {"windows": ["01:30-02:30", "08:45-09:15"], "timezone": "Asia/Kathmandu"},
        {"spans": [["2026-03-28T03:00:00Z", "2026-03-28T03:00:01Z"], ["2026-04-02T00:00:00Z", "2026-04-03T12:00:00Z"]]},
        {"dates": []},
    )
]
TRIGGERS: list[TimeTrigger] = [
    Cron("30 2 * * *", BERLIN),
    Cron("*/20 * * * *", BERLIN),
    Cron("0 9,23 * * mon-sat", BERLIN),
    Every(timedelta(hours=5), BASE - timedelta(days=3)),
    Every(timedelta(minutes=45), BASE, BASE + timedelta(days=3)),
    CalendarInterval(1, "months", time(2, 30), BERLIN, 31),
    Once(datetime(2026, 3, 28, 3, tzinfo=UTC)),
    AnyOf((Cron("0 0 * * *", BERLIN), Every(timedelta(hours=7), BASE))),
    AllOf((Cron("*/30 * * * *", BERLIN), Every(timedelta(hours=3), BASE))),
    RRule("FREQ=DAILY;INTERVAL=2;BYHOUR=2,23;BYMINUTE=15", datetime(2026, 3, 1), BERLIN),  # noqa: DTZ001
]
exclusions = st.lists(
    st.builds(Exclusion, st.sampled_from(["a", "b"]), st.sampled_from(CALENDARS), st.sampled_from(["skip", "move"])),
    min_size=1,
    max_size=3,
)
SECONDS = st.integers(-200_000, 500_000)


def resolved(trigger: Excluding, moment: datetime) -> datetime | None:
    """What becomes of one time of the inner trigger, step by step."""
    hit = [each for each in trigger.exclusions if each.calendar.span_at(moment) is not None]
    if any(each.when == "skip" for each in hit):
        return None
    while hit:
        moment = max(span.stop for each in hit if (span := each.calendar.span_at(moment)) is not None)
        hit = [each for each in trigger.exclusions if each.calendar.span_at(moment) is not None]
        if moment > BASE + timedelta(days=60):
            return None
    return moment


def walked(trigger: Excluding, after: datetime, until: datetime) -> list[datetime]:
    nominal = trigger.trigger.between(after - timedelta(days=40), until)
    return sorted({at for each in nominal if (at := resolved(trigger, each)) is not None and after < at <= until})


def following(trigger: Excluding, after: datetime, until: datetime) -> Iterator[datetime]:
    while (found := trigger.next_after(after)) is not None and found <= until:
        yield found
        after = found


@pytest.fixture(scope="module")
def impatient() -> Iterator[None]:
    """Give up soon on what never fires: these tests look at some weeks."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("modules.core.scheduler.trigger.excluding.PATIENCE", 200)
        yield


@pytest.mark.usefixtures("impatient")
@settings(max_examples=300, deadline=None)
@given(inner=st.sampled_from(TRIGGERS), uses=exclusions, start=SECONDS, hours=st.integers(0, 120))
def test_every_question_is_answered_as_by_walking(
    inner: TimeTrigger, uses: list[Exclusion], start: int, hours: int
) -> None:
    trigger = Excluding(inner, tuple(uses))
    after = BASE + timedelta(seconds=start)
    until = after + timedelta(hours=hours)

    wanted = walked(trigger, after, until)

    assert list(following(trigger, after, until)) == wanted
    assert list(trigger.between(after, until)) == wanted
    assert trigger.count_between(after, until) == len(wanted)
    assert trigger.latest_until(until, after) == (wanted[-1] if wanted else None)


@settings(max_examples=60, deadline=None)
@given(inner=st.sampled_from(TRIGGERS), uses=exclusions, start=st.integers(-3, 8))
def test_its_days_tell_the_same_times(inner: TimeTrigger, uses: list[Exclusion], start: int) -> None:
    trigger = Excluding(inner, tuple(uses))
    after = BASE + timedelta(days=start, hours=7)
    until = after + timedelta(days=8)

    assert told_by_day(trigger, after, until) == list(trigger.between(after, until))


@settings(max_examples=60, deadline=None)
@given(inner=st.sampled_from(TRIGGERS), uses=exclusions, start=SECONDS, hours=st.integers(0, 100))
def test_what_is_left_out_is_told_with_its_calendar(
    inner: TimeTrigger, uses: list[Exclusion], start: int, hours: int
) -> None:
    trigger = Excluding(inner, tuple(uses))
    after = BASE + timedelta(seconds=start)
    until = after + timedelta(hours=hours)
    nominal = list(inner.between(after, until))

    told = list(trigger.left_out(after, until))

    assert [each.moment for each in told] == [each for each in nominal if resolved(trigger, each) != each]
    assert [each.moved_to for each in told] == [resolved(trigger, each.moment) for each in told]


def every_morning(told: dict[str, object], when: str = "skip") -> Excluding:
    return Excluding(Cron("0 9 * * *", BERLIN), (Exclusion("holidays", read_calendar(told, BERLIN), when),))


def test_those_that_are_moved_to_the_same_instant_are_one() -> None:
    trigger = every_morning({"weekdays": "sat-sun"}, "move")
    friday, monday = datetime(2026, 5, 1, 12, tzinfo=UTC), datetime(2026, 5, 3, 22, tzinfo=UTC)

    assert trigger.next_after(friday) == monday
    assert trigger.next_after(monday) == monday + timedelta(hours=9)
    assert list(trigger.left_out(friday, monday)) == [
        LeftOut(datetime(2026, 5, 2, 7, tzinfo=UTC), "holidays", monday),
        LeftOut(datetime(2026, 5, 3, 7, tzinfo=UTC), "holidays", monday),
    ]


def test_what_its_calendars_exclude_altogether_never_fires_and_says_so_soon() -> None:
    with at_most(3_000_000):
        assert every_morning({"weekdays": "mon-sun"}).next_after(NOW) is None
        assert every_morning({"weekdays": "mon-sun"}, "move").next_after(NOW) is None
        assert every_morning({"windows": ["08:00-10:00"]}).next_after(NOW) is None
        assert every_morning({"windows": ["10:00-08:00"], "invert": True}).next_after(NOW) is None


def test_a_monthly_time_that_is_always_closed_is_looked_for_in_fifty_years() -> None:
    nights = Exclusion("nights", read_calendar({"windows": ["02:00-04:00"]}, BERLIN))

    with at_most(1_000_000):
        assert Excluding(Cron("30 2 L * *", BERLIN), (nights,)).next_after(NOW) is None


def test_what_is_closed_for_ever_is_looked_at_no_further_back_than_asked() -> None:
    always = read_calendar({"weekdays": "mon-sun"}, "UTC")
    until = datetime(2026, 1, 1, tzinfo=UTC)
    closed = Excluding(Cron("0 9 * * *", "UTC"), (Exclusion("always", always),))

    assert closed.latest_until(until, until - timedelta(days=3 * 365)) is None
    assert len(always._years) <= 4


def test_ten_years_are_counted_by_their_closed_stretches() -> None:
    business = read_calendar({"weekdays": "sat-sun", "windows": ["18:00-08:00"]}, BERLIN)
    trigger = Excluding(Every(timedelta(seconds=1), BASE), (Exclusion("closed", business, "move"),))
    with at_most(1_000_000):
        count = trigger.count_between(BASE, BASE + timedelta(days=3_650))

        assert count > 90_000_000


def test_what_a_calendar_that_ends_at_midnight_moves_there_is_counted_there() -> None:
    weekends = Exclusion("weekends", read_calendar({"weekdays": "sat-sun"}, "UTC"), "move")
    monday = datetime(2026, 1, 12, tzinfo=UTC)
    trigger = Excluding(Every(timedelta(seconds=7_000.5), monday - timedelta(days=2, hours=5)), (weekends,))

    for days in (1, 9):
        until = monday + timedelta(days=days)
        moments = list(trigger.between(monday - timedelta(microseconds=1), until))
        assert moments[0] == monday
        assert trigger.count_between(monday - timedelta(microseconds=1), until) == len(moments)


def test_it_may_be_one_of_several_triggers() -> None:
    trigger = AnyOf((every_morning({"weekdays": "sat-sun"}), Cron("0 12 * * sat", BERLIN)))

    found = list(trigger.between(datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 5, 4, tzinfo=UTC)))

    assert [moment.isoformat()[5:16] for moment in found] == ["05-01T07:00", "05-02T10:00"]
    assert from_json(trigger.to_json()) == trigger
