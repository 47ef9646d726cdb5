"""However long a task slept: what it costs to find out what was missed does not grow with how much that was."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest

from modules.core.scheduler.catch_up import COUNTED, Firing, decide
from modules.core.scheduler.policies import Policies
from modules.core.scheduler.trigger import (
    AfterEnd,
    AllOf,
    AnyOf,
    CalendarInterval,
    Cron,
    Every,
    Excluding,
    Exclusion,
    Once,
    RRule,
    Until,
    Window,
    read_calendar,
)
from modules.core.scheduler.trigger.stored import KINDS

START = datetime(2026, 1, 5, 12, tzinfo=UTC)
TEN_YEARS = timedelta(days=3653)
EVERY_MINUTE = Cron("* * * * *", "Europe/Berlin")
NIGHTS = Exclusion("nights", read_calendar({"windows": ["22:00-02:00"]}, "Europe/Berlin"))
BREAKS = Exclusion(
    "breaks", read_calendar({"windows": [f"{hour:02d}:50-{hour:02d}:59" for hour in range(24)]}, "Europe/Berlin")
)
STEPS = 40_000  # calls: of each change of the clocks in ten years, of each kind of day, and of runs that are caught up
MORE_STEPS = {"moving out of step": 70_000, "moving by fractions": 250_000}  # for each day, and to find a year
MORE_STEPS |= {"any of many": 150_000, "all out of step": 250_000}  # for each of the parts, and of the runs

# One of each kind that has times, as busy as it can be. A new kind comes in here.
BUSY: dict[str, Any] = {
    "date": Once(START),
    "interval": Every(timedelta(seconds=1), START),
    "calendar": CalendarInterval(1, "days", time(2, 30), "Europe/Berlin"),
    "window": Window(timedelta(seconds=1), time(9), time(8), "Europe/Berlin"),
    "rrule": RRule("FREQ=SECONDLY;INTERVAL=7", START.replace(tzinfo=None), "Europe/Berlin"),
    "cron": EVERY_MINUTE,
    "any": AnyOf((EVERY_MINUTE, Every(timedelta(minutes=7), START))),
    "all": AllOf((EVERY_MINUTE, Every(timedelta(minutes=7), START))),
    "excluding": Excluding(EVERY_MINUTE, (Exclusion("weekends", read_calendar({"weekdays": "sat-sun"}, "UTC")),)),
    "excluding any": Excluding(
        AnyOf((EVERY_MINUTE, Cron("*/7 9-17 * * mon-fri", "Europe/Berlin"))),
        (Exclusion("nights", read_calendar({"windows": ["22:00-02:00"]}, "UTC")),),
    ),
    "moving any": Excluding(
        AnyOf((Cron("*/5 * * * *", "Europe/Berlin"), Window(timedelta(minutes=3), time(9), time(17), "Asia/Tokyo"))),
        (
            Exclusion("nights", read_calendar({"windows": ["22:00-02:00"], "weekdays": "sat-sun"}, "UTC")),
            Exclusion("christmas", read_calendar({"dates": ["12-25"]}, "UTC"), "move"),
        ),
    ),
    "rrule any": AnyOf(
        (
            RRule("FREQ=MINUTELY;INTERVAL=5;BYHOUR=9", START.replace(tzinfo=None), "Europe/Berlin"),
            CalendarInterval(1, "months", time(9), "Europe/Berlin", day="last"),
        )
    ),
    "any out of step": AnyOf((EVERY_MINUTE, Every(timedelta(seconds=1007), START))),
    "all out of step": AllOf((EVERY_MINUTE, Every(timedelta(seconds=1007), START))),
    "excluding out of step": Excluding(Every(timedelta(seconds=1007), START), (NIGHTS,)),
    "moving out of step": Excluding(Every(timedelta(seconds=1007), START), (replace(NIGHTS, when="move"),)),
    "moving by fractions": Excluding(Every(timedelta(seconds=90.5), START), (replace(BREAKS, when="move"),)),
    "excluding a window": Excluding(Window(timedelta(seconds=7), time(9), time(8), "Asia/Tokyo"), (NIGHTS,)),
    "any of many": AnyOf(tuple(Cron(f"{each} {each} * * *", "Europe/Berlin") for each in range(20))),
    "after_end": AfterEnd(timedelta(minutes=1), START),
    "until": Until(EVERY_MINUTE, START + 2 * TEN_YEARS),
}


def counted(work: Callable[[], Firing]) -> tuple[Firing, int]:
    """Do some work and count its calls: as many on every machine."""
    count = 0

    def counting(_frame: Any, event: str, _argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(counting)
    try:
        done = work()
    finally:
        sys.setprofile(None)
    return done, count


def test_every_kind_of_trigger_that_has_times_is_asked() -> None:
    assert set(BUSY) & set(KINDS) == set(KINDS) - {"event", "after"}


CASES = [(kind, catch_up) for kind in BUSY for catch_up in ("latest", "all", "none")]


@pytest.mark.parametrize(("kind", "catch_up"), CASES)
def test_ten_years_asleep_are_accounted_for_without_a_step_for_each_occurrence(kind: str, catch_up: str) -> None:
    trigger, policies = BUSY[kind], Policies(catch_up=catch_up)
    nominal = trigger.next_after(START - timedelta(microseconds=1))
    decide(trigger, nominal, nominal + timedelta(minutes=1), policies, None)

    firing, taken = counted(lambda: decide(trigger, nominal, nominal + TEN_YEARS, policies, None))

    assert taken <= MORE_STEPS.get(kind, STEPS)
    accounted = sum(1 + run.missed_count for run in firing.runs)
    accounted += 0 if firing.missed is None else firing.missed.count
    assert accounted == 1 + trigger.count_between(nominal, nominal + TEN_YEARS)
    assert len(firing.runs) <= 100


@pytest.mark.parametrize("kind", BUSY)
def test_two_months_are_counted_as_by_visiting_each(kind: str) -> None:
    trigger, after = BUSY[kind], START + timedelta(days=60, hours=3)  # over a change of the clocks
    days = 1 if kind in ("interval", "window", "rrule", "excluding a window") else 60

    assert trigger.count_between(after, after + timedelta(days=days)) == sum(
        1 for _ in trigger.between(after, after + timedelta(days=days))
    )


@pytest.mark.parametrize("kind", ["cron", "any", "rrule"])
def test_of_centuries_the_newest_twenty_years_are_counted_and_the_row_begins_with_them(kind: str) -> None:
    trigger = BUSY[kind]
    now = START.replace(year=4000)

    firing, _ = counted(lambda: decide(trigger, START, now, Policies(), None))

    (run,) = firing.runs
    assert run.missed_since == trigger.next_after(now - COUNTED)
    assert run.missed_count == trigger.count_between(run.missed_since, now)
