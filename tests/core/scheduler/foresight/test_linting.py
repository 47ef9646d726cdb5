"""Findings: each is there where there is reason for it, and nowhere else."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from framework.testing import START
from modules.core.scheduler.foresight.forecasting import Ahead, forecast_of, scene
from modules.core.scheduler.foresight.linting import (
    Finding,
    Linted,
    findings_of_crowds,
    findings_of_forecast,
    findings_of_task,
)
from modules.core.scheduler.foresight.simulating import Slots, Work
from modules.core.scheduler.trigger import AfterEnd, Cron, Every, Once, OnEvent, Trigger, parse

HOUR = timedelta(hours=1)
FUNCTIONS = frozenset({"acme:note"})


def linted(trigger: Trigger, **known: Any) -> Linted:
    took = known.pop("took", ())
    work = Work("t", "task", took[0] if took else 10.0)
    first: datetime | None = trigger.next_after(START)
    values = {"next_execution": first, "is_open": False, "waits_for_event": False, "timeout": 300.0}
    return Linted(work, trigger, **{**values, "took": took, "function": "acme:note", **known})


def codes(task: Linted, functions: frozenset[str] | None = FUNCTIONS) -> list[str]:
    return [finding.code for finding in findings_of_task(task, START, functions)]


def cron(expression: str, zone: str = "Europe/Berlin", **more: Any) -> Trigger:
    return parse({"type": "cron", "expression": expression, "timezone": zone, **more}, zone="UTC", now=START)


@pytest.mark.parametrize(
    ("trigger", "expected"),
    [
        (cron("30 2 * * *"), ["FIXED_TIME_IN_GAP"]),
        (cron("30 2 * * *", dst_gap="skip"), ["FIXED_TIME_IN_GAP"]),
        (cron("30 2 * * sun"), ["FIXED_TIME_IN_GAP"]),
        (cron("30 2 * * mon"), []),
        (cron("30 3 * * *"), []),
        (cron("30 * * * *"), []),
        (cron("30 2 * * *", "UTC"), []),
        (cron("30 2 * * *", "Asia/Tokyo"), []),
        (cron("0 12 13 * fri"), ["DAY_AND_WEEKDAY"]),
        (cron("0 12 */2 * fri"), ["DAY_AND_WEEKDAY"]),
        (cron("0 12 */1 * fri"), []),
        (cron("0 12 13 * */1"), []),
        (cron("0 0 12 13 * fri"), ["DAY_AND_WEEKDAY"]),
        (cron("0 12 13 * fri", day_match="all"), []),
        (cron("0 12 13 * *"), []),
        (cron("0 12 * * fri"), []),
        (cron("@daily"), []),
        (Every(HOUR, START), []),
    ],
)
def test_a_trigger_that_surprises_is_found(trigger: Trigger, expected: list[str]) -> None:
    assert codes(linted(trigger)) == expected


def test_a_time_in_the_gap_is_told_with_its_date() -> None:
    (finding,) = findings_of_task(linted(cron("30 2 * * *")), START, FUNCTIONS)

    assert finding.text == "02:30 does not exist on 29 March 2026 in Europe/Berlin: runs at 03:00"
    assert (finding.severity, finding.task_id, finding.task) == ("warning", "t", "task")


@pytest.mark.parametrize(
    ("task", "expected"),
    [
        (linted(Every(HOUR, START), took=(4000.0,), timeout=9000.0), ["OUTLASTS_INTERVAL"]),
        (linted(Every(HOUR, START), took=(3500.0,), timeout=9000.0), []),
        (linted(AfterEnd(HOUR, START), took=(4000.0,), timeout=9000.0), []),
        (linted(cron("0,5 12 * * *"), took=(600.0,), timeout=9000.0), ["OUTLASTS_INTERVAL"]),
        (linted(Once(START + HOUR), took=(4000.0,), timeout=9000.0), []),
        (linted(Every(HOUR, START), took=(10.0, 250.0)), ["SHORT_TIMEOUT"]),
        (linted(Every(HOUR, START), took=(10.0, 200.0)), []),
        (linted(Every(HOUR, START)), []),
    ],
)
def test_a_task_that_takes_too_long_is_found_by_its_history(task: Linted, expected: list[str]) -> None:
    assert codes(task) == expected


def test_a_pending_task_without_a_next_time_is_found() -> None:
    ended = linted(Every(HOUR, START - 10 * HOUR, START - HOUR))

    assert codes(ended) == ["NEVER_AGAIN"]
    assert codes(linted(ended.trigger, is_open=True)) == []
    assert codes(linted(OnEvent("paid"), waits_for_event=True)) == []


def test_a_function_that_no_living_node_has_is_found_unless_none_lives() -> None:
    task = linted(Every(HOUR, START), function="acme:gone")

    assert [(each.code, each.severity) for each in findings_of_task(task, START, FUNCTIONS)] == [
        ("FUNCTION_MISSING", "error")
    ]
    assert codes(task, None) == []


def test_where_commands_are_not_allowed_the_setting_is_named() -> None:
    task = linted(Every(HOUR, START), function="core.scheduler:run_command")

    (found,) = findings_of_task(task, START, FUNCTIONS)

    assert "CORE_SCHEDULER_ALLOW_COMMANDS=true" in found.advice


def of_forecast(tasks: list[tuple[Work, Trigger]], slots: Slots) -> list[Finding]:
    coming = [Ahead(work, trigger, trigger.next_after(START) or START) for work, trigger in tasks]
    given = scene(coming, slots, START, START + 24 * HOUR)
    return list(findings_of_forecast(given, forecast_of(given, 1)))


def work(name: str, seconds: float, queue: str = "default") -> Work:
    return Work(name, name, seconds, queue, limit_key=name)


def two_by_turns(seconds: float, queue: str = "default") -> list[tuple[Work, Trigger]]:
    starts = {"a": START + HOUR, "b": START + HOUR / 2}
    return [(work(name, seconds, queue), Every(HOUR, start)) for name, start in starts.items()]


@pytest.mark.parametrize(("seconds", "expected"), [(2000.0, ["MORE_WORK_THAN_SLOTS"]), (1500.0, [])])
def test_more_work_than_the_slots_can_do_is_found(seconds: float, expected: list[str]) -> None:
    assert [finding.code for finding in of_forecast(two_by_turns(seconds), Slots(1))] == expected


def test_a_task_that_leaves_out_what_comes_while_it_runs_takes_one_slot_at_most() -> None:
    beside_itself = Work("a", "a", 600.0, overlap="allow", limit_key="a")
    often = Every(HOUR / 60, START + HOUR)

    (found,) = of_forecast([(beside_itself, often)], Slots(2))

    assert (found.code, found.text) == (
        "MORE_WORK_THAN_SLOTS",
        "what is due until 2026-01-06 12:00 UTC takes 480% of the slots",
    )
    assert of_forecast([(work("a", 600.0), often)], Slots(2)) == []


def test_more_work_than_the_slots_of_its_queue_is_found() -> None:
    tasks = two_by_turns(2000.0, "mail")

    assert [finding.code for finding in of_forecast(tasks, Slots(10, {"mail": 1}))] == ["MORE_WORK_THAN_SLOTS"]
    assert [finding.code for finding in of_forecast(tasks, Slots(10, {"mail": 0}))] == ["QUEUE_NOT_SERVED"]
    assert of_forecast(tasks, Slots(10, {"mail": 2})) == []


def test_many_tasks_at_one_instant_are_found_with_the_advice_that_was_played() -> None:
    tasks: list[tuple[Work, Trigger]] = [(work(f"{n}", 60.0), Cron("0 0 * * *", "UTC")) for n in range(30)]

    (finding,) = of_forecast(tasks, Slots(10))

    assert finding.code == "MANY_AT_ONCE"
    assert finding.text == "30 tasks are due at 2026-01-06 00:00:00 UTC: 20 of them have to wait"
    assert "now 20 wait, up to 2m; then 0 wait, up to 0s" in finding.advice
    assert of_forecast(tasks[:10], Slots(10)) == []


def of_crowds(tasks: list[tuple[Work, Trigger]], slots: int = 100) -> list[Finding]:
    coming = [Ahead(work, trigger, trigger.next_after(START) or START) for work, trigger in tasks]
    given = scene(coming, Slots(slots), START, START + 24 * HOUR)
    return list(findings_of_crowds(coming, forecast_of(given, 1), START))


def all_at(expression: str, count: int, **more: Any) -> list[tuple[Work, Trigger]]:
    named = [f"{expression} {n}" for n in range(count)]
    return [(Work(name, name, 1.0, limit_key=name, **more), Cron(expression, "UTC")) for name in named]


def test_everything_at_midnight_is_found_though_there_are_slots_for_all_of_it() -> None:
    (finding,) = of_crowds(all_at("0 0 * * *", 10))

    assert (finding.code, finding.severity) == ("SAME_INSTANT", "warning")
    assert finding.text == (
        "10 tasks are due at the same instant, 2026-01-06 00:00:00 UTC, and 31 times more within the month"
    )
    assert "`H` for the minute" in finding.advice


def test_a_crowd_at_another_instant_than_midnight_is_found_however_far_it_is_within_the_month() -> None:
    (finding,) = of_crowds(all_at("30 4 1 * *", 12))

    assert finding.text == "12 tasks are due at the same instant, 2026-02-01 04:30:00 UTC"


def test_those_who_join_a_crowd_once_make_it_one_finding() -> None:
    (finding,) = of_crowds([*all_at("0 0 * * *", 10), *all_at("0 0 1 * *", 2)])

    assert finding.text.startswith("12 tasks are due at the same instant, 2026-02-01 00:00:00 UTC, and 31 times more")


@pytest.mark.parametrize(
    "tasks",
    [
        all_at("0 0 * * *", 9),
        all_at("0 0 * * *", 12, jitter=60.0),
        all_at("*/5 * * * *", 12),
        [(Work(f"{n}", f"{n}", 1.0), Once(START + HOUR)) for n in range(12)],
        [(Work(f"{n}", f"{n}", 1.0), Cron(f"{n} 0 * * *", "UTC")) for n in range(12)],
    ],
)
def test_few_tasks_or_those_that_are_spread_are_no_crowd(tasks: list[tuple[Work, Trigger]]) -> None:
    assert of_crowds(tasks) == []


def test_a_crowd_that_has_to_wait_is_told_once_as_a_pile_up() -> None:
    assert of_crowds(all_at("0 0 * * *", 12), slots=3) == []


@pytest.mark.parametrize(
    ("task", "expected"),
    [
        (linted(Every(HOUR, START - 99 * HOUR), since=START - 3 * HOUR), ["NEVER_RAN"]),
        (linted(Every(HOUR, START - 99 * HOUR), since=START - 3 * HOUR, last_execution=START - HOUR), []),
        (linted(Every(HOUR, START - 99 * HOUR), since=START - 3 * HOUR, is_open=True), []),
        (linted(Every(HOUR, START - 99 * HOUR), since=START - HOUR / 2), []),
        (linted(Once(START + HOUR), since=START - 99 * HOUR), []),
        (linted(OnEvent("paid"), since=START - 169 * HOUR, waits_for_event=True), ["NEVER_RAN"]),
        (linted(OnEvent("paid"), since=START - 99 * HOUR, waits_for_event=True), []),
    ],
)
def test_a_task_that_has_never_run_though_it_should_have_is_found(task: Linted, expected: list[str]) -> None:
    assert codes(task) == expected
