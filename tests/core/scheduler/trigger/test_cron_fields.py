"""Cron as a dict with a key for each field, by the rules of APScheduler; and the times of a task's own, `H`."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Any

import pytest

from modules.core.scheduler.trigger import Cron, TriggerError, from_json, parse
from modules.core.scheduler.trigger.bits import numbers_of

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


def read(definition: Any, seed: str | None = None) -> Cron:
    found = parse(definition, zone="UTC", now=NOW, seed=seed)
    assert isinstance(found, Cron)
    return found


@pytest.mark.parametrize(
    ("fields", "expression"),
    [
        ({"second": "*/10"}, "*/10 * * * * *"),
        ({"minute": 5, "second": 30}, "30 5 * * * *"),
        ({"second": 0}, "* * * * *"),
        ({"hour": 3}, "0 3 * * *"),
        ({"day": "last"}, "0 0 L * *"),
        ({"day": "1,last"}, "0 0 1,L * *"),
        ({"day": "2nd fri"}, "0 0 * * fri#2"),
        ({"day": "last sun", "hour": 4}, "0 4 * * sunL"),
        ({"day": "1st mon, 15, last fri"}, "0 0 15 * mon#1,friL"),
        ({"month": "*/3"}, "0 0 1 */3 *"),
        ({"year": 2027}, "0 0 0 1 1 * 2027"),
        ({"year": "2027-2029", "month": 6}, "0 0 0 1 6 * 2027-2029"),
        ({"day_of_week": 0}, "0 0 * * mon"),
        ({"day_of_week": "0-4"}, "0 0 * * 1-5"),
        ({"day_of_week": "6"}, "0 0 * * sun"),
        ({"day_of_week": "*/2"}, "0 0 * * mon,wed,fri,sun"),
        ({"day_of_week": "1-5/2"}, "0 0 * * tue,thu,sat"),
        ({"day_of_week": "fri-sun"}, "0 0 * * 5-7"),
        ({"hour": "9-17/4", "minute": "10-50/20"}, "10-50/20 9-17/4 * * *"),
    ],
)
def test_fields_mean_what_they_mean_in_apscheduler(fields: dict[str, Any], expression: str) -> None:
    found = read({"type": "cron", **fields})

    assert found == Cron(expression, "UTC")
    assert from_json(found.to_json()) == found


def test_day_and_day_of_week_must_both_match() -> None:
    found = read({"type": "cron", "day": "13", "day_of_week": "fri"})

    assert found == Cron("0 0 13 * fri", "UTC", day_match="all")
    assert found != Cron("0 0 13 * fri", "UTC")
    assert found.next_after(NOW) == datetime(2026, 2, 13, tzinfo=UTC)
    assert from_json(found.to_json()) == found


def test_what_is_advised_instead_of_days_that_run_backwards_can_be_written() -> None:
    with pytest.raises(TriggerError, match=r"write sat-sun,mon$"):
        read({"type": "cron", "day_of_week": "sat-mon"})

    found = read({"type": "cron", "day_of_week": "sat-sun,mon"})

    assert found == read({"type": "cron", "day_of_week": "sat,sun,mon"})


@pytest.mark.parametrize("week", ["1", "53", "*/2", "5,10-12", "1-9/4"])
def test_weeks_are_those_of_iso_8601_at_the_turn_of_years_too(week: str) -> None:
    found = read({"type": "cron", "week": week})
    wanted: set[int] = set()
    for item in week.split(","):
        span, _, step = item.partition("/")
        low, _, high = span.replace("*", "1-53").partition("-")
        wanted |= set(range(int(low), int(high or low) + 1, int(step or 1)))

    days = [moment.date() for moment in found.between(NOW.replace(year=2019), NOW.replace(year=2034))]

    every = (date(2019, 2, 1) + timedelta(days=number) for number in range(366 * 16))
    assert days == [day for day in every if day.isocalendar().week in wanted and day <= date(2034, 1, 31)]
    assert len(days) > (14 * 6 if week != "53" else 14)
    assert from_json(found.to_json()) == found


@pytest.mark.parametrize(
    "expression", ["H * * * *", "H H * * *", "H/15 * * * *", "H(0-29)/10 H(1-5) H * H", "H 0 H * *"]
)
def test_an_h_is_a_time_of_each_tasks_own_that_stays(expression: str) -> None:
    found = {read(expression, seed=f"acme/task {number}").expression for number in range(60)}

    assert "h" not in "".join(found).replace("thu", "")
    assert len(found) > 5
    assert read(expression, "acme/report") == read({"type": "cron", "expression": expression}, "acme/report")


def test_an_h_keeps_to_its_field_its_range_and_its_step() -> None:
    seeds = [f"task {number}" for number in range(300)]

    minutes = {int(read("H(10-19) * * * *", seed).expression.split()[0]) for seed in seeds}
    days = {int(read("0 0 H * *", seed).expression.split()[2]) for seed in seeds}
    quarters = [numbers_of(read("H/15 * * * *", seed).times.minutes) for seed in seeds]

    assert minutes == set(range(10, 20))
    assert days == set(range(1, 29))
    assert {first for first, *_ in quarters} == set(range(15))
    assert all(len(each) == 4 for each in quarters)


def test_an_h_is_the_same_in_every_version_of_this_program() -> None:
    assert read("H H * * *", "acme.reports/Daily report").expression == "37 18 * * *"


@pytest.mark.parametrize(
    "expression", ["H(0-70) * * * *", "H(9-3) * * * *", "H/0 * * * *", "H/60 * * * *", "Hx * * * *"]
)
def test_an_h_out_of_its_field_is_refused(expression: str) -> None:
    with pytest.raises(TriggerError) as refusal:
        read(expression, "task")

    assert refusal.value.field == "expression"


def test_the_first_times_of_a_dict_are_those_of_its_expression() -> None:
    found = read({"type": "cron", "day_of_week": "mon-fri", "hour": "9-17", "minute": "*/30"})

    times = list(islice(found.between(NOW, NOW + timedelta(days=3)), 3))

    assert times == [datetime(2026, 2, 2, 9, minute, tzinfo=UTC) for minute in (0, 30)] + [
        datetime(2026, 2, 2, 10, tzinfo=UTC)
    ]


@pytest.mark.parametrize(
    "value", [10**6_000, -1, "1," * 100_000, "1st fri," * 40], ids=["digits", "minus", "items", "words"]
)
def test_a_field_that_is_far_too_large_is_refused_by_its_key(value: object) -> None:
    with pytest.raises(TriggerError) as refusal:
        read({"type": "cron", "day": value})

    assert (refusal.value.field, str(refusal.value)) == ("day", "day is far too large")
