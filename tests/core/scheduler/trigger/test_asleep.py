"""However long a task slept: what it costs to find out what was missed does not grow with how much that was."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from typing import Any, cast

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
    TimeTrigger,
    Until,
    Window,
    read_calendar,
)
from modules.core.scheduler.trigger.stored import KINDS

START = datetime(2026, 1, 5, 12, tzinfo=UTC)
TEN_YEARS = timedelta(days=3653)
EVERY_MINUTE = Cron("* * * * *", "Europe/Berlin")
STEPS = 15_000  # calls: of each change of the clocks in ten years, and of each run that is caught up, some

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
    "after_end": AfterEnd(timedelta(minutes=1), START),
    "until": Until(EVERY_MINUTE, START + 2 * TEN_YEARS),
}
# where each kind of day is looked at: calls for that, and for each day asleep
BY_DAYS = {"any": (150_000, 5), "all": (150_000, 5), "rrule": (150_000, 40), "rrule any": (30_000, 60)}
BY_DAYS |= {"excluding": (30_000, 40), "excluding any": (600_000, 100), "moving any": (900_000, 250)}


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


@pytest.mark.parametrize(("kind", "catch_up"), [case for case in CASES if case[0] not in BY_DAYS or case[1] == "all"])
def test_ten_years_asleep_are_accounted_for_without_a_step_for_each_occurrence(kind: str, catch_up: str) -> None:
    trigger, policies = BUSY[kind], Policies(catch_up=catch_up)
    nominal = trigger.next_after(START - timedelta(microseconds=1))
    looks, a_day = BY_DAYS.get(kind, (STEPS, 0))

    firing, taken = counted(lambda: decide(trigger, nominal, nominal + TEN_YEARS, policies, None))

    assert taken <= looks + a_day * TEN_YEARS.days
    accounted = sum(1 + run.missed_count for run in firing.runs)
    accounted += 0 if firing.missed is None else firing.missed.count
    assert accounted == 1 + trigger.count_between(nominal, nominal + TEN_YEARS)
    assert len(firing.runs) <= 100


@pytest.mark.parametrize("kind", BUSY)
def test_the_kinds_of_many_days_are_those_of_each(kind: str) -> None:
    bounds = START + timedelta(days=200, hours=5), START + timedelta(days=3, hours=7)
    for trigger in (BUSY[kind], Until(cast(TimeTrigger, BUSY[kind]), *bounds)) if kind != "until" else [BUSY[kind]]:
        if isinstance(trigger, TimeTrigger):
            one_by_one = [trigger.day_pattern(START + day * timedelta(days=1)) for day in range(300)]
            assert list(trigger.day_patterns(START, 300)) == one_by_one


@pytest.mark.parametrize("kind", ["cron", "any", "rrule"])
def test_a_clock_that_is_centuries_wrong_costs_no_more_than_twenty_years(kind: str) -> None:
    trigger = BUSY[kind]
    now = START.replace(year=4000)

    firing, _ = counted(lambda: decide(trigger, START, now, Policies(), None))

    (run,) = firing.runs
    assert run.missed_count == trigger.count_between(now - COUNTED, now)
    assert run.missed_since in (None, START)
