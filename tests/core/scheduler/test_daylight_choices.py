"""What a task chooses for changes of the clocks, and the time of its own in a cron, are kept with it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from modules.core.scheduler.trigger.own_time import with_own_time


async def times(node: Any, **config: Any) -> list[str]:
    """When a task would run on 29 March and 25 October 2026, on which the clocks of Berlin change."""
    found = []
    for day in ("2026-03-29", "2026-10-25"):
        start = datetime.fromisoformat(f"{day}T00:00Z") - timedelta(hours=1)
        task_id = await node.add(timezone="Europe/Berlin", start_date=start, **config)
        moment = (await node.task(task_id))["next_execution"]
        found.append(f"{moment:%Y-%m-%d %H:%M}")
    return found


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ({}, ["2026-03-29 01:00", "2026-10-25 00:30"]),
        ({"dst_gap": "skip"}, ["2026-03-30 00:30", "2026-10-25 00:30"]),
        ({"dst_fold": "last"}, ["2026-03-29 01:00", "2026-10-25 01:30"]),
    ],
)
async def test_a_task_runs_when_it_chose_to(node: Any, choice: dict[str, Any], expected: list[str]) -> None:
    assert await times(node, cron="30 2 * * *", **choice) == expected
    assert await times(node, trigger={"type": "cron", "expression": "30 2 * * *", **choice}) == expected


async def test_a_task_that_chose_to_skip_goes_on_after_the_gap_and_loses_nothing_else(node: Any) -> None:
    start = datetime.fromisoformat("2026-03-27T12:00Z")
    node.clock.advance((start - node.clock.now()).total_seconds())
    task_id = await node.add(cron="30 2 * * *", timezone="Europe/Berlin", dst_gap="skip")

    for _ in range(4):
        node.clock.advance(86_400)
        await node.scheduler.run_due()

    days = [row["scheduled_for"].day for row in await node.history(task_id)]
    assert days == [28, 30, 31]


async def test_the_choice_is_changed_only_together_with_the_time(node: Any) -> None:
    task_id = await node.add(cron="30 2 * * *", timezone="Europe/Berlin")

    refused = await node.scheduler.update_task(task_id, {"dst_gap": "skip"})

    assert refused.error.code == "INVALID_CONFIG"
    assert [problem["field"] for problem in refused.error.details["problems"]] == ["dst_gap"]


async def test_an_h_becomes_a_time_of_the_tasks_own_and_stays(node: Any) -> None:
    ids = [await node.add(cron="H H * * *", key=f"report {number}") for number in range(12)]
    tasks = [await node.task(task_id) for task_id in ids]

    again = await node.scheduler.schedule_task(
        {"name": "note", "module_id": "acme.test", "function_name": "note", "cron": "H H * * *", "key": "report 0"}
    )

    assert len({task["next_execution"] for task in tasks}) > 6
    assert tasks[0]["trigger"]["expression"] == with_own_time("H H * * *", "acme.test/report 0")
    assert again.unwrap() == {"task_id": ids[0], "created": False, "next_execution": tasks[0]["next_execution"]}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_times_of_a_task_are_read_in_the_zone_of_its_trigger(node: Any) -> None:
    overseas = {"type": "cron", "expression": "0 9 * * *", "timezone": "America/New_York"}
    task_id = await node.add(trigger=overseas)
    elsewhere = await node.add(trigger=overseas, timezone="Europe/Berlin")

    told = (await node.scheduler.explain(task_id, at="2026-01-06T09:00")).unwrap()

    assert [(await node.task(each))["timezone"] for each in (task_id, elsewhere)] == [
        "America/New_York",
        "Europe/Berlin",
    ]
    assert told["answer"] == "will_run"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_task_given_a_trigger_of_another_zone_is_of_that_zone(node: Any) -> None:
    task_id = await node.add(cron="0 9 * * *", timezone="Europe/Berlin")

    kept = (await node.scheduler.update_task(task_id, {"cron": "0 10 * * *"})).unwrap()
    moved = {"type": "cron", "expression": "0 9 * * *", "timezone": "Asia/Tokyo"}
    changed = (await node.scheduler.update_task(task_id, {"trigger": moved})).unwrap()

    assert (kept["timezone"], changed["timezone"]) == ("Europe/Berlin", "Asia/Tokyo")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_zone_without_a_name_is_refused(node: Any) -> None:
    task = {"name": "note", "module_id": "acme.test", "function_name": "note", "cron": "0 9 * * *", "timezone": ""}

    told = await node.scheduler.schedule_task(task)

    assert told.error.code == "INVALID_CONFIG"
    assert "timezone" in str(told.error.details)
