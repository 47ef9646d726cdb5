"""Every occurrence is accounted for once: by its own row, or by one that says for how many it stands."""

from __future__ import annotations

import asyncio
import random
from datetime import datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from framework.testing.statements import seen_by
from modules.core.scheduler.task import TaskConfig
from modules.core.scheduler.trigger import from_json

MINUTE = 60.0
HOUR = 3600.0
YEAR = 365 * 24 * HOUR
ACTS = 40


def stands_for(row: dict[str, Any]) -> int:
    """Return for how many occurrences a row stands: a missed one for those it counts, any other also for itself."""
    return int(row["missed_count"] + (row["state"] != "missed"))


@pytest.mark.parametrize(
    "policies",
    [
        {"catch_up": "latest", "overlap": "skip"},
        {"catch_up": "latest", "overlap": "queue", "misfire_grace_time": 90},
        {"catch_up": "none", "overlap": "allow"},
        {"catch_up": "all", "catch_up_limit": 4, "overlap": "skip"},
        {"catch_up": "all", "catch_up_limit": 4, "misfire_grace_time": 200, "overlap": "replace"},
    ],
    ids=lambda policies: "-".join(map(str, policies.values())),
)
async def test_whatever_happens_no_occurrence_is_silent_and_none_is_told_twice(
    node: Any, policies: dict[str, Any]
) -> None:
    chance, gate = random.Random(str(policies)), asyncio.Event()
    node.register("work", gate.wait)
    start = node.clock.now()
    task_id = await node.add("work", trigger={"type": "interval", "minutes": 1}, **policies)
    trigger = from_json((await node.task(task_id))["trigger"])

    for _ in range(ACTS):
        await act(node, task_id, chance, gate)
    gate.set()
    await node.scheduler.resume_task(task_id)
    await node.scheduler.run_due()

    following: datetime = (await node.task(task_id))["next_execution"]
    rows = [row for row in await node.history(task_id) if row["attempt"] <= 1]
    moments = [row["scheduled_for"] for row in rows]
    assert len(set(moments)) == len(moments)
    assert sum(map(stands_for, rows)) == trigger.count_between(start, following - timedelta(microseconds=1))
    assert all(row["reason"] for row in rows if row["state"] in ("skipped", "missed"))


async def act(node: Any, task_id: str, chance: random.Random, gate: asyncio.Event) -> None:
    """Do one of the things that happen to a scheduler."""
    match chance.randrange(9):
        case 0:
            node.clock.step(timedelta(seconds=-chance.uniform(0, 300)))
        case 1:
            await node.scheduler.skip_next(task_id)
        case 2:
            to = node.clock.now() + timedelta(seconds=chance.uniform(-60, 600))
            await node.scheduler.shift_next(task_id, to)
        case 7:
            await node.scheduler.pause_task(task_id)
        case 8:
            await node.scheduler.resume_task(task_id)
        case 3 if gate.is_set():
            gate.clear()
        case 3:
            gate.set()
        case _:
            node.clock.advance(chance.choice([20.0, MINUTE, 2 * MINUTE, 20 * MINUTE]))
    await node.scheduler.turn()


@pytest.mark.parametrize("end", ["cancel_task", "edit", "resume_twice"])
async def test_what_passed_in_a_pause_is_accounted_for_once_however_the_pause_ends(node: Any, end: str) -> None:
    task_id = await node.add_every(MINUTE)
    await node.scheduler.pause_task(task_id)
    await node.pass_time(10 * MINUTE + 1)

    if end == "edit":
        await node.scheduler.update_task(task_id, {"interval_value": 7})
    if end == "cancel_task":
        await node.scheduler.cancel_task(task_id)
        await node.scheduler.cancel_task(task_id)
    else:
        await node.scheduler.resume_task(task_id)
        await node.scheduler.resume_task(task_id)

    (row,) = await node.history(task_id)
    assert (row["state"], row["reason"], row["missed_count"]) == ("skipped", "TASK_PAUSED", 9)


