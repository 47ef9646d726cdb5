"""Backfilling: what never ran is run, what has an attempt is not run again, and what is due now goes first."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from modules.core.scheduler.occurrences import backfilling
from modules.core.scheduler.tables import Base

MINUTE = 60.0
HOUR = 3600.0
DAY = 24 * HOUR


def hours(node: Any, count: float) -> Any:
    return node.clock.now() + timedelta(hours=count)


async def nominal(node: Any, task_id: str, **wanted: Any) -> list[float]:
    """Return the nominal times of a task's executions, in hours before now, in the order in which they started."""
    rows = [row for row in await node.history(task_id) if all(row[name] == value for name, value in wanted.items())]
    rows.sort(key=lambda row: (row["start_time"] or node.clock.now(), row["id"]))
    return [(row["scheduled_for"] - node.clock.now()) / timedelta(hours=1) for row in rows]


async def test_the_past_is_run_oldest_first_and_what_ran_is_not_run_again(node: Any) -> None:
    task_id = await node.add(cron="0 * * * *", overlap="allow")
    await node.pass_time(3 * HOUR)

    told = (await node.scheduler.backfill(task_id, hours(node, -5), hours(node, 5))).unwrap()
    before = (await node.task(task_id))["next_execution"]
    await node.scheduler.run_due()

    assert (told["placed"], told["already"]) == (5, 1)
    assert (told["first"], told["last"]) == (hours(node, -5), hours(node, -1))
    assert await nominal(node, task_id, origin="backfill") == [-5, -4, -3, -2, -1]
    assert await node.states(task_id) == ["succeeded"] * 6
    task = await node.task(task_id)
    assert (task["next_execution"], task["execution_count"]) == (before, 6)
    rows = await node.history(task_id)
    assert sorted(told["executions"]) == sorted(row["id"] for row in rows if row["origin"] == "backfill")


async def test_missed_and_skipped_occurrences_run_and_their_rows_stay(node: Any) -> None:
    task_id = await node.add_every(HOUR, catch_up="none")
    await node.scheduler.skip_next(task_id)
    await node.pass_time(4.5 * HOUR)

    told = (await node.scheduler.backfill(task_id, hours(node, -5), hours(node, 0))).unwrap()
    await node.scheduler.run_due()

    assert (told["placed"], told["already"]) == (4, 0)
    rows = await node.history(task_id)
    assert [(row["state"], row["attempt"]) for row in rows] == [
        ("skipped", 0),
        ("succeeded", 1),
        ("succeeded", 1),
        ("succeeded", 1),
        ("missed", 0),
        ("succeeded", 1),
    ]


async def test_a_second_order_finds_nothing_left_even_while_the_first_waits(node: Any) -> None:
    task_id = await node.add(cron="0 * * * *")
    order = (task_id, hours(node, -5), hours(node, 0))

    answers = await asyncio.gather(*[node.scheduler.backfill(*order) for _ in range(3)])

    assert sorted(answer.unwrap()["placed"] for answer in answers) == [0, 0, 6]
    assert await node.states(task_id) == ["pending"] * 6


async def test_an_order_beside_a_turn_at_the_edge_fires_each_occurrence_once(start_node: Any) -> None:
    nodes = [await start_node(), await start_node()]
    task_id = await nodes[0].add_every(MINUTE, overlap="queue")
    start = nodes[0].clock.now()

    for _ in range(5):
        nodes[0].clock.advance(MINUTE)
        order = nodes[0].scheduler.backfill(task_id, start, nodes[0].clock.now())
        _, answer = await asyncio.gather(nodes[1].scheduler.turn(), order)
        assert answer.unwrap()["placed"] == 0
    await nodes[1].scheduler.run_due()
    await nodes[0].scheduler.run_due()

    rows = await nodes[0].history(task_id)
    assert [(row["attempt"], row["state"]) for row in rows] == [(1, "succeeded")] * 5
    assert len({row["scheduled_for"] for row in rows}) == 5


async def test_a_dry_run_answers_as_the_order_would_and_changes_no_byte(node: Any) -> None:
    task_id = await node.add_every(HOUR, start_date=hours(node, -6))
    node.clock.advance(2 * HOUR)
    order = (task_id, hours(node, -5), hours(node, 0))

    async def stored() -> list[str]:
        tables = Base.metadata.sorted_tables
        return [
            repr(row)
            for table in tables
            for row in await node.app_context.database.read(lambda c, table=table: c.execute(table.select()).all())
        ]

    before = await stored()
    rehearsed = (await node.scheduler.backfill(*order, dry_run=True)).unwrap()
    after = await stored()
    told = (await node.scheduler.backfill(*order)).unwrap()

    assert after == before
    assert rehearsed == {**told, "executions": [], "dry_run": True}
    assert told["placed"] > 0


