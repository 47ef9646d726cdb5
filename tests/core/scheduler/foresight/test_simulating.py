"""What is to come, played on slots: who starts when, who waits, and who is skipped."""

from __future__ import annotations

import random
from typing import Any

import pytest

from modules.core.scheduler.foresight.simulating import Played, Run, Slots, Work, play


def work(name: str, seconds: float = 10.0, **more: Any) -> Work:
    return Work(name, name, seconds, limit_key=name, **more)


def starts(played: Played) -> list[tuple[str, float | None]]:
    return [(each.run.work.name, each.start) for each in played.started]


def test_what_finds_a_slot_starts_when_it_is_due() -> None:
    played = play([Run(0, work("a")), Run(5, work("b"))], Slots(2))

    assert starts(played) == [("a", 0), ("b", 5)]
    assert max(level.waiting for level in played.levels) == 0


def test_what_finds_no_slot_waits_for_one() -> None:
    played = play([Run(0, work("a")), Run(1, work("b")), Run(2, work("c"))], Slots(1))

    assert starts(played) == [("a", 0), ("b", 10), ("c", 20)]
    assert max(level.waiting for level in played.levels) == 2


def test_what_runs_already_takes_its_slot_until_its_end() -> None:
    played = play([Run(0, work("a"))], Slots(1), running=[(7.0, work("z"))])

    assert starts(played) == [("a", 7)]


def test_a_point_of_priority_is_a_head_start_of_a_minute() -> None:
    runs = [Run(0, work("now")), Run(1, work("early")), Run(60, work("favoured", priority=1)), Run(62, work("late"))]

    played = play(runs, Slots(1), running=[(100.0, work("z"))])

    assert [name for name, _ in starts(played)] == ["now", "favoured", "early", "late"]


@pytest.mark.parametrize(
    ("overlap", "expected", "skipped"),
    [
        ("skip", [("a", 0), ("a", 20)], 1),
        ("replace", [("a", 0), ("a", 20)], 1),
        ("queue", [("a", 0), ("a", 15), ("a", 30)], 0),
        ("allow", [("a", 0), ("a", 10), ("a", 20)], 0),
    ],
)
def test_a_task_that_outlasts_its_interval_does_as_its_overlap_says(
    overlap: str, expected: list[tuple[str, float]], skipped: int
) -> None:
    played = play([Run(due, work("a", 15, overlap=overlap)) for due in (0, 10, 20)], Slots(5))

    assert (starts(played), played.skipped) == (expected, skipped)


def test_tasks_that_share_a_limit_wait_for_each_other() -> None:
    shared: dict[str, Any] = {"seconds": 10.0, "limit_key": "license", "overlap": "queue"}
    runs = [Run(0, Work("a", "a", **shared)), Run(0, Work("b", "b", **shared)), Run(0, work("c"))]

    assert starts(play(runs, Slots(5))) == [("a", 0), ("c", 0), ("b", 10)]


def test_a_full_queue_does_not_hold_up_the_others() -> None:
    runs = [Run(0, work(name, queue="mail")) for name in "ab"] + [Run(0, work("c"))]

    assert starts(play(runs, Slots(5, {"mail": 1}))) == [("a", 0), ("c", 0), ("b", 10)]


def test_what_no_slot_will_ever_take_is_told_as_never_started() -> None:
    played = play([Run(0, work("a", queue="mail")), Run(0, work("b"))], Slots(5, {"mail": 0}))

    assert starts(played) == [("b", 0), ("a", None)]
    assert [each.late(60.0) for each in played.started] == [0, 60]


@pytest.mark.parametrize("seed", range(20))
def test_slots_and_limits_are_never_exceeded_and_nothing_is_lost(seed: int) -> None:
    choose = random.Random(seed)
    overlaps = ("skip", "queue", "allow")
    works = [
        work(f"w{n}", choose.uniform(0.1, 30), queue=choose.choice(["a", "b"]), overlap=choose.choice(overlaps), most=2)
        for n in range(12)
    ]
    runs = sorted((Run(choose.randrange(600), choose.choice(works)) for _ in range(400)), key=lambda run: run.due)

    played = play(runs, Slots(6, {"a": 4, "b": 3}))

    spans = [
        (each.start, each.start + each.run.work.seconds, each.run) for each in played.started if each.start is not None
    ]
    assert len(spans) + played.skipped == len(runs)
    for moment, _, _ in spans:
        open_now = [run.work for start, end, run in spans if start <= moment < end - 1e-9]
        assert len(open_now) <= 6
        assert sum(each.queue == "a" for each in open_now) <= 4
        assert sum(each.queue == "b" for each in open_now) <= 3
        assert all(open_now.count(each) <= 2 for each in open_now if each.overlap != "allow")
    assert all(start >= run.due for start, _, run in spans)
