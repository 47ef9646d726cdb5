"""Explain pauses that ended otherwise than by going on, and what sets a task off that has no times."""

from __future__ import annotations

from typing import Any

import pytest
from explaining import answer, explained, gate, started

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
HOUR = 3600.0
PAUSED = "the task was paused from Mon 2026-01-05 12:00:00 UTC until Mon 2026-01-05 14:00:00 UTC: too loud"


async def cancelled(node: Any, task_id: str) -> None:
    (await node.scheduler.cancel_task(task_id)).unwrap()


async def corrected(node: Any, task_id: str) -> None:
    (await node.scheduler._jobs.update_job_status(task_id, "cancelled")).unwrap()


@pytest.mark.parametrize("end", [cancelled, corrected])
async def test_a_pause_that_lasted_until_the_end_is_told(start_node: Any, end: Any) -> None:
    node = await started(start_node)
    once, often = await node.add(delay=HOUR), await node.add_every(HOUR)
    for task_id in (once, often):
        (await node.scheduler.pause_task(task_id, "too loud")).unwrap()
    node.clock.advance(2 * HOUR)
    for task_id in (once, often):
        await end(node, task_id)
    node.clock.advance(60)

    told = [await explained(node, task_id, at="2026-01-05T13:00") for task_id in (once, often)]

    assert [each["answer"] for each in told] == ["did_not_run", "did_not_run"]
    assert PAUSED in told[0]["verdict"]
    assert "before a node came to it" not in told[0]["verdict"]
    assert "passed while the task was paused" in told[1]["verdict"]


async def test_the_reason_of_a_pause_is_not_told_as_that_of_the_cancel(start_node: Any) -> None:
    node = await started(start_node)
    task_id = await node.add(delay=HOUR)
    await node.scheduler.pause_task(task_id, "too loud")
    await node.scheduler.cancel_task(task_id)

    told = await explained(node, task_id)

    assert answer(told) == ("ended", "task")
    assert "too loud" not in told["verdict"]
    assert gate(told, "task")["details"]["reason"] is None


async def edited(node: Any, task_id: str) -> None:
    (await node.scheduler.update_task(task_id, {"priority": 3})).unwrap()


async def paused_anew(node: Any, task_id: str) -> None:
    (await node.scheduler.pause_task(task_id, "still too loud")).unwrap()


@pytest.mark.parametrize("change", [edited, paused_anew])
async def test_a_change_within_a_pause_does_not_shorten_it(start_node: Any, change: Any) -> None:
    node = await started(start_node)
    task_id = await node.add(delay=HOUR)
    await node.scheduler.pause_task(task_id, "too loud")
    node.clock.advance(2 * HOUR)
    await change(node, task_id)
    node.clock.advance(HOUR)
    await node.scheduler.resume_task(task_id)
    await node.scheduler.run_due()

    told = await explained(node, task_id, at="2026-01-05T13:00")

    assert answer(told) == ("ran", None)
    assert PAUSED in told["verdict"]
    assert "from Mon 2026-01-05 14:00:00 UTC until Mon 2026-01-05 15:00:00 UTC" in told["verdict"]


ENDINGS = {"succeeded": "the success", "failed": "the failure", "ended": "the ending"}


@pytest.mark.parametrize("when", ENDINGS)
async def test_the_ending_that_a_task_waits_for_is_named(start_node: Any, when: str) -> None:
    node = await started(start_node)
    first = await node.add(delay=60)
    task_id = await node.add(trigger={"type": "after", "task": first, "when": when})

    told = [await explained(node, task_id, **at) for at in ({}, {"at": "2026-01-05T12:00"})]

    text = f"{ENDINGS[when]} of task {first!r} sets it off"
    assert [gate(each, "schedule")["text"] for each in told] == [text, f"{text}, and it did not then"]


