"""The forecast: every occurrence of the window on the slots, where it piles up, and what would flatten it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from framework.duration import parse_duration
from framework.testing import START
from modules.core.scheduler.foresight.forecasting import Ahead, forecast_of, scene
from modules.core.scheduler.foresight.simulating import Run, Slots, Work
from modules.core.scheduler.trigger import AfterEnd, Cron, Every, OnEvent, Trigger

HOUR = timedelta(hours=1)
DAY = 24 * HOUR
MIDNIGHT = datetime(2026, 1, 6, tzinfo=UTC)


def ahead(name: str, trigger: Trigger, seconds: float = 60.0, *, most: int | None = None, **more: Any) -> Ahead:
    first = trigger.next_after(START)
    work = Work(name, name, seconds, limit_key=name, **more)
    return Ahead(work, trigger, first or START, most)


def midnight(count: int, seconds: float = 90.0) -> list[Ahead]:
    nightly = Cron("0 0 * * *", "UTC")
    return [ahead(f"night {number}", nightly, seconds, own_minute=number * 7 % 60) for number in range(count)]


def forecast(tasks: list[Ahead], slots: int = 10, hours: int = 24, limit: int = 1000) -> dict[str, Any]:
    return forecast_of(scene(tasks, Slots(slots), START, START + hours * HOUR), limit)


def test_every_occurrence_of_the_window_is_there_with_its_start() -> None:
    told = forecast([ahead("hourly", Every(HOUR, START + HOUR)), ahead("nightly", Cron("0 0 * * *", "UTC"))])

    assert told["total"] == len(told["occurrences"]) == 25
    assert [each["at"] for each in told["occurrences"] if each["name"] == "nightly"] == [MIDNIGHT]
    assert all(each["start"] == each["at"] for each in told["occurrences"])
    assert (told["from"], told["until"], told["is_cut"]) == (START, START + DAY, False)


def test_only_so_many_are_listed_and_all_are_counted() -> None:
    told = forecast([ahead("hourly", Every(HOUR, START + HOUR))], limit=3)

    assert (told["total"], len(told["occurrences"])) == (24, 3)


def test_what_is_overdue_is_due_now_and_once() -> None:
    every = Every(HOUR, START - 10.5 * HOUR)

    given = scene([Ahead(Work("a", "a", 1.0), every, START - 5.5 * HOUR)], Slots(1), START, START + HOUR)

    assert [run.due - START.timestamp() for run in given.runs] == [0, 1800]


def test_a_task_comes_no_more_often_than_it_may() -> None:
    tasks = [ahead("twice", Every(HOUR, START + HOUR), most=2), ahead("never", Every(HOUR, START + HOUR), most=0)]

    assert [each["name"] for each in forecast(tasks)["occurrences"]] == ["twice", "twice"]


def test_an_event_has_only_the_time_that_is_known() -> None:
    assert forecast([Ahead(Work("a", "a", 1.0), OnEvent("paid"), START + HOUR)])["total"] == 1


def test_a_pause_after_each_run_is_counted_from_its_usual_end() -> None:
    pausing = AfterEnd(timedelta(minutes=20), START + timedelta(minutes=10))

    told = forecast([ahead("pausing", pausing, 600.0)], hours=2)

    assert [(each["at"] - START).seconds // 60 for each in told["occurrences"]] == [10, 40, 70, 100]
    assert told["skipped"] == 0


def test_jitter_moves_an_occurrence_as_firing_does() -> None:
    every = Every(HOUR, START + HOUR)
    given = scene([Ahead(Work("a", "a", 1.0, jitter=600.0), every, START + HOUR)], Slots(1), START, START + DAY)

    offsets = {(run.due - START.timestamp()) % 3600 for run in given.runs}

    assert len(offsets) > 20
    assert all(0 <= offset < 600 for offset in offsets)


def test_a_forecast_that_is_cut_says_how_far_it_reaches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("modules.core.scheduler.foresight.forecasting.MOST", 1_000)

    told = forecast([ahead("busy", Every(timedelta(seconds=1), START), 0.1)], hours=24)

    assert (told["is_cut"], told["total"]) == (True, 1_000)
    assert told["until"] == START + timedelta(seconds=1_001)


def test_a_pile_up_is_named_with_what_flattens_it() -> None:
    told = forecast([*midnight(60), ahead("other", Cron("7 * * * *", "UTC"))])

    (pile_up,) = told["pile_ups"]
    assert (pile_up["at"], pile_up["count"], pile_up["waited"], pile_up["times"]) == (MIDNIGHT, 60, 50, 1)
    assert {each["change"] for each in pile_up["advice"]} == {"jitter", "hash", "shift"}
    for advice in pile_up["advice"]:
        assert advice["before"] == {"waiting": 50, "late": 450.0}
        assert advice["after"]["waiting"] < 50


def test_the_advice_of_a_pile_up_is_what_happens_where_it_is_followed() -> None:
    tasks = midnight(60)
    (pile_up,) = forecast(tasks)["pile_ups"]
    jitter = next(each for each in pile_up["advice"] if each["change"] == "jitter")

    seconds = parse_duration(jitter["text"].split()[2]).total_seconds()
    told = forecast([ahead(task.work.name, task.trigger, 90.0, jitter=seconds) for task in tasks])

    assert told["peak"]["waiting"] == jitter["after"]["waiting"]
    assert told["late"]["late"] == jitter["after"]["late"]


def test_a_crowd_that_fits_into_the_slots_is_no_pile_up() -> None:
    assert forecast(midnight(10), slots=10)["pile_ups"] == []
    assert len(forecast(midnight(11), slots=10)["pile_ups"]) == 1


def test_a_pile_up_that_comes_again_is_named_once() -> None:
    hourly = [ahead(f"hourly {number}", Cron("0 * * * *", "UTC")) for number in range(3)]

    (pile_up,) = forecast(hourly, slots=2)["pile_ups"]

    assert (pile_up["times"], pile_up["at"]) == (24, START + HOUR)


def test_the_busiest_moments_and_the_load_are_those_of_the_night() -> None:
    told = forecast([*midnight(30), ahead("hourly", Cron("30 * * * *", "UTC"))])

    assert told["busiest"][0] == {"at": MIDNIGHT, "running": 10, "waiting": 20}
    assert len(told["load"]) == 24
    fullest = max(told["load"], key=lambda bar: bar["waiting"])
    assert fullest == {"at": MIDNIGHT, "occurrences": 31, "running": 10, "waiting": 20}
    assert sum(bar["occurrences"] for bar in told["load"]) == told["total"]
    assert told["late"]["late"] == 180.0


def test_use_is_the_part_of_the_slots_that_the_work_takes() -> None:
    often = ahead("often", Every(HOUR / 60, START), 600, most=61)  # ten minutes each, and nine in ten are skipped

    assert forecast([ahead("half", Every(HOUR, START), 1800)], slots=1, hours=10)["use"] == 0.45
    assert (forecast([often], slots=2, hours=2)["skipped"], forecast([often], slots=2, hours=2)["use"]) == (54, 0.2917)


def test_what_runs_and_waits_already_is_played_too() -> None:
    work = Work("old", "old", 600.0, limit_key="old", overlap="queue")
    now = START.timestamp()
    given = scene([], Slots(1), START, START + HOUR, running=[(now + 60, work)], waiting=[Run(now, work)])

    told = forecast_of(given, 10)

    assert told["load"][0]["running"] == 1
    assert [each["late"] for each in told["occurrences"]] == [60]


def test_nothing_ahead_is_an_empty_forecast() -> None:
    told = forecast([])

    assert (told["total"], told["late"], told["busiest"], told["pile_ups"]) == (0, None, [], [])
