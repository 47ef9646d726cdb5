"""Scheduling: a config is checked as a whole, stored once, and a key names one task."""

from __future__ import annotations

import asyncio
import os
from datetime import datetime, timedelta
from typing import Any

import pytest

HOUR = 3600.0


def config(**changes: Any) -> dict[str, Any]:
    base = {"name": "note", "module_id": "acme.test", "function_name": "note", "delay": "1 hour"}
    return {name: value for name, value in {**base, **changes}.items() if value is not None}


def fields(result: Any) -> set[str]:
    return {problem["field"] for problem in result.error.details["problems"]}


async def test_every_offending_field_is_named_and_nothing_is_stored(node: Any) -> None:
    refused = await node.scheduler.schedule_task(config(priority="high", max_retries=-1, nmae="x"))

    assert (refused.error.code, fields(refused)) == ("INVALID_CONFIG", {"priority", "max_retries", "nmae"})
    assert await tasks_of_test(node) == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"delay": "soon"}, "delay"),
        ({"delay": -1}, "delay"),
        ({"delay": None}, "config"),
        ({"cron": "* * * * *"}, "config"),
        ({"delay": None, "cron": "0 0 30 2 *"}, "cron"),
        ({"delay": None, "cron": "70-80 * * * *"}, "cron"),
        ({"delay": None, "interval_type": "minutes"}, "config"),
        ({"delay": None, "interval_type": "minutes", "interval_value": 0}, "interval_value"),
        ({"delay": None, "interval_type": "fortnights", "interval_value": 1}, "interval_type"),
        ({"timezone": "Europe/Berln", "delay": None, "cron": "0 2 * * *"}, "timezone"),
        ({"coalesce": True, "catch_up": "all"}, "config"),
        ({"delivery": "at_most_once", "max_retries": 1}, "config"),
        ({"max_executions": 0}, "max_executions"),
        ({"name": "x" * 101}, "name"),
        ({"name": "line\nbreak"}, "name"),
        ({"name": "half a character: \ud800"}, "name"),
        ({"module_id": "half a character: \udfff"}, "module_id"),
        ({"description": "nothing: \x00"}, "description"),
        ({"description": "half a character: \ud800"}, "description"),
        ({"key": "nothing: \x00"}, "key"),
        ({"key": "line\nbreak"}, "key"),
        ({"key": "half a character: \ud800"}, "key"),
        ({"concurrency_key": "bell: \x07"}, "concurrency_key"),
        ({"concurrency_key": "printer", "overlap": "allow"}, "config"),
        ({"max_executions": 2**31}, "max_executions"),
        ({"task_id": "../x"}, "task_id"),
    ],
)
async def test_an_impossible_value_is_refused_by_its_field(node: Any, changes: dict[str, Any], field: str) -> None:
    result = await node.scheduler.schedule_task({**config(), **changes})

    assert result.error is not None
    assert (result.error.code, field in fields(result)) == ("INVALID_CONFIG", True), result


async def test_prose_may_have_lines_and_a_count_may_be_as_large_as_a_database_holds(node: Any) -> None:
    every = {"recurring": True, "interval_type": "hours", "interval_value": 1}

    task_id = await node.add(description="first line\n\tsecond line \u2713", max_executions=2**31 - 1, **every)

    assert (await node.task(task_id))["description"] == "first line\n\tsecond line \u2713"


async def test_only_registered_functions_can_be_scheduled(node: Any) -> None:
    marker = f"/tmp/chamberlain-{os.getpid()}"

    refused = await node.scheduler.schedule_task(config(module_id="os", function_name="system"))
    near = await node.scheduler.schedule_task(config(function_name="nota", parameters={"command": f"touch {marker}"}))

    assert fields(refused) == {"function_name"}
    assert "acme.test:note" in near.error.message


async def test_parameters_are_checked_against_the_signature_when_scheduled(node: Any) -> None:
    async def export(*, kind: str, include_deleted: bool = False) -> None: ...

    node.register("export", export)

    refused = await node.scheduler.schedule_task(config(function_name="export", parameters={"knd": "csv"}))
    accepted = await node.scheduler.schedule_task(config(function_name="export", parameters={"kind": "csv"}))

    assert fields(refused) == {"parameters.kind", "parameters.knd"}
    assert accepted.success


async def test_the_same_key_100_times_at_once_is_one_task(node: Any) -> None:
    wanted = config(key="nightly")

    results = await asyncio.gather(*(node.scheduler.schedule_task(wanted) for _ in range(100)))

    assert len({result.data["task_id"] for result in results}) == 1
    assert [result.data["created"] for result in results].count(True) == 1


