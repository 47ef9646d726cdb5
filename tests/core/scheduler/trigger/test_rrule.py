"""Recurrence rules: how they are read, refused, told in words, and how fast they answer."""

from __future__ import annotations

import re
from copy import deepcopy
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from steps import at_most
from wall_oracle import wall

from modules.core.scheduler.trigger import RRule, Trigger, TriggerError, parse
from modules.core.scheduler.trigger.rrule_text import FREQUENCIES
from modules.core.scheduler.trigger.rrule_words import UNITS

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
WORDS = {
    "BYMONTH=1,3,4,5": "January, March, April and May",
    "BYMONTHDAY=1,-3,31": "day 1, day 31 (where there is one) and the last day but 2",
    "BYYEARDAY=5,-1": "day 5 of the year and the last day of the year",
    "BYWEEKNO=2,-1": "week 2 and the last week",
    "BYDAY=MO,SU": "Sunday",
    "BYDAY=3FR,-1TU": "the last Tuesday and the third Friday",
    "BYSETPOS=1,-2": ", of these only the first and the last but 1",
}


def read(rule: object, **keys: object) -> Trigger:
    return parse({"type": "rrule", "rrule": rule, "dtstart": "2026-01-01T09:00", **keys}, zone="Europe/Berlin", now=NOW)


def times(trigger: Trigger, count: int = 99, after: datetime = NOW) -> list[str]:
    found: list[datetime] = []
    while len(found) < count and (following := trigger.next_after(found[-1] if found else after)) is not None:
        found.append(following)
    return [f"{moment:%Y-%m-%d %H:%M}" for moment in found]


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("FREQ=DAILY", "every day at 09:00"),
        ("rrule:freq=weekly;interval=2;byday=mo,th;", "every 2 weeks on Monday and Thursday at 09:00"),
        ("FREQ=WEEKLY", "every week on Thursday at 09:00"),
        ("FREQ=MONTHLY;BYDAY=2TU,-1FR", "every month on the second Tuesday and the last Friday at 09:00"),
        ("FREQ=MONTHLY;BYMONTHDAY=1,15,-1", "every month on day 1, day 15 and the last day at 09:00"),
        ("FREQ=MONTHLY;BYMONTHDAY=30", "every month on day 30 (where there is one) at 09:00"),
        ("FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU;BYHOUR=2;BYMINUTE=30", "every year in March on the last Sunday at 02:30"),
        ("FREQ=YEARLY", "every year in January on day 1 at 09:00"),
        ("FREQ=DAILY;BYMONTH=1,2;BYDAY=SA,SU", "every day in January and February on Saturday and Sunday at 09:00"),
        ("FREQ=YEARLY;BYDAY=20MO", "every year on the 20th Monday of the year at 09:00"),
        ("FREQ=MONTHLY;BYDAY=1MO,WE", "every month on each Wednesday and the first Monday at 09:00"),
        ("FREQ=MONTHLY;BYDAY=-2FR,5SU", "every month on the last Friday but 1 and the 5th Sunday at 09:00"),
        ("FREQ=YEARLY;BYMONTH=1;BYDAY=MO", "every year in January on each Monday at 09:00"),
        ("FREQ=DAILY;BYDAY=MO,FR;BYMONTHDAY=13", "every day on day 13 (where it is also Monday and Friday) at 09:00"),
        ("FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO", "every year in week 20 on Monday at 09:00"),
        (
            "FREQ=YEARLY;BYWEEKNO=-1,1;WKST=SU",
            "every year in week 1 and the last week (weeks begin on Sunday) on each day at 09:00",
        ),
        ("FREQ=YEARLY;BYYEARDAY=-1,100", "every year on day 100 of the year and the last day of the year at 09:00"),
        (
            "FREQ=WEEKLY;INTERVAL=2;WKST=SU;BYDAY=TU,SU",
            "every 2 weeks on Tuesday and Sunday (weeks begin on Sunday) at 09:00",
        ),
        (
            "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
            "every month on each Monday to Friday at 09:00, of these only the last in each month",
        ),
        ("FREQ=DAILY;BYHOUR=9,12", "every day at 09:00 and 12:00"),
        ("FREQ=DAILY;BYHOUR=0,1,2,3,4;BYMINUTE=0,20,40", "every day at every 20th minute from 0 to 40 of hours 0 to 4"),
        ("FREQ=HOURLY;INTERVAL=5", "every 5 hours at minute 0, counted from 2026-01-01 09:00:00"),
        (
            "FREQ=HOURLY;BYHOUR=9,10,11;BYSECOND=15,45",
            "every hour at seconds 15 and 45 of minute 0, only in hours 9 to 11",
        ),
        ("FREQ=MINUTELY;INTERVAL=5;BYHOUR=9", "every 5 minutes, only in hour 9, counted from 2026-01-01 09:00:00"),
        ("FREQ=MINUTELY;BYSECOND=0,30", "every minute at seconds 0 and 30"),
        (
            "FREQ=SECONDLY;BYHOUR=9;BYMINUTE=0;BYSECOND=0,5",
            "every second, only in seconds 0 and 5 of minute 0 of hour 9",
        ),
    ],
)
def test_a_rule_is_told_in_plain_words(rule: str, words: str) -> None:
    trigger = read(rule)

    assert trigger.describe() == f"{words} (Europe/Berlin)"
    assert deepcopy(trigger) == trigger


@settings(max_examples=60, deadline=None)
@given(
    freq=st.sampled_from(FREQUENCIES),
    parts=st.lists(
        st.sampled_from(
            [
                *(
                    "INTERVAL=3",
                    "BYMONTH=1,3,4,5",
                    "BYMONTHDAY=1,-3,31",
                    "BYYEARDAY=5,-1",
                    "BYWEEKNO=2,-1",
                    "BYDAY=MO,SU",
                ),
                *("BYDAY=3FR,-1TU", "BYHOUR=1,2,3,9", "BYMINUTE=0,30", "BYSECOND=5,10,15", "BYSETPOS=1,-2", "WKST=SU"),
            ]
        ),
        unique_by=lambda part: part.split("=")[0],
    ),
)
def test_whatever_a_rule_says_its_words_hold_each_of_its_numbers_and_none_of_its_keys(
    freq: str, parts: list[str]
) -> None:
    text = ";".join([f"FREQ={freq}", *parts])
    try:
        told = read(text).describe()
    except TriggerError:
        return  # what the RFC forbids, or never happens

    assert not re.search("[A-Z]{3}|=|;", told)
    assert "INTERVAL=3" not in parts or f"every 3 {UNITS[FREQUENCIES.index(freq)]}s" in told
    for part, word in WORDS.items():
        assert (part in parts) <= (word in told), part


def test_words_tell_the_end_and_the_exceptions() -> None:
    whole = read("FREQ=DAILY;COUNT=40", exdates=["2026-02-01"], rdates=["2026-02-01T12:00", "2026-02-02T12:00"])
    ending = read("FREQ=DAILY;UNTIL=20260301")

    assert whole.describe() == "every day at 09:00 (Europe/Berlin), 40 times, and at 2 further times, without 1 time"
    assert ending.describe() == "every day at 09:00 (Europe/Berlin), until 2026-03-01 23:59:59"


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
