"""Recurrence rules in plain words."""

from __future__ import annotations

import re
from copy import deepcopy
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modules.core.scheduler.trigger import Trigger, TriggerError, parse
from modules.core.scheduler.trigger.rrule_text import FREQUENCIES
from modules.core.scheduler.trigger.rrule_words import UNITS

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
WORDS = {
    "BYMONTH=1,3,4,5": "January and March to May",
    "BYMONTHDAY=1,-3,31": "day 1, day 31 (where there is one) and the last day but 2",
    "BYYEARDAY=5,-1": "day 5 of the year and the last day of the year",
    "BYWEEKNO=2,-1": "week 2 and the last week",
    "BYDAY=MO,SU": "Sunday",
    "BYDAY=3FR,-1TU": "the last Tuesday and the third Friday",
    "BYSETPOS=1,-2": ", of these only the first and the last but 1",
}


def read(rule: object, **keys: object) -> Trigger:
    return parse({"type": "rrule", "rrule": rule, "dtstart": "2026-01-01T09:00", **keys}, zone="Europe/Berlin", now=NOW)


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