async def test_changed_options_update_the_task_of_the_same_key(node: Any) -> None:
    task_id = await node.add(key="nightly", delay="1 hour", priority=1)

    again = await node.add(key="nightly", delay="1 hour", priority=7)

    assert again == task_id
    assert (await node.task(task_id))["priority"] == 7


async def test_the_same_definition_again_moves_nothing(node: Any) -> None:
    task_id = await node.add(key="soon", delay="1 hour")
    before = await node.task(task_id)
    node.clock.advance(600)

    await node.add(key="soon", delay="1 hour")

    assert await node.task(task_id) == before


async def test_the_same_time_in_other_words_moves_nothing(node: Any) -> None:
    task_id = await node.add(key="report", cron="0 9 * * *", timezone="UTC")
    moved_on = (await node.scheduler.skip_next(task_id)).unwrap()["next_execution"]

    again = {"key": "report", "trigger": {"type": "cron", "expression": "0 9 * * *"}, "timezone": "UTC"}
    await node.add(**again, max_executions=7)

    task = await node.task(task_id)
    assert (task["next_execution"], task["max_executions"]) == (moved_on, 7)


async def test_a_completed_one_shot_stays_completed_when_scheduled_again(node: Any) -> None:
    task_id = await node.add(key="once", delay="1 hour")
    await node.pass_time(HOUR)

    await node.add(key="once", delay="1 hour")
    await node.pass_time(HOUR)

    assert await node.states(task_id) == ["succeeded"]


@pytest.mark.parametrize(("options", "priority"), [({"on_conflict": "keep"}, 0), ({"replace_existing": True}, 5)])
async def test_a_conflict_keeps_or_updates_as_asked(node: Any, options: dict[str, Any], priority: int) -> None:
    task_id = await node.add(key="k", delay="1 hour")

    await node.add(key="k", delay="1 hour", priority=5, **options)

    assert (await node.task(task_id))["priority"] == priority


async def test_a_conflict_is_an_error_where_asked(node: Any) -> None:
    await node.add(key="k", delay="1 hour")

    refused = await node.scheduler.schedule_task(config(key="k", on_conflict="error"))

    assert refused.error.code == "ALREADY_EXISTS"


async def test_many_tasks_are_scheduled_all_or_none(node: Any) -> None:
    refused = await node.scheduler.schedule_tasks([config(), config(delay="soon")])

    assert refused.error.details["index"] == 1
    assert await tasks_of_test(node) == []


async def test_a_naive_time_is_read_in_the_tasks_zone(node: Any) -> None:
    task_id = await node.add(schedule_time=datetime(2026, 7, 1, 12, 0), timezone="Europe/Berlin")  # noqa: DTZ001

    task = await node.task(task_id)

    assert task["next_execution"].isoformat() == "2026-07-01T10:00:00+00:00"
    assert task["timezone"] == "Europe/Berlin"


async def test_an_edit_does_not_lose_an_occurrence_that_is_due(node: Any) -> None:
    task_id = await node.add_every(60)
    node.clock.advance(60)

    await node.scheduler.update_task(task_id, {"interval_type": "hours", "interval_value": 5})
    await node.scheduler.run_due()

    assert await node.states(task_id) == ["succeeded"]
    assert (await node.task(task_id))["next_execution"] == node.clock.now() + timedelta(hours=5)


async def test_an_edit_of_other_fields_moves_no_time(node: Any) -> None:
    task_id = await node.add_every(60, max_retries=3, misfire_grace_time="1 hour")
    before = await node.task(task_id)

    changed = (await node.scheduler.update_task(task_id, {"priority": 9})).unwrap()

    assert (changed["priority"], changed["next_execution"]) == (9, before["next_execution"])
    assert changed["policies"] == before["policies"]


async def test_restarting_keeps_all_schedules(node: Any, start_node: Any) -> None:
    for number in range(5):
        await node.add_every(60 + number, name=f"task {number}")
    before = (await node.scheduler.list_tasks()).unwrap()["tasks"]

    other = await start_node()

    assert (await other.scheduler.list_tasks()).unwrap()["tasks"] == before


async def test_schedule_time_of_a_recurring_task_is_its_first_run(node: Any) -> None:
    first = node.clock.now() + timedelta(hours=6)

    task_id = await node.add_every(HOUR, schedule_time=first)

    assert (await node.task(task_id))["next_execution"] == first


async def tasks_of_test(node: Any) -> list[dict[str, Any]]:
    page = await node.scheduler.list_tasks(module_id="acme.test")
    return list(page.unwrap()["tasks"])
