"""Firing: every occurrence is accounted for, whatever the catch-up policy and however long the sleep."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from modules.core.scheduler.tables import events

MINUTE = 60.0
HOUR = 3600.0


async def test_a_one_time_task_runs_once_and_is_completed(node: Any) -> None:
    task_id = await node.add(delay="1 hour")

    await node.pass_time(HOUR)
    await node.pass_time(10 * HOUR)

    assert await node.states(task_id) == ["succeeded"]
    assert (await node.task(task_id))["status"] == "completed"


async def test_one_hour_from_now_is_3600_seconds(node: Any) -> None:
    task_id = await node.add(delay="1 hour")

    task = await node.task(task_id)

    assert task["next_execution"] - node.clock.now() == timedelta(seconds=3600)


async def test_a_past_time_runs_at_once(node: Any) -> None:
    await node.add(schedule_time=node.clock.now() - timedelta(days=3))

    await node.scheduler.run_due()

    assert len(node.runs) == 1


async def test_ten_intervals_do_not_drift_from_the_anchor(node: Any) -> None:
    anchor = node.clock.now()
    task_id = await node.add_every(MINUTE)

    for _ in range(10):
        await node.pass_time(MINUTE + 0.25)

    moments = [row["scheduled_for"] for row in await node.history(task_id)]
    assert moments == [anchor + timedelta(minutes=number) for number in range(1, 11)]


async def test_occurrences_slept_through_become_one_run_that_knows_their_number(node: Any) -> None:
    task_id = await node.add_every(MINUTE)
    first = node.clock.now() + timedelta(minutes=1)

    await node.pass_time(3 * HOUR)

    (row,) = await node.history(task_id)
    assert (row["state"], row["missed_count"], row["missed_since"]) == ("succeeded", 179, first)


async def test_catch_up_all_runs_the_newest_hundred_oldest_first_one_at_a_time(node: Any) -> None:
    task_id = await node.add_every(MINUTE, catch_up="all", overlap="allow")

    await node.pass_time(3 * HOUR)

    rows = await node.history(task_id)
    missed = [row for row in rows if row["state"] == "missed"]
    ran = [row for row in rows if row["state"] == "succeeded"]
    assert [(row["missed_count"], row["reason"]) for row in missed] == [(80, "CATCH_UP_LIMIT")]
    assert len(ran) == 100
    by_start = sorted(ran, key=lambda row: row["start_time"])
    assert [row["scheduled_for"] for row in by_start] == sorted(row["scheduled_for"] for row in ran)


async def test_catch_up_none_records_what_was_missed_and_runs_what_is_on_time(node: Any) -> None:
    task_id = await node.add_every(MINUTE, catch_up="none")

    await node.pass_time(10 * MINUTE + 5)

    assert await node.states(task_id) == ["missed", "succeeded"]
    missed = (await node.history(task_id))[0]
    assert (missed["missed_count"], missed["reason"], missed["attempt"]) == (9, "CATCH_UP_NONE", 0)


async def test_beyond_the_grace_time_is_one_counted_missed_row(node: Any) -> None:
    task_id = await node.add_every(HOUR, misfire_grace_time="5 minutes")

    await node.pass_time(3 * HOUR + 6 * MINUTE)

    (row,) = await node.history(task_id)
    assert (row["state"], row["reason"], row["missed_count"]) == ("missed", "MISFIRE_GRACE", 3)


async def test_a_run_late_by_seconds_is_not_dropped(node: Any) -> None:
    task_id = await node.add_every(7 * 24 * HOUR)

    await node.pass_time(7 * 24 * HOUR + 2)

    assert await node.states(task_id) == ["succeeded"]


@pytest.mark.parametrize(("coalesce", "runs"), [(True, 1), (False, 5)])
async def test_coalesce_is_another_word_for_latest_or_all(node: Any, coalesce: bool, runs: int) -> None:
    task_id = await node.add_every(MINUTE, coalesce=coalesce)

    await node.pass_time(5 * MINUTE)

    assert await node.states(task_id) == ["succeeded"] * runs


async def test_a_recurring_task_stops_at_its_maximum(node: Any) -> None:
    task_id = await node.add_every(MINUTE, max_executions=3)

    for _ in range(6):
        await node.pass_time(MINUTE)

    task = await node.task(task_id)
    assert (task["status"], task["execution_count"], len(node.runs)) == ("completed", 3, 3)


async def test_nothing_runs_before_the_start_or_after_the_end(node: Any) -> None:
    now = node.clock.now()
    window = {"start_date": now + timedelta(minutes=5), "end_date": now + timedelta(minutes=7)}
    task_id = await node.add_every(MINUTE, **window)

    for _ in range(10):
        await node.pass_time(MINUTE)

    moments = [row["scheduled_for"] - now for row in await node.history(task_id)]
    assert moments == [timedelta(minutes=minute) for minute in (5, 6, 7)]
    assert (await node.task(task_id))["status"] == "completed"


async def test_ten_years_asleep_cost_no_more_than_a_minute_asleep(node: Any) -> None:
    task_id = await node.add(cron="* * * * *")

    await node.pass_time(10 * 365 * 24 * HOUR)

    (row,) = await node.history(task_id)
    assert row["missed_count"] == 10 * 365 * 24 * 60 - 1


async def test_a_clock_set_back_repeats_no_occurrence(node: Any) -> None:
    task_id = await node.add_every(MINUTE)
    await node.pass_time(2 * MINUTE)

    node.clock.step(timedelta(hours=-1))
    await node.pass_time(30 * MINUTE)

    assert await node.states(task_id) == ["succeeded"]


async def test_a_poison_row_is_set_aside_and_hides_nothing_behind_it(node: Any) -> None:
    poison = await node.add_every(MINUTE, name="poison")
    healthy = await node.add_every(MINUTE, name="healthy")
    await node.damage(poison, trigger="{not json")

    await node.pass_time(MINUTE)

    task = await node.task(poison)
    assert (task["status"], task["status_reason"]) == ("paused", "CORRUPT_DEFINITION")
    assert await node.states(healthy) == ["succeeded"]


async def test_an_occurrence_is_unique_by_constraint(node: Any) -> None:
    task_id = await node.add_every(MINUTE)
    await node.pass_time(MINUTE)
    (row,) = await node.history(task_id)

    rewind = events.update().where(events.c.id == task_id).values(next_execution=row["scheduled_for"])
    await node.app_context.database.write(lambda c: c.execute(rewind))
    await node.scheduler.run_due()

    assert len(await node.history(task_id)) == 1


async def test_reading_never_moves_the_next_execution(node: Any) -> None:
    task_id = await node.add_every(MINUTE)
    node.clock.advance(10 * MINUTE)
    before = (await node.task(task_id))["next_execution"]

    await node.scheduler.list_tasks()
    await node.scheduler.get_executions(task_id)
    await node.scheduler.status()
    await node.scheduler.preview("*/5 * * * *", 3)

    assert (await node.task(task_id))["next_execution"] == before
