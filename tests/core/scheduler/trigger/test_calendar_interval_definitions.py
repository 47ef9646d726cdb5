"""Calendar intervals as they are written: on which days they run, what they are called, what is refused."""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC, datetime, time

import pytest

from modules.core.scheduler.trigger import CalendarInterval, Trigger, TriggerError, parse

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


def read(**keys: object) -> Trigger:
    return parse({"type": "calendar", **keys}, zone="Europe/Berlin", now=NOW)


def first_days(trigger: Trigger, count: int, after: datetime = NOW) -> list[str]:
    found: list[datetime] = []
    while len(found) < count and (following := trigger.next_after(found[-1] if found else after)) is not None:
        found.append(following)
    return [f"{moment:%Y-%m-%d %H:%M}" for moment in found]


@pytest.mark.parametrize(
    ("keys", "words", "days"),
    [
        (
            {"months": 1, "day": "last", "at": "09:00"},
            "every month on the last day at 09:00",
            ["2026-02-28 08:00", "2026-03-31 07:00", "2026-04-30 07:00"],
        ),
        (
            {"months": 1, "day": "last-3", "at": "9:00"},
            "every month on the last day but 3 at 09:00",
            ["2026-02-25 08:00", "2026-03-28 08:00", "2026-04-27 07:00"],
        ),
        (
            {"months": 3, "day": 15, "at": "09:00", "start_date": "2026-01-01"},
            "every 3 months from January on day 15 at 09:00",
            ["2026-04-15 07:00", "2026-07-15 07:00"],
        ),
        (
            {"months": 1, "start_date": "2026-01-31T09:00"},
            "every month on the last day at 09:00",
            ["2026-02-28 08:00", "2026-03-31 07:00"],
        ),
        (
            {"months": 1, "start_date": "2026-01-30T09:00"},
            "every month on day 30 (or the last day of a shorter month) at 09:00",
            ["2026-02-28 08:00", "2026-03-30 07:00"],
        ),
        (
            {"months": 2, "day": "2nd tue", "at": "09:00", "start_date": "2026-02-01"},
            "every 2 months from February on the second Tuesday at 09:00",
            ["2026-02-10 08:00", "2026-04-14 07:00"],
        ),
        (
            {"months": 1, "day": "last weekday", "at": "17:30:15"},
            "every month on the last working day at 17:30:15",
            ["2026-02-27 16:30", "2026-03-31 15:30"],
        ),
        (
            {"years": 1, "month": "march", "day": "last sunday", "at": "02:30"},
            "every year in March on the last Sunday at 02:30",
            ["2026-03-29 01:00", "2027-03-28 01:00"],
        ),
        (
            {"years": 2, "start_date": "2024-02-29T09:00"},
            "every 2 years in February on day 29 (or the last day of a shorter month) at 09:00",
            ["2026-02-28 08:00", "2028-02-29 08:00"],
        ),
        ({"days": 1, "at": "09:00"}, "every day at 09:00", ["2026-02-01 08:00", "2026-02-02 08:00"]),
        (
            {"days": 10, "at": "09:00", "start_date": "2026-02-03"},
            "every 10 days at 09:00",
            ["2026-02-03 08:00", "2026-02-13 08:00"],
        ),
        (
            {"weeks": 2, "day": "friday", "at": "17:00", "start_date": "2026-02-01"},
            "every 2 weeks on Friday at 17:00",
            ["2026-02-06 16:00", "2026-02-20 16:00"],
        ),
        ({"weeks": 1, "day": "mon", "at": "17:00"}, "every Monday at 17:00", ["2026-02-02 16:00"]),
    ],
)
def test_a_definition_says_on_which_days_and_tells_it_in_words(
    keys: dict[str, object], words: str, days: list[str]
) -> None:
    trigger = read(**keys)

    assert trigger.describe() == f"{words} (Europe/Berlin)"
    assert first_days(trigger, len(days)) == days
    assert deepcopy(trigger) == trigger


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"months": 1, "day": 31, "at": "09:00"}, {"months": 1.0, "day": "LAST", "at": "09:00:00"}),
        ({"months": 12, "day": 5, "at": "09:00"}, {"years": 1, "month": "jan", "day": "5", "at": "9:00"}),
        ({"weeks": 1, "day": "fri", "at": "09:00"}, {"days": 7, "at": "09:00", "start_date": "2026-02-06"}),
        ({"months": 1, "day": "1st fri", "at": time(9)}, {"months": 1, "day": "first Friday", "at": "09:00"}),
    ],
)
def test_two_ways_to_say_the_same_are_equal(one: dict[str, object], other: dict[str, object]) -> None:
    left, right = read(**one), read(**other)
    if "start_date" in other and "start_date" not in one:
        assert isinstance(right, CalendarInterval)
        right = CalendarInterval(right.every, right.unit, right.at, right.zone, right.day, right.phase)

    assert left == right
    assert hash(left) == hash(right)
    assert left.describe() == right.describe()


@pytest.mark.parametrize(
    ("keys", "field", "part"),
    [
        ({}, "months", "needs one of"),
        ({"months": 1, "days": 1}, "months", "needs one of"),
        ({"months": 0, "day": 1, "at": "09:00"}, "months", "whole number"),
        ({"years": 101, "month": 1, "day": 1, "at": "09:00"}, "years", "1 to 1,200"),
        ({"days": 1.5, "at": "09:00"}, "days", "whole number"),
        ({"months": 1, "at": "09:00"}, "day", "needs 'day'"),
        ({"years": 1, "day": 1, "at": "09:00"}, "month", "needs 'month'"),
        ({"months": 1, "day": 1}, "at", "needs 'at'"),
        ({"months": 1, "day": 1, "at": "25:00"}, "at", "time of day"),
        ({"months": 1, "day": 1, "at": 9}, "at", "time of day"),
        ({"months": 1, "day": 32, "at": "09:00"}, "day", "1 to 31"),
        ({"months": 1, "day": "last-28", "at": "09:00"}, "day", "1 to 31"),
        ({"months": 1, "day": "fifth monday", "at": "09:00"}, "day", "second tuesday"),
        ({"months": 1, "day": True, "at": "09:00"}, "day", "1 to 31"),
        ({"months": 1, "day": 1, "month": 3, "at": "09:00"}, "month", "calendar of years"),
        ({"years": 1, "month": 13, "day": 1, "at": "09:00"}, "month", "1 to 12"),
        ({"weeks": 1, "day": 5, "at": "09:00"}, "day", "'friday'"),
        ({"days": 1, "day": "friday", "at": "09:00"}, "day", "calendar of weeks"),
        ({"days": 1, "at": "09:00", "start_date": "2026-02-01", "end_date": "2026-01-01"}, "end_date", "before"),
    ],
)
def test_what_is_no_calendar_is_refused(keys: dict[str, object], field: str, part: str) -> None:
    with pytest.raises(TriggerError, match=part) as refusal:
        read(**keys)

    assert refusal.value.field == field