@pytest.mark.parametrize(("overlap", "at_once"), [("skip", 1), ("queue", 1), ("replace", 1), ("allow", 2)])
async def test_one_runs_at_a_time_and_what_is_due_meanwhile_is_neither_left_out_nor_replaces_them(
    node: Any, overlap: str, at_once: int
) -> None:
    most = inside = 0

    async def work() -> None:
        nonlocal most, inside
        inside += 1
        most = max(most, inside)
        await node.clock.sleep(0)
        inside -= 1

    node.register("work", work)
    task_id = await node.add("work", cron="0 * * * *", overlap=overlap, max_instances=1, max_queued=2)
    await node.scheduler.backfill(task_id, hours(node, -9), hours(node, 0))
    node.clock.advance(HOUR)
    await node.scheduler.run_due()

    assert await node.states(task_id) == ["succeeded"] * 11
    assert most <= at_once  # where that is allowed, the one that is due beside one of them
    first = min(await node.history(task_id), key=lambda row: (row["start_time"], row["state"]))
    assert first["state"] == "succeeded"


async def test_what_is_due_goes_before_what_is_backfilled(start_node: Any) -> None:
    node = await start_node(max_concurrent_tasks=1)
    order: list[str] = []

    async def work(*, name: str) -> None:
        order.append(name)

    node.register("work", work)
    old = await node.add("work", cron="0 0 1 1 *", parameters={"name": "old"})
    await node.scheduler.backfill(old, hours(node, -DAY), hours(node, 0))
    node.clock.advance(HOUR)
    await node.add("work", parameters={"name": "due"})
    await node.scheduler.run_due()

    assert order[0] == "due"
    assert set(order[1:]) == {"old"}


async def test_of_a_paused_task_they_are_held_until_it_goes_on(node: Any) -> None:
    task_id = await node.add(cron="0 * * * *")
    await node.scheduler.pause_task(task_id)

    await node.scheduler.backfill(task_id, hours(node, -2), hours(node, 0))
    await node.scheduler.run_due()
    held = await node.reasons(task_id)
    await node.scheduler.resume_task(task_id)
    await node.scheduler.run_due()

    assert held == ["TASK_PAUSED"] * 3
    assert await node.states(task_id) == ["succeeded"] * 3


async def test_a_completed_task_is_pending_until_its_missed_occurrence_has_run(node: Any) -> None:
    task_id = await node.add(delay="1 hour", misfire_grace_time="1 minute")
    await node.pass_time(2 * HOUR)
    missed = await node.task(task_id)

    await node.scheduler.backfill(task_id, hours(node, -2), hours(node, 0))
    open_again = (await node.task(task_id))["status"]
    await node.scheduler.run_due()

    task = await node.task(task_id)
    assert (missed["status"], missed["last_error"]) == ("completed", "missed: MISFIRE_GRACE")
    assert (open_again, task["status"], task["last_error"]) == ("running", "completed", None)
    assert await node.states(task_id) == ["missed", "succeeded"]


async def test_backfilled_occurrences_count_and_the_maximum_holds(node: Any) -> None:
    task_id = await node.add(cron="0 * * * *", max_executions=4)

    refused = await node.scheduler.backfill(task_id, hours(node, -9), hours(node, 0))
    told = (await node.scheduler.backfill(task_id, hours(node, -3), hours(node, 0))).unwrap()
    await node.scheduler.run_due()

    task = await node.task(task_id)
    assert (refused.error.code, refused.error.details) == ("INVALID_STATE", {"missing": 10, "room": 4})
    assert told["placed"] == 4
    assert (task["execution_count"], task["next_execution"], task["status"]) == (4, None, "completed")


async def test_too_many_are_refused_with_their_number_and_nothing_is_placed(
    node: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    task_id = await node.add(cron="* * * * *")
    monkeypatch.setattr(backfilling, "MOST", 59)

    more_than_may_run = await node.scheduler.backfill(task_id, hours(node, -1), hours(node, 0))
    more_than_are_looked_at = await node.scheduler.backfill(task_id, hours(node, -8760), hours(node, 0))

    assert more_than_may_run.error.code == more_than_are_looked_at.error.code == "TOO_MANY"
    assert more_than_may_run.error.message.startswith("61 occurrences would run, and one order places at most 59;")
    assert more_than_are_looked_at.error.message.startswith("there are 525,601 occurrences in this time")
    assert await node.history(task_id) == []


async def test_what_has_no_past_to_run_is_refused(node: Any) -> None:
    waiting = await node.add(trigger={"type": "event", "event": "sale"})
    cancelled, hourly = await node.add_every(HOUR), await node.add_every(HOUR)
    await node.scheduler.cancel_task(cancelled)

    refused = [await node.scheduler.backfill(each, hours(node, -1), hours(node, 0)) for each in (waiting, cancelled)]
    backwards = await node.scheduler.backfill(hourly, hours(node, 0), hours(node, -1))

    assert [answer.error.code for answer in refused] == ["INVALID_STATE"] * 2
    assert backwards.error.details["problems"] == [{"field": "end", "message": "the end lies before the start"}]


async def test_naive_times_are_read_in_the_zone_of_the_task(node: Any) -> None:
    task_id = await node.add(cron="0 0 * * *", timezone="Asia/Kathmandu")

    told = (await node.scheduler.backfill(task_id, "2026-01-03T00:00", "2026-01-04T23:59", dry_run=True)).unwrap()

    assert [told[name].isoformat() for name in ("first", "last")] == [
        "2026-01-02T18:15:00+00:00",
        "2026-01-03T18:15:00+00:00",
    ]
