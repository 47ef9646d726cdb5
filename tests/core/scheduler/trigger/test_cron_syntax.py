"""What a cron expression may say: refusals with their reason, one meaning whatever the spelling, every sign."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest
from steps import at_most

from modules.core.scheduler.trigger import Cron, TriggerError
from modules.core.scheduler.trigger.days import calendar_of
from modules.core.scheduler.trigger.expression import timetable

IMPOSSIBLE = [
    ("70-80 * * * *", "minute field"),
    ("1--100000000 * * * *", "minute field"),
    ("0-99999999999999999999 * * * *", "minute field"),
    ("*/90 * * * *", "steps up to 59"),
    ("*/0 * * * *", "minute field"),
    ("0 24 * * *", "hour field"),
    ("0 0 0 * *", "day field"),
    ("0 0 * 13 *", "month field"),
    ("0 0 * * 8", "day_of_week field"),
    ("0 0 * * foo", "sun-sat"),
    ("0 0 * * mon#6", "day_of_week field"),
    ("0 0 30 2 *", "no year has"),
    ("0 0 31 4,6,9,11 *", "no year has"),
    ("0 22-4/2 * * *", "list the values"),
    ("0 22-4 * * *", "write 22-23,0-4"),
    ("50-10 * * * *", "write 50-59,0-10"),
    ("0 0 * nov-feb *", "write nov-dec,jan-feb"),
    ("0 0 * * fri-mon", "write fri-sun,mon"),
    ("0 0 * * 5-0", "write 5-7"),
    ("10-20/15 * * * *", "out of the range 10-20"),
    ("? * * * *", "two day fields"),
    ("H H * * *", "a task's own"),
    ("R * * * *", "write H"),
    ("0 0 1-5W * *", "behind one day"),
    ("0 0 32W * *", "behind one day"),
    ("0 0 L-31 * *", "last day of the month"),
    ("0 0 * * L", "friL"),
    ("0 0 * * fooL", "sun-sat"),
    ("0 L * * *", "last day of the month"),
    ("0 0 0 30 2 *", "no year has"),
    ("0 0 0 29 2 * 2023", "no year has"),
    ("0 0 0 1 1 * 1969", "1970-2099"),
    ("0 0 30W 2 *", "no year has"),
    ("* * * * * * * *", "has 8"),
    ("@reboot", "lifespan"),
    ("@every 5m", "interval trigger"),
    ("@dayly", "did you mean '@daily'"),
    ("* * * *", "5 fields"),
    ("", "5 fields"),
    ("٣ * * * *", "ASCII"),
    ("1," * 200 + "1 * * * *", "256 characters"),
    ("0," * 200_000 + "1 * * * *", "256 characters"),
    ("*/1-99999999 * * * *", "minute field"),
    ("0-59/99999999999 * * * *", "minute field"),
    ("1,,2 * * * *", "minute field"),
    ("a\x00 * * * *", "minute field"),
]
MOST_SECONDS = 0.005  # of the processor, for a refusal


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


@pytest.mark.parametrize(("expression", "part"), IMPOSSIBLE)
def test_an_impossible_expression_is_refused_at_once_with_its_reason(expression: str, part: str) -> None:
    with at_most(5_000), pytest.raises(TriggerError) as refusal:
        Cron(expression, "UTC")

    assert part in str(refusal.value)
    assert refusal.value.field == "expression"


@pytest.mark.parametrize("expression", [expression for expression, _ in IMPOSSIBLE])
def test_what_is_refused_takes_less_than_five_milliseconds(expression: str) -> None:
    took = []
    for _ in range(3):  # the best one counts: a cold memory is none of ours
        timetable.cache_clear()
        calendar_of.cache_clear()
        began = time.process_time()
        with pytest.raises(TriggerError):
            Cron(expression, "UTC")
        took.append(time.process_time() - began)

    assert min(took) < MOST_SECONDS


def test_one_definition_has_one_spelling() -> None:
    assert Cron(" 0  0 l * MON ", "UTC") == Cron("0 0 L * mon", "UTC")
    assert Cron("0 0 lw,l-3,15w,28-l * FRIl,5l,L5", "UTC").expression == "0 0 LW,L-3,15W,28-L * friL,5L,L5"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("*/15 * * * *", "0,15,30,45 * * * *"),
        ("0 0 * * *", "@daily"),
        ("0 0 * * *", "0 0 0 * * *"),
        ("0 0 * * sun", "0 0 ? * 7"),
        ("5-5 * * * *", "5 * * * *"),
        ("0 0 1 */3 *", "0 0 1 jan,apr,jul,oct *"),
        ("0 0 * * 5L", "0 0 * * friL"),
        ("0 0 * * L5", "0 0 * * friL"),
        ("0 0 28-L * *", "0 0 28-31 * *"),
        ("0 0 * * 0-6", "0 0 * * *"),
        ("0 0 1-31 * *", "0 0 * * *"),
        ("0 0 13 * 1-7", "0 0 * * *"),
        ("0 0 1-31 * 5", "0 0 * * *"),
    ],
)
def test_two_ways_to_write_the_same_times_are_equal(one: str, other: str) -> None:
    assert Cron(one, "UTC") == Cron(other, "UTC")
    assert hash(Cron(one, "UTC")) == hash(Cron(other, "UTC"))
    assert Cron(one, "UTC") != Cron(one, "Europe/Berlin")


def test_an_hour_of_every_hour_and_a_wildcard_are_not_the_same() -> None:
    assert Cron("0 * * * *", "UTC") != Cron("0 0-23 * * *", "UTC")  # they differ when the clocks change


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("*/20 * * * * *", ["2027-01-29T12:00:20", "2027-01-29T12:00:40", "2027-01-29T12:01:00"]),
        ("15 30 9 * * *", ["2027-01-30T09:30:15", "2027-01-31T09:30:15", "2027-02-01T09:30:15"]),
        ("0 0 0 1 1 * 2028-2029", ["2028-01-01T00:00:00", "2029-01-01T00:00:00"]),
        ("0 0 0 29 2 * 2028/4", ["2028-02-29T00:00:00", "2032-02-29T00:00:00", "2036-02-29T00:00:00"]),
        ("0 9 L * *", ["2027-01-31T09:00:00", "2027-02-28T09:00:00", "2027-03-31T09:00:00"]),
        ("0 9 L-3 * *", ["2027-02-25T09:00:00", "2027-03-28T09:00:00", "2027-04-27T09:00:00"]),
        ("0 9 LW * *", ["2027-01-29T09:00:00", "2027-02-26T09:00:00", "2027-03-31T09:00:00"]),
        ("0 9 15W * *", ["2027-02-15T09:00:00", "2027-03-15T09:00:00", "2027-04-15T09:00:00"]),
        ("0 9 1W * *", ["2027-02-01T09:00:00", "2027-03-01T09:00:00", "2027-04-01T09:00:00"]),
        ("0 9 1W 5 *", ["2027-05-03T09:00:00", "2028-05-01T09:00:00", "2029-05-01T09:00:00"]),
        ("0 9 31W * *", ["2027-01-29T09:00:00", "2027-03-31T09:00:00", "2027-05-31T09:00:00"]),
        ("0 9 * * fri#2", ["2027-02-12T09:00:00", "2027-03-12T09:00:00", "2027-04-09T09:00:00"]),
        ("0 9 * * 5L", ["2027-01-29T09:00:00", "2027-02-26T09:00:00", "2027-03-26T09:00:00"]),
        ("0 9 * * mon#1,friL", ["2027-01-29T09:00:00", "2027-02-01T09:00:00", "2027-02-26T09:00:00"]),
        ("0 9 * * 5#5,1", ["2027-01-29T09:00:00", "2027-02-01T09:00:00", "2027-02-08T09:00:00"]),
        ("0 9 ? * fri", ["2027-01-29T09:00:00", "2027-02-05T09:00:00", "2027-02-12T09:00:00"]),
    ],
)
def test_seconds_years_and_the_signs_of_other_crons_mean_what_they_say(expression: str, expected: list[str]) -> None:
    after = utc(2027, 1, 29, 8) if "9" in expression.split()[:2] else utc(2027, 1, 29, 12)
    cron = Cron(expression, "UTC")

    found = [moment for moment, _ in zip(cron.between(after, utc(2099, 1, 1)), expected, strict=False)]

    assert [f"{moment:%Y-%m-%dT%H:%M:%S}" for moment in found] == expected[: len(found)]
    assert len(found) == len(expected)
    assert cron.next_after(after) == found[0]


def test_after_the_last_year_there_is_nothing_more() -> None:
    cron = Cron("0 0 0 1 1 * 2028-2029", "Europe/Berlin")

    assert cron.next_after(utc(2029, 6, 1)) is None
    assert cron.latest_until(utc(2060, 1, 1), utc(2000, 1, 1)) == utc(2028, 12, 31, 23)
    assert cron.count_between(utc(2000, 1, 1), utc(2060, 1, 1)) == 2


def test_the_same_day_of_a_later_year_begins_with_its_first_hour() -> None:
    assert Cron("0 0 7,9 1 1 * 2030", "UTC").next_after(utc(2026, 1, 1, 8)) == utc(2030, 1, 1, 7)


def test_day_and_weekday_may_be_asked_to_match_both() -> None:
    cron = Cron("0 0 13 * 5", "UTC", day_match="all")

    assert [moment.date().isoformat() for moment in cron.between(utc(2026, 1, 1), utc(2027, 1, 1))] == [
        "2026-02-13",
        "2026-03-13",
        "2026-11-13",
    ]
    assert Cron("0 0 1-31 * 5", "UTC", day_match="all") == Cron("0 0 * * 5", "UTC")


@pytest.mark.parametrize(
    ("one", "other"),
    [("0 9 31 12 *", "0 9 L 12 *"), ("0 9 28 1,3 *", "0 9 L-3 1,3 *"), ("0 9 1-30 4 *", "0 9 * 4 *")],
)
def test_days_from_the_last_equal_those_from_the_first_where_all_months_are_equally_long(one: str, other: str) -> None:
    assert Cron(one, "UTC") == Cron(other, "UTC")
    assert Cron(one, "UTC") != Cron(other.replace("12", "*").replace("1,3", "1,4").replace(" 4 ", " 5 "), "UTC")
