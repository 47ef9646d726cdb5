"""The next occurrence left out by hand: one row tells of it, and no other is touched."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

MINUTE = 60.0
HOUR = 3600.0


async def test_the_next_occurrence_is_left_out_and_the_one_after_it_runs(node: Any) -> None:
    task_id, now = await node.add_every(HOUR), node.clock.now()

    told = (await node.scheduler.skip_next(task_id, reason="the press is being cleaned")).unwrap()
    for _ in range(2):
        await node.pass_time(HOUR)

    first, second = now + timedelta(hours=1), now + timedelta(hours=2)
    assert (told["scheduled_for"], told["next_execution"]) == (first, second)
    assert told["upcoming"] == [second, second + timedelta(hours=1), second + timedelta(hours=2)]
    skipped, ran = await node.history(task_id)
    assert (skipped["scheduled_for"], skipped["state"], skipped["attempt"]) == (first, "skipped", 0)
    assert (skipped["reason"], skipped["origin"]) == ("SKIPPED_BY_REQUEST", "operator")
    assert skipped["result"] == {"note": "the press is being cleaned"}
    assert (ran["scheduled_for"], ran["state"]) == (second, "succeeded")
    assert (await node.task(task_id))["execution_count"] == 1


async def test_a_repeated_request_for_one_occurrence_skips_no_second_one(node: Any) -> None:
    task_id = await node.add_every(HOUR)
    moment = (await node.task(task_id))["next_execution"]

    answers = [(await node.scheduler.skip_next(task_id, moment)).unwrap() for _ in range(3)]

    assert answers[0] == answers[1] == answers[2]
    assert await node.states(task_id) == ["skipped"]


async def test_one_that_was_fired_meanwhile_is_refused_with_what_became_of_it(node: Any) -> None:
    task_id = await node.add_every(HOUR)
    moment = (await node.task(task_id))["next_execution"]
    await node.pass_time(HOUR)

    refused = await node.scheduler.skip_next(task_id, moment)

    assert refused.error.code == "INVALID_STATE"
    assert refused.error.message.endswith("is succeeded already")
    assert await node.states(task_id) == ["succeeded"]


async def test_one_that_another_run_stands_for_is_refused_with_that(node: Any) -> None:
    task_id = await node.add_every(HOUR)
    moment = (await node.task(task_id))["next_execution"]
    await node.pass_time(3 * HOUR)
    (row,) = await node.history(task_id)

    refused = await node.scheduler.skip_next(task_id, moment)

    assert f"is one of 2 that were missed, accounted for by execution {row['id']}" in refused.error.message


async def test_only_the_next_one_can_be_skipped(node: Any) -> None:
    task_id = await node.add_every(HOUR, timezone="Europe/Berlin")
    following = (await node.task(task_id))["next_execution"]

    later = await node.scheduler.skip_next(task_id, following + timedelta(hours=1))
    never = await node.scheduler.skip_next(task_id, following - timedelta(minutes=1))

    assert later.error.details == never.error.details == {"next_execution": following}
    assert later.error.message == (
        "the occurrence of Mon 2026-01-05 15:00:00 CET is not the next one: "
        "that is the one of Mon 2026-01-05 14:00:00 CET"
    )
    assert "has no occurrence at Mon 2026-01-05 13:59:00 CET" in never.error.message
    assert await node.history(task_id) == []


async def test_a_skipped_occurrence_does_not_come_back_when_its_task_is_paused_and_resumed(node: Any) -> None:
    task_id = await node.add_every(HOUR)
    told = (await node.scheduler.skip_next(task_id)).unwrap()

    await node.scheduler.pause_task(task_id)
    resumed = (await node.scheduler.resume_task(task_id)).unwrap()
    await node.pass_time(HOUR)

    assert resumed["next_execution"] == told["next_execution"]
    assert await node.states(task_id) == ["skipped"]


async def test_of_a_paused_task_the_one_after_its_resumption_is_skipped(node: Any) -> None:
    task_id, now = await node.add_every(HOUR), node.clock.now()
    await node.scheduler.pause_task(task_id)
    node.clock.advance(2.5 * HOUR)

    told = (await node.scheduler.skip_next(task_id)).unwrap()
    resumed = (await node.scheduler.resume_task(task_id)).unwrap()

    assert told["scheduled_for"] == now + timedelta(hours=3)
    assert resumed["next_execution"] == now + timedelta(hours=4)


async def test_of_what_is_due_and_has_not_been_fired_the_oldest_is_skipped_and_the_others_are_accounted_for(
    node: Any,
) -> None:
    task_id, now = await node.add_every(MINUTE), node.clock.now()
    node.clock.advance(3 * MINUTE)

    told = (await node.scheduler.skip_next(task_id)).unwrap()
    await node.scheduler.run_due()

    assert told["scheduled_for"] == now + timedelta(minutes=1)
    skipped, ran = await node.history(task_id)
    assert (skipped["state"], ran["state"], ran["missed_count"]) == ("skipped", "succeeded", 1)
    assert ran["missed_since"] == now + timedelta(minutes=2)


async def test_a_one_time_task_that_is_skipped_is_completed_and_says_why(node: Any) -> None:
    task_id = await node.add(delay="1 hour")
    moment = (await node.task(task_id))["next_execution"]

    await node.scheduler.skip_next(task_id)
    again = await node.scheduler.skip_next(task_id)
    repeated = await node.scheduler.skip_next(task_id, moment)

    task = await node.task(task_id)
    assert (task["status"], task["last_error"]) == ("completed", "skipped: SKIPPED_BY_REQUEST")
    assert again.error.message == "no time of the task is to come: it is completed"
    assert repeated.success


async def test_a_run_by_hand_after_a_skip_is_of_now(node: Any) -> None:
    task_id, now = await node.add_every(HOUR), node.clock.now()
    await node.scheduler.skip_next(task_id)

    await node.scheduler.execute_task(task_id)

    (by_hand,) = [row for row in await node.history(task_id) if row["origin"] == "manual"]
    assert by_hand["scheduled_for"] == now


async def test_what_waits_for_an_event_has_no_next_one_and_what_is_no_time_is_refused(node: Any) -> None:
    waiting = await node.add(trigger={"type": "event", "event": "sale"})
    hourly = await node.add_every(HOUR)

    no_time = await node.scheduler.skip_next(waiting)
    no_moment = await node.scheduler.skip_next(hourly, "tomorrow")
    nobody = await node.scheduler.skip_next("there is none")

    assert (no_time.error.code, no_moment.error.code) == ("INVALID_STATE", "INVALID_CONFIG")
    assert no_moment.error.details["problems"][0]["field"] == "scheduled_for"
    assert nobody.error.code == "TASK_NOT_FOUND"


@pytest.mark.parametrize("order", ["skip_next", "shift_next"])
async def test_beside_a_turn_an_occurrence_is_either_fired_or_taken_by_hand_and_never_the_one_after_it(
    start_node: Any, order: str
) -> None:
    nodes = [await start_node(), await start_node()]
    task_id = await nodes[0].add_every(MINUTE, overlap="queue")

    for _ in range(8):
        moment = (await nodes[0].task(task_id))["next_execution"]
        nodes[0].clock.move_to(moment)
        asked = [task_id, moment] if order == "skip_next" else [task_id, moment, moment]
        _, answer = await asyncio.gather(nodes[1].scheduler.turn(), getattr(nodes[0].scheduler, order)(*asked))
        await nodes[1].scheduler.run_due()
        rows = [row for row in await nodes[0].history(task_id) if row["scheduled_for"] == moment]
        by_hand = [row for row in rows if row["origin"] != "schedule"]
        assert (len(rows), len(by_hand)) == (1, int(answer.success))
        assert (await nodes[0].task(task_id))["next_execution"] == moment + timedelta(minutes=1)

    assert len(await nodes[0].history(task_id)) == 8


async def test_what_is_no_time_is_named_once(node: Any) -> None:
    task_id = await node.add_every(HOUR)

    refused = await node.scheduler.skip_next(task_id, "tomorrow")

    assert refused.error.message == "scheduled_for 'tomorrow' is no ISO 8601 time, such as 2026-01-31T09:00:00Z"