@pytest.mark.parametrize("goes_on", [True, False])
async def test_an_event_that_came_while_the_task_was_paused_is_told_as_such(start_node: Any, goes_on: bool) -> None:
    node = await started(start_node)
    task_id = await node.add(trigger={"type": "event", "event": "paid"})
    await node.scheduler.pause_task(task_id, "too loud")
    node.clock.advance(HOUR)
    await node.scheduler.emit("paid", {})
    node.clock.advance(HOUR)
    if goes_on:
        await node.scheduler.resume_task(task_id)
    node.clock.advance(60)

    told = await explained(node, task_id, at="2026-01-05T13:00")

    assert answer(told) == ("did_not_run", "paused")
    assert (PAUSED if goes_on else "the task was paused from Mon 2026-01-05 12:00:00 UTC: too loud") in told["verdict"]
    assert "it did not then" not in str(told)


async def test_a_single_time_that_was_missed_says_so_where_the_task_has_ended(start_node: Any) -> None:
    node = await started(start_node)
    late = {"schedule_time": "2026-01-05T09:00:00Z", "misfire_grace_time": "1h"}
    missed, skipped = await node.add(**late), await node.add(delay=HOUR)
    await node.scheduler.skip_next(skipped, reason="holiday")
    await node.scheduler.run_due()

    told = [await explained(node, task_id) for task_id in (missed, skipped)]

    assert [answer(each) for each in told] == [("ended", "task")] * 2
    assert "It did not run at Mon 2026-01-05 09:00:00 UTC: " in told[0]["verdict"]
    assert told[0]["verdict"].endswith("later than its misfire_grace_time allows (MISFIRE_GRACE).")
    assert told[1]["verdict"].endswith("somebody asked for it to be left out (SKIPPED_BY_REQUEST): holiday.")


@pytest.mark.parametrize("after", [0, 30])
async def test_a_time_at_which_the_task_was_only_made_is_none_of_its_own(start_node: Any, after: float) -> None:
    node = await started(start_node)
    node.clock.advance(after)
    task_id = await node.add(cron="0 * * * *")
    node.clock.advance(60)

    told = await explained(node, task_id, at="2026-01-05T12:00")

    assert answer(told) == ("did_not_run", "task")
    assert told["verdict"].endswith(
        f"created at Mon 2026-01-05 12:00:{after:02} UTC, and its first time came after that."
    )


async def test_when_an_event_will_come_is_not_known(start_node: Any) -> None:
    node = await started(start_node)
    event = {"type": "event", "event": "paid"}
    alone = await node.add(trigger=event)
    beside = await node.add(trigger={"type": "any", "triggers": [event, "0 14 * * *"]})

    told = [await explained(node, alone, at="2026-01-05T13:00")]
    told += [await explained(node, beside, at=f"2026-01-0{at}:00") for at in ("5T13", "5T14", "6T13")]
    await node.scheduler.pause_task(alone)
    told.append(await explained(node, alone, at="2026-01-05T13:00"))

    unknown = ("not_known", None)
    expected = [unknown, unknown, ("will_run", None), unknown, ("will_not_run", "paused")]
    assert [answer(each) for each in told] == expected
    assert told[0]["verdict"].endswith(": the event 'paid' sets it off, whenever that comes.")
    assert told[1]["verdict"].endswith("whenever that comes; its next time is only Mon 2026-01-05 14:00:00 UTC.")


async def test_what_ran_long_after_its_time_by_hand_says_how_long(start_node: Any) -> None:
    node = await started(start_node)
    task_id = await node.add(cron="0 * * * *")
    (await node.scheduler.backfill(task_id, "2026-01-05T10:00", "2026-01-05T10:00")).unwrap()
    (await node.scheduler.shift_next(task_id, "2026-01-05T13:30")).unwrap()
    await node.scheduler.run_due()
    await node.pass_time(1.5 * HOUR)

    told = [await explained(node, task_id, at=f"2026-01-05T{at}") for at in ("10:00", "13:00")]

    assert "started at Mon 2026-01-05 12:00:00 UTC (2h after its time, in a backfill)" in told[0]["verdict"]
    assert "started at Mon 2026-01-05 13:30:00 UTC (30m after its time, moved by hand)" in told[1]["verdict"]
