"""Explain a moment that is not the time of an occurrence: what started or ran then, what is put off until then."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from explaining import answer, explained, gate, started, stuck

HOUR = 3600.0
RETRIED = {"max_retries": 2, "retry_delay": 120, "retry_backoff": 1, "retry_jitter": 0}
AFTER_END = {"recurring": True, "interval_type": "minutes", "interval_value": 5, "after_end": True}

only_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


async def fail() -> None:
    raise ValueError("broken")


async def retried(node: Any) -> str:
    node.register("fail", fail)
    return str(await node.add_every(HOUR, "fail", **RETRIED))


async def moved(node: Any) -> str:
    task_id = str(await node.add_every(HOUR))
    (await node.scheduler.shift_next(task_id, to="2026-01-05T13:02:00Z")).unwrap()
    return task_id


async def gathering(node: Any) -> str:
    task_id = str(await node.add(trigger={"type": "event", "event": "paid", "debounce": 120}))
    node.clock.advance(HOUR)
    await node.scheduler.emit("paid", {})
    return task_id


PUT_OFF = {
    "an occurrence of Mon 2026-01-05 13:00:00 UTC: retry 1 of 2 is put off until": retried,
    "an occurrence moved to another time, of Mon 2026-01-05 13:00:00 UTC: it was moved by hand": moved,
    "a run for an event of Mon 2026-01-05 13:00:00 UTC: it gathers further events": gathering,
}


@pytest.mark.parametrize("what", PUT_OFF)
async def test_what_waits_for_a_moment_is_told_before_it_and_after(start_node: Any, what: str) -> None:
    node = await started(start_node)
    task_id = await PUT_OFF[what](node)
    node.clock.move_to(datetime.fromisoformat("2026-01-05T13:00:00Z"))
    await node.scheduler.run_due()
    node.clock.advance(60)

    before = await explained(node, task_id, at="2026-01-05T13:02")
    await node.pass_time(60)
    after = await explained(node, task_id, at="2026-01-05T13:02")

    assert [answer(before), answer(after)] == [("will_run", None), ("ran", None)]
    opening = f"It is due at Mon 2026-01-05 13:02:00 UTC, as things stand, for {what}"
    assert before["verdict"].startswith(opening)
    assert after["verdict"].startswith(f"It ran then, for {what.partition(': ')[0]}: execution ")
    assert "started at Mon 2026-01-05 13:02:00 UTC" in after["verdict"]
    assert gate(after, "schedule")["passes"] is None


@only_sqlite
async def test_what_waits_for_a_moment_does_not_run_then_while_it_is_held(start_node: Any) -> None:
    node = await started(start_node)
    task_id = await retried(node)
    await node.pass_time(HOUR)
    await node.scheduler.pause_all("too loud")

    told = await explained(node, task_id, at="2026-01-05T13:02")
    node.clock.advance(180)
    late = await explained(node, task_id, at="2026-01-05T13:02")

    assert [answer(told), answer(late)] == [("will_not_run", "paused"), ("waits", "paused")]
    assert late["verdict"].startswith(
        "Attempt 2 has not run yet, for an occurrence of Mon 2026-01-05 13:00:00 UTC. It waits"
    )


@only_sqlite
async def test_a_jittered_start_is_told_at_its_moment(start_node: Any) -> None:
    node = await started(start_node)
    task_id = await node.add_every(HOUR, jitter="10 minutes")
    await node.pass_time(HOUR)
    await node.pass_time(600)
    (row,) = await node.history(task_id)

    told = await explained(node, task_id, at=row["start_time"])

    assert answer(told) == ("ran", None)
    assert told["verdict"].startswith("It ran then, for an occurrence of Mon 2026-01-05 13:00:00 UTC: execution")


async def test_in_the_middle_of_a_run_it_ran(start_node: Any) -> None:
    node = await started(start_node)
    task_id, holder = await stuck(node, timeout="1 day")
    node.clock.advance(600)

    goes_on = await explained(node, task_id, at="2026-01-05T12:05")
    holder.release.set()
    await node.scheduler.run_due()
    over = await explained(node, task_id, at="2026-01-05T12:05")

    assert [answer(goes_on), answer(over)] == [("runs", None), ("ran", None)]
    assert goes_on["verdict"].startswith("It runs, for an occurrence of Mon 2026-01-05 12:00:00 UTC: execution")
    assert answer(await explained(node, task_id, at="2026-01-05T12:10:01")) != ("ran", None)


@only_sqlite
async def test_a_run_by_hand_that_starts_late_is_told_at_its_start(start_node: Any) -> None:
    node = await started(start_node)
    task_id = await node.add_every(HOUR)
    await node.scheduler.pause_all()
    await node.scheduler.execute_task(task_id)
    node.clock.advance(600)
    await node.scheduler.resume_all()
    await node.scheduler.run_due()

    told = await explained(node, task_id, at="2026-01-05T12:10")

    assert answer(told) == ("ran", None)
    assert told["verdict"].startswith("It ran then, for a run by hand of Mon 2026-01-05 12:00:00 UTC: execution")


@only_sqlite
async def test_times_that_follow_from_the_end_of_a_run_are_not_invented(start_node: Any) -> None:
    node = await started(start_node)
    task_id = await node.add(**AFTER_END)
    await node.pass_time(600)  # it is due again at 12:15

    asked = ("12:03", "12:12", "12:15", "12:20")
    told = [await explained(node, task_id, at=f"2026-01-05T{at}") for at in asked]

    expected = [("not_recorded", None), ("will_not_run", "schedule"), ("will_run", None), ("not_known", None)]
    assert [answer(each) for each in told] == expected
    assert "follow from when each run ended" in told[0]["verdict"]
    assert "its row was removed" not in told[0]["verdict"]
    assert told[3]["verdict"].startswith(
        "It cannot be told whether it will run at Mon 2026-01-05 12:20:00 UTC: its times"
    )


@only_sqlite
async def test_of_a_trigger_that_cannot_be_read_nothing_is_foreseen(start_node: Any) -> None:
    node = await started(start_node)
    task_id = await node.add_every(HOUR)
    await node.damage(task_id, trigger="{}")

    told = [await explained(node, task_id, at=f"2026-01-05T{at}") for at in ("13:00", "15:00")]

    assert [answer(each) for each in told] == [("not_known", None)] * 2
    assert "its stored trigger cannot be read" in told[0]["verdict"]


@only_sqlite
async def test_what_no_node_could_run_now_is_told_of_a_moment_to_come(start_node: Any) -> None:
    node = await started(start_node, queues={"default": 2})
    task_id = await node.add_every(HOUR, queue="mail")

    told = await explained(node, task_id, at="2026-01-05T15:00")

    assert answer(told) == ("will_run", None)
    assert told["verdict"].endswith("But now no living node serves queue 'mail'; they serve default.")
    assert (gate(told, "queue")["passes"], gate(told, "function")["passes"]) == (None, None)


@only_sqlite
@pytest.mark.parametrize("timing", [{"delay": HOUR}, {"trigger": {"type": "event", "event": "paid"}}])
async def test_what_no_node_could_run_is_told_before_its_time(start_node: Any, timing: dict[str, Any]) -> None:
    node = await started(start_node)
    node.register("gone", fail)
    task_id = await node.add("gone", **timing)
    node.scheduler.functions._functions.pop(("acme.test", "gone"))
    node.scheduler.functions._keys -= {"acme.test:gone"}
    node.clock.advance(60)
    await node.scheduler.turn()

    told = await explained(node, task_id)

    assert answer(told) == ("waits", "schedule")
    assert "Also in the way: the living node does not have the function acme.test:gone" in told["verdict"]
    assert [gate(told, name)["passes"] for name in ("node", "queue", "function", "draining")] == [
        True,
        True,
        False,
        None,
    ]