async def test_a_damaged_task_that_is_paused_can_be_cancelled(node: Any) -> None:
    task_id = await node.add_every(MINUTE)
    await node.scheduler.pause_task(task_id)
    await node.damage(task_id, trigger="{}")
    await node.pass_time(MINUTE)

    assert (await node.scheduler.cancel_task(task_id)).unwrap()["status"] == "cancelled"


@pytest.mark.parametrize("catch_up", ["latest", "none"])
async def test_ten_years_asleep_take_no_more_statements_than_a_minute(node: Any, catch_up: str) -> None:
    counted = []
    for cleanup in (await node.scheduler.list_cleanups()).unwrap():  # it would be due as well after ten years
        await node.scheduler.remove_cleanup(cleanup["id"])
    for asleep in (2 * MINUTE, 10 * YEAR):
        task_id = await node.add(cron="* * * * *", catch_up=catch_up)
        await node.scheduler.run_due()
        node.clock.advance(asleep)
        with seen_by(node.app_context.database) as seen:
            await node.scheduler.turn()
        counted.append(len(seen.statements))
        await node.scheduler.cancel_task(task_id)

    assert counted[1] <= counted[0] + 2


async def test_ticks_hours_apart_lose_nothing(node: Any) -> None:
    task_id, start = await node.add_every(HOUR), node.clock.now()

    for hours in (5, 0.5, 3, 24):
        node.clock.advance(hours * HOUR)
        await node.scheduler.tick()

    rows = await node.history(task_id)
    assert [(row["scheduled_for"] - start) / timedelta(hours=1) for row in rows] == [5, 8, 32]
    assert sum(map(stands_for, rows)) == 32
    assert {row["state"] for row in rows} == {"succeeded"}


async def test_what_is_late_within_its_grace_time_runs(node: Any) -> None:
    task_id = await node.add_every(HOUR, misfire_grace_time="5 minutes")

    await node.pass_time(HOUR + 5 * MINUTE)

    assert await node.states(task_id) == ["succeeded"]


async def test_the_grace_time_is_judged_when_an_occurrence_is_fired_and_not_when_there_is_room_for_it(
    node: Any,
) -> None:
    task_id = await node.add_every(HOUR, misfire_grace_time="5 minutes")
    await node.scheduler.pause_queue("default")
    await node.pass_time(HOUR)

    node.clock.advance(10 * MINUTE)
    await node.scheduler.resume_queue("default")
    await node.scheduler.run_due()

    assert await node.states(task_id) == ["succeeded"]


async def test_what_is_caught_up_stops_at_the_maximum(node: Any) -> None:
    task_id, start = await node.add_every(HOUR, catch_up="all", max_executions=3), node.clock.now()

    await node.pass_time(10 * HOUR)

    moments = [row["scheduled_for"] for row in await node.history(task_id)]
    assert moments == [start + timedelta(hours=each) for each in (1, 2, 3)]
    assert (await node.task(task_id))["status"] == "completed"


async def test_after_a_step_back_neither_a_pause_nor_a_skip_brings_back_what_has_its_row(node: Any) -> None:
    task_id = await node.add_every(HOUR)
    await node.pass_time(HOUR)
    told = (await node.scheduler.skip_next(task_id)).unwrap()

    node.clock.step(timedelta(hours=-3))
    await node.scheduler.pause_task(task_id)
    resumed = (await node.scheduler.resume_task(task_id)).unwrap()
    await node.pass_time(4.5 * HOUR)

    assert resumed["next_execution"] == told["next_execution"]
    assert await node.states(task_id) == ["succeeded", "skipped"]


@pytest.mark.parametrize(("coalesce", "catch_up"), [(True, "all"), (True, "none"), (False, "latest"), (False, "none")])
def test_policies_that_contradict_each_other_are_refused(coalesce: bool, catch_up: str) -> None:
    config = {"name": "n", "module_id": "acme.test", "function_name": "note", "cron": "* * * * *"}

    with pytest.raises(ValidationError, match=f"coalesce={coalesce} contradicts catch_up='{catch_up}'"):
        TaskConfig.model_validate(config | {"coalesce": coalesce, "catch_up": catch_up})
