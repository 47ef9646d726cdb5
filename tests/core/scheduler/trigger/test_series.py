"""Once, intervals of elapsed time, and months and years."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from steps import at_most

from modules.core.scheduler.trigger import Every, Once, Trigger, TriggerError, recurring_schedule

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


def walk(trigger: Trigger, after: datetime, until: datetime) -> list[datetime]:
    """Every occurrence in (after, until], one at a time."""
    found: list[datetime] = []
    while (following := trigger.next_after(found[-1] if found else after)) is not None and following <= until:
        assert following > (found[-1] if found else after)
        found.append(following)
    return found


def assert_counts_agree(trigger: Trigger, after: datetime, until: datetime) -> None:
    found = walk(trigger, after, until)
    assert trigger.count_between(after, until) == len(found)
    assert trigger.latest_until(until, after) == (found[-1] if found else None)


def test_once_is_one_occurrence_even_when_it_has_passed() -> None:
    once = Once(NOON)

    assert once.next_after(NOON - timedelta(seconds=1)) == NOON
    assert once.next_after(NOON) is None
    assert once.latest_until(NOON, NOON - timedelta(seconds=1)) == NOON
    assert once.latest_until(NOON + timedelta(days=1), NOON) is None
    assert not once.recurring


@pytest.mark.parametrize("unit", ["seconds", "minutes", "hours", "days", "weeks"])
def test_ten_intervals_have_no_drift_from_their_anchor(unit: str) -> None:
    trigger = recurring_schedule(unit, 3, start=NOON, zone="Europe/Berlin")
    moment = NOON

    for number in range(1, 11):
        late_by_a_little = moment + timedelta(milliseconds=7)
        following = trigger.next_after(late_by_a_little)

        assert following == NOON + number * timedelta(**{unit: 3})
        moment = following


def test_an_interval_of_a_fraction_of_a_second_runs_thirteen_times_in_four_seconds() -> None:
    trigger = recurring_schedule("seconds", 0.3, start=NOON + timedelta(seconds=0.3), zone="UTC")

    assert trigger.count_between(NOON, NOON + timedelta(seconds=4)) == 13


def test_the_first_run_is_the_start_and_the_last_is_not_after_the_end() -> None:
    trigger = Every(timedelta(hours=1), NOON, NOON + timedelta(hours=2))

    assert trigger.next_after(NOON - timedelta(days=400)) == NOON
    assert walk(trigger, NOON - timedelta(days=1), NOON + timedelta(days=1))[-1] == NOON + timedelta(hours=2)
    assert trigger.next_after(NOON + timedelta(hours=2)) is None
    assert trigger.latest_until(NOON + timedelta(days=9), NOON) == NOON + timedelta(hours=2)


@settings(deadline=None)
@given(
    interval=st.timedeltas(timedelta(minutes=1), timedelta(days=9)),
    start=st.integers(-500_000, 500_000),
    after=st.integers(-500_000, 500_000),
    length=st.integers(0, 300_000),
    window=st.none() | st.integers(-500_000, 900_000),
)
def test_counting_elapsed_intervals_equals_walking_them(
    interval: timedelta, start: int, after: int, length: int, window: int | None
) -> None:
    end = None if window is None else NOON + timedelta(seconds=window)
    trigger = Every(interval, NOON + timedelta(seconds=start), end)
    low = NOON + timedelta(seconds=after)

    assert_counts_agree(trigger, low, low + timedelta(seconds=length))


def test_monthly_on_the_31st_keeps_its_day() -> None:
    trigger = recurring_schedule("months", 1, start=datetime(2026, 1, 31, 9, tzinfo=UTC), zone="UTC")

    found = walk(trigger, NOON, datetime(2026, 6, 1, tzinfo=UTC))

    assert [(moment.month, moment.day) for moment in found] == [(1, 31), (2, 28), (3, 31), (4, 30), (5, 31)]


def test_yearly_on_the_leap_day_returns_to_it() -> None:
    trigger = recurring_schedule("years", 1, start=datetime(2024, 2, 29, 9, tzinfo=UTC), zone="UTC")

    found = walk(trigger, datetime(2024, 1, 1, tzinfo=UTC), datetime(2028, 12, 1, tzinfo=UTC))

    assert [moment.day for moment in found] == [29, 28, 28, 28, 29]


def test_months_keep_the_wall_clock_across_a_change_of_clocks() -> None:
    start = datetime(2026, 1, 29, 1, 30, tzinfo=UTC)
    trigger = recurring_schedule("months", 1, start=start, zone="Europe/Berlin")

    found = walk(trigger, NOON, datetime(2026, 5, 1, tzinfo=UTC))

    assert [f"{moment:%d %H:%M}" for moment in found] == ["29 01:30", "28 01:30", "29 01:00", "29 00:30"]


@pytest.mark.parametrize(
    "trigger",
    [
        Every(timedelta(milliseconds=300), datetime(1999, 1, 1, tzinfo=UTC)),
        recurring_schedule("months", 1, start=datetime(1999, 1, 31, tzinfo=UTC), zone="Europe/Berlin"),
    ],
)
def test_ten_years_asleep_are_counted_by_arithmetic(trigger: Trigger) -> None:
    then, now = NOON - timedelta(days=3_653), NOON

    with at_most(30_000):
        latest, missed = trigger.latest_until(now, then), trigger.count_between(then, now)

    assert latest is not None
    assert missed in {120, 1_052_064_000}


def test_the_calendar_ends_without_an_overflow() -> None:
    late = datetime(9999, 11, 30, 12, tzinfo=UTC)
    for trigger in (
        Every(timedelta(days=36_000), late),
        recurring_schedule("years", 100, start=late, zone="Pacific/Kiritimati"),
        recurring_schedule("months", 1, start=late, zone="Pacific/Pago_Pago"),
        Once(late),
    ):
        assert trigger.next_after(datetime.max.replace(tzinfo=UTC)) is None
        assert trigger.next_after(datetime.min.replace(tzinfo=UTC)) is not None
        assert trigger.latest_until(datetime.max.replace(tzinfo=UTC), NOON) is not None


@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf"), True, "5", None, 1e300])
@pytest.mark.parametrize("unit", ["seconds", "weeks", "months", "years"])
def test_an_interval_that_is_no_positive_number_is_refused(unit: str, value: object) -> None:
    with pytest.raises(TriggerError) as refusal:
        recurring_schedule(unit, value, start=NOON, zone="UTC")  # type: ignore[arg-type]  # the point of the test

    assert refusal.value.field == "interval_value"


def test_months_are_whole_and_a_unit_must_exist() -> None:
    with pytest.raises(TriggerError, match="whole number"):
        recurring_schedule("months", 1.5, start=NOON, zone="UTC")
    with pytest.raises(TriggerError, match="did you mean 'minutes'") as refusal:
        recurring_schedule("minute", 5, start=NOON, zone="UTC")
    assert refusal.value.field == "interval_type"
