"""Recurrence rules: how they are read, refused, and how fast they answer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from steps import at_most
from wall_oracle import wall

from modules.core.scheduler.trigger import RRule, Trigger, TriggerError, parse

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


def read(rule: object, **keys: object) -> Trigger:
    return parse({"type": "rrule", "rrule": rule, "dtstart": "2026-01-01T09:00", **keys}, zone="Europe/Berlin", now=NOW)


def times(trigger: Trigger, count: int = 99, after: datetime = NOW) -> list[str]:
    found: list[datetime] = []
    while len(found) < count and (following := trigger.next_after(found[-1] if found else after)) is not None:
        found.append(following)
    return [f"{moment:%Y-%m-%d %H:%M}" for moment in found]


def test_a_count_counts_from_the_start_and_what_is_left_out_counts_too() -> None:
    trigger = read("FREQ=MONTHLY;BYDAY=2TU;COUNT=4", exdates=["2026-03-10"], rdates=["2026-03-11T08:00"])

    assert times(trigger) == ["2026-02-10 08:00", "2026-03-11 07:00", "2026-04-14 07:00"]


def test_the_start_is_an_occurrence_only_where_the_rule_says_so() -> None:
    assert times(read("FREQ=WEEKLY;BYDAY=FR", dtstart="2026-02-02T09:00"), 1) == ["2026-02-06 08:00"]
    assert times(read("FREQ=WEEKLY", dtstart="2026-02-02T09:00"), 1) == ["2026-02-02 08:00"]


def test_an_end_is_inclusive_in_utc_on_the_wall_clock_and_as_a_day() -> None:
    for until in ("20260203T080000Z", "20260203T090000", "20260203"):
        assert times(read(f"FREQ=DAILY;UNTIL={until}"))[-1] == "2026-02-03 08:00"
    for until in ("20260203T075959Z", "20260203T085959", "20260202"):
        assert times(read(f"FREQ=DAILY;UNTIL={until}"))[-1] == "2026-02-02 08:00"


def test_numbered_and_plain_days_together_mean_either() -> None:
    assert times(read("FREQ=MONTHLY;BYDAY=1MO,WE", dtstart="2026-02-01T09:00"), 6) == [
        f"2026-{day} 08:00" for day in ("02-02", "02-04", "02-11", "02-18", "02-25", "03-02")
    ]


def test_two_spellings_of_a_rule_are_equal() -> None:
    left = read("FREQ=WEEKLY;BYDAY=TH,MO,MO;INTERVAL=1;WKST=MO", exdates=["2026-02-02", "2026-02-05T08:00:00Z"])
    right = read("RRULE:WKST=MO;BYDAY=mo,th;FREQ=weekly;", exdates=["2026-02-05T09:00", "2026-02-02T09:00"])

    assert left == right
    assert hash(left) == hash(right)
    assert left.to_json() == right.to_json()


def test_start_and_end_date_bound_a_rule_and_a_start_date_may_be_the_start() -> None:
    bounded = read("FREQ=DAILY", start_date="2026-02-10", end_date="2026-02-12T09:00")
    started = parse(
        {"type": "rrule", "rrule": "FREQ=DAILY;INTERVAL=2", "start_date": "2026-02-10T07:00"}, zone="UTC", now=NOW
    )

    assert times(bounded) == ["2026-02-10 08:00", "2026-02-11 08:00", "2026-02-12 08:00"]
    assert times(started, 2) == ["2026-02-10 07:00", "2026-02-12 07:00"]


@pytest.mark.parametrize(
    ("rule", "part"),
    [
        ("", "there is no ''"),
        (5, "text"),
        ("FREQ=ALWAYS", "FREQ must be one of"),
        ("BYDAY=MO", "FREQ must be one of"),
        ("FREQ=DAILY;FREQ=DAILY", "given twice"),
        ("FREQ=DAILY;BYDAYS=MO", "did you mean 'BYDAY'"),
        ("FREQ=DAILY;INTERVAL=0", "from 1 to 36,525"),
        ("FREQ=DAILY;INTERVAL=99999999999999", "from 1 to"),
        ("FREQ=DAILY;COUNT=100001", "from 1 to 100,000"),
        ("FREQ=DAILY;COUNT=3;UNTIL=20270101", "cannot be combined"),
        ("FREQ=DAILY;UNTIL=tomorrow", "20261231"),
        ("FREQ=DAILY;UNTIL=20260230", "20261231"),
        ("FREQ=DAILY;BYHOUR=24", "takes 0 to 23"),
        ("FREQ=DAILY;BYSECOND=60", "takes 0 to 59"),
        ("FREQ=DAILY;BYMONTHDAY=0", "takes 1 to 31"),
        ("FREQ=DAILY;BYHOUR=", "takes 0 to 23"),
        ("FREQ=WEEKLY;BYDAY=XX", "BYDAY takes"),
        ("FREQ=WEEKLY;BYDAY=2TU", "MONTHLY and YEARLY alone"),
        ("FREQ=WEEKLY;WKST=1", "WKST must be"),
        ("FREQ=MONTHLY;BYWEEKNO=1", "YEARLY alone"),
        ("FREQ=MONTHLY;BYYEARDAY=1", "BYYEARDAY is not for"),
        ("FREQ=WEEKLY;BYMONTHDAY=1", "not for FREQ=WEEKLY"),
        ("FREQ=YEARLY;BYWEEKNO=1;BYDAY=1MO", "BYWEEKNO"),
        ("FREQ=MONTHLY;BYSETPOS=1", "another BY part"),
        ("FREQ=SECONDLY;BYSECOND=1;BYSETPOS=1", "within a second"),
        ("DTSTART:20260101T090000\nRRULE:FREQ=DAILY", "keys dtstart"),
        ("FREQ=DAILY;" * 300, "at most 2,000"),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "never happens"),
        ("FREQ=YEARLY;INTERVAL=4;BYMONTH=2;BYMONTHDAY=29", "never happens"),  # from 2026 on no such year is a leap year
        ("FREQ=DAILY;INTERVAL=7;BYDAY=FR", "never happens"),  # always a Thursday
        ("FREQ=SECONDLY;INTERVAL=2;BYSECOND=1", "never happens"),
        ("FREQ=HOURLY;INTERVAL=24;BYHOUR=5", "never happens"),
    ],
)
def test_what_is_no_rule_or_never_happens_is_refused(rule: object, part: str) -> None:
    with pytest.raises(TriggerError) as refusal:
        read(rule)

    assert part in str(refusal.value)
    assert refusal.value.field == "rrule"


@pytest.mark.parametrize(
    ("keys", "field"),
    [
        ({"dtstart": None}, "dtstart"),
        ({"dtstart": "soon"}, "dtstart"),
        ({"dtstart": 5}, "dtstart"),
        ({"exdates": "2026-01-01"}, "exdates"),
        ({"rdates": ["soon"]}, "rdates"),
        ({"rdates": [f"2026-01-01T00:{n // 60:02}:{n % 60:02}" for n in range(1_001)]}, "rdates"),
        ({"until": "2026-01-01"}, "until"),
        ({"timezone": "Europe/Berln"}, "timezone"),
    ],
)
def test_wrong_keys_beside_a_rule_are_refused(keys: dict[str, object], field: str) -> None:
    with pytest.raises(TriggerError) as refusal:
        read("FREQ=DAILY", **keys)

    assert refusal.value.field == field


def test_a_rule_since_2020_answers_without_walking_from_its_start() -> None:
    trigger = RRule("FREQ=MINUTELY;INTERVAL=5", wall(2020, 1, 1), "Europe/Berlin")
    trigger.next_after(NOW)

    with at_most(40_000):
        for number in range(200):
            trigger.next_after(NOW + timedelta(minutes=number))


def test_ten_years_asleep_and_a_rule_that_has_ended_are_answered_at_once() -> None:
    dense = RRule("FREQ=SECONDLY;INTERVAL=7", wall(2016, 1, 1), "UTC")
    ended = RRule("FREQ=DAILY;COUNT=3", wall(2016, 1, 1), "Asia/Gaza")

    with at_most(300_000):
        missed = dense.count_between(datetime(2016, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC))
        answers = ended.next_after(NOW), ended.latest_until(NOW.replace(year=2036), NOW)

    assert missed == 3_653 * 86_400 // 7
    assert answers == (None, None)
