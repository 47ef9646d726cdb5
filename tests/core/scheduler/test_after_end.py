"""A pause after each run: the next time is counted from the last end, however a run ends."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from nodes import Stuck, begun, let_end, next_of, release_all

PAUSE = {"interval_type": "minutes", "interval_value": 5, "after_end": True, "timeout": "2h"}
MINUTE = 60.0
LEASE = 60.0


@pytest.fixture(autouse=True)
def _let_go(start_node: Any) -> Iterator[None]:
    yield
    release_all()


async def test_the_pause_begins_when_the_run_has_ended(node: Any) -> None:
    stuck, start = Stuck(), node.clock.now()
    node.register("work", stuck.run)
    task_id = await node.add("work", **PAUSE)
    first = await next_of(node, task_id)
    node.clock.advance(5 * MINUTE)
    await begun(node, stuck)
    node.clock.advance(47 * MINUTE)
    during = await node.task(task_id)

    end = await let_end(node, stuck)

    assert first == start + timedelta(minutes=5)
    assert (during["status"], during["next_execution"]) == ("running", None)
    after = await node.task(task_id)
    assert (after["status"], after["next_execution"]) == ("pending", end + timedelta(minutes=5))
    assert after["schedule"] == "5 minutes after each run has ended"


async def test_all_retries_belong_to_the_run(node: Any) -> None:
    async def fail(parameters: dict[str, Any]) -> None:
        raise LookupError("no luck")

    node.register("fail", fail)
    task_id = await node.add("fail", **PAUSE, max_retries=2, retry_delay=30, retry_backoff=1, retry_jitter=0)

    await node.pass_time(5 * MINUTE)
    between = await next_of(node, task_id)
    await node.pass_time(30)
    await node.pass_time(30)

    assert between is None
    assert await node.states(task_id) == ["failed"] * 3
    assert await next_of(node, task_id) == node.clock.now() + timedelta(minutes=5)


async def test_it_starts_at_its_start_and_ends_at_its_end_or_maximum(node: Any) -> None:
    now = node.clock.now()
    window = {"start_date": now + timedelta(minutes=1), "end_date": now + timedelta(minutes=7)}
    windowed = await node.add(trigger={"type": "interval", "minutes": 5, "after_end": True, **window})
    thrice = await node.add(trigger={"type": "interval", "minutes": 5, "after_end": True}, max_executions=3)

    first = await next_of(node, windowed)
    for _ in range(30):
        await node.pass_time(MINUTE)

    assert first == now + timedelta(minutes=1)
    assert [row["scheduled_for"] - now for row in await node.history(windowed)] == [
        timedelta(minutes=minutes) for minutes in (1, 6)
    ]
    assert await node.states(thrice) == ["succeeded"] * 3
    assert {(await node.task(each))["status"] for each in (windowed, thrice)} == {"completed"}


async def test_after_a_long_sleep_it_runs_once_and_pauses(node: Any) -> None:
    task_id = await node.add(**PAUSE, catch_up="all")

    await node.pass_time(24 * 60 * MINUTE)

    (row,) = await node.history(task_id)
    assert (row["state"], row["missed_count"]) == ("succeeded", 0)
    assert await next_of(node, task_id) == node.clock.now() + timedelta(minutes=5)


async def test_what_is_too_late_is_missed_and_the_next_one_comes_after_a_pause(node: Any) -> None:
    task_id = await node.add(**PAUSE, misfire_grace_time=10)

    await node.pass_time(6 * MINUTE)
    following = await next_of(node, task_id)
    await node.pass_time(5 * MINUTE)

    assert await node.states(task_id) == ["missed", "succeeded"]
    assert following == node.clock.now()


async def test_paused_while_it_runs_it_goes_on_one_pause_after_it_was_resumed(node: Any) -> None:
    stuck = Stuck()
    node.register("work", stuck.run)
    task_id = await node.add("work", **PAUSE)
    node.clock.advance(5 * MINUTE)
    await begun(node, stuck)

    await node.scheduler.pause_task(task_id)
    await let_end(node, stuck)
    await node.pass_time(60 * MINUTE)
    held = await node.states(task_id)
    resumed = (await node.scheduler.resume_task(task_id)).unwrap()
    await node.pass_time(5 * MINUTE)

    assert held == ["succeeded"]
    assert resumed["next_execution"] == node.clock.now()
    assert await node.states(task_id) == ["succeeded", "skipped", "succeeded"]


async def test_paused_and_resumed_while_it_runs_it_still_counts_from_the_end(node: Any) -> None:
    stuck = Stuck()
    node.register("work", stuck.run)
    task_id = await node.add("work", **PAUSE)
    node.clock.advance(5 * MINUTE)
    await begun(node, stuck)

    await node.scheduler.pause_task(task_id)
    resumed = (await node.scheduler.resume_task(task_id)).unwrap()
    node.clock.advance(MINUTE)
    end = await let_end(node, stuck)

    assert (resumed["status"], resumed["next_execution"]) == ("running", None)
    assert await next_of(node, task_id) == end + timedelta(minutes=5)


async def test_a_run_by_hand_does_not_move_it_but_holds_it_up(node: Any) -> None:
    stuck = Stuck()
    node.register("work", stuck.run)
    task_id = await node.add("work", **PAUSE)
    before = await next_of(node, task_id)
    await node.scheduler.execute_task(task_id)
    await begun(node, stuck)
    unmoved = await next_of(node, task_id)

    node.clock.advance(6 * MINUTE)
    await node.scheduler.turn()
    held_up = await next_of(node, task_id)
    end = await let_end(node, stuck)

    assert unmoved == before
    assert held_up is None
    assert sorted(await node.states(task_id)) == ["skipped", "succeeded"]
    assert await next_of(node, task_id) == end + timedelta(minutes=5)


async def test_edited_to_another_time_and_back_it_goes_on(node: Any) -> None:
    task_id = await node.add(**PAUSE)

    await node.scheduler.update_task(task_id, {"cron": "0 0 1 1 *"})
    changed = (await node.scheduler.update_task(task_id, PAUSE)).unwrap()
    renamed = (await node.scheduler.update_task(task_id, {"name": "other"})).unwrap()
    await node.pass_time(5 * MINUTE)

    assert changed["next_execution"] == renamed["next_execution"] == node.clock.now()
    assert await node.states(task_id) == ["succeeded"]
    assert await next_of(node, task_id) == node.clock.now() + timedelta(minutes=5)


async def test_skipped_or_moved_by_hand_it_counts_from_what_is_left_out_or_runs_instead(node: Any) -> None:
    skipped, moved = await node.add(**PAUSE), await node.add(**PAUSE)
    first = await next_of(node, skipped)

    await node.scheduler.skip_next(skipped)
    await node.scheduler.shift_next(moved, to=first + timedelta(minutes=7))
    between = [await next_of(node, each) for each in (skipped, moved)]
    await node.pass_time(12 * MINUTE)

    assert between == [first + timedelta(minutes=5), None]
    assert await node.states(moved) == ["succeeded"]
    assert await next_of(node, moved) == node.clock.now() + timedelta(minutes=5)


async def test_an_end_given_by_hand_ends_it_after_the_run_and_taken_away_lets_it_go_on(node: Any) -> None:
    stuck = Stuck()
    node.register("work", stuck.run)
    task_id = await node.add("work", **PAUSE)
    node.clock.advance(5 * MINUTE)
    await begun(node, stuck)

    bounded = (await node.scheduler.run_until(task_id, node.clock.now() + timedelta(minutes=20))).unwrap()
    end = await let_end(node, stuck)

    assert bounded["next_execution"] is None
    assert await next_of(node, task_id) == end + timedelta(minutes=5)
    for _ in range(5):
        await node.pass_time(5 * MINUTE)
    assert (await node.task(task_id))["status"] == "completed"
    opened = (await node.scheduler.run_until(task_id, None)).unwrap()
    assert opened["next_execution"] is not None


@pytest.mark.parametrize(
    "wrong",
    [
        {"cron": "* * * * *", "after_end": True},
        {"interval_type": "months", "interval_value": 1, "after_end": True},
        {"trigger": {"type": "interval", "minutes": 5, "after_end": 1}},
        {"trigger": {"type": "any", "triggers": [{"type": "interval", "minutes": 5, "after_end": True}]}},
    ],
)
async def test_what_has_no_pause_after_its_runs_is_refused(node: Any, wrong: dict[str, Any]) -> None:
    refused = await node.scheduler.schedule_task(
        {"name": "x", "module_id": "acme.test", "function_name": "note", **wrong}
    )

    assert refused.error.code == "INVALID_CONFIG"
