"""Explain: what of slots, limits, rates, retries and the line stands between an execution and its start."""

from __future__ import annotations

from typing import Any

import pytest
from explaining import explained, gate, started, stuck
from nodes import kill, release_all

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


async def test_taken_slots_are_told_with_who_takes_them_and_who_is_before_it(start_node: Any) -> None:
    node = await started(start_node, max_concurrent_tasks=1)
    await stuck(node)
    first, second = await node.add(name="first"), await node.add(name="second")
    node.clock.advance(60)

    told = [await explained(node, task_id) for task_id in (first, second)]

    assert [each["blocked_by"] for each in told] == ["slots", "slots"]
    assert told[0]["verdict"] == "It waits: the only slot is taken, by stuck longest, for 1m."
    before = "1 execution of queue 'default' is before it"
    assert told[1]["verdict"] == f"It waits: {before} and the only slot is taken, by stuck longest, for 1m."
    assert [each["task_name"] for each in gate(told[1], "line")["details"]["before"]] == ["first"]
    assert [each["task_name"] for each in gate(told[1], "slots")["details"]["running"]] == ["stuck"]


async def test_a_place_in_line_behind_the_free_slots_waits(start_node: Any) -> None:
    node = await started(start_node, max_concurrent_tasks=2)
    ids = [await node.add(name=f"n{number}") for number in range(3)]
    urgent = await node.add(priority=9, name="urgent")

    told = {task_id: await explained(node, task_id) for task_id in [*ids, urgent]}
    await node.scheduler.turn()
    states = {task_id: (await node.states(task_id))[0] for task_id in told}

    assert [told[each]["answer"] for each in (*ids, urgent)] == ["may_start", "waits", "waits", "may_start"]
    assert [states[each] for each in (*ids, urgent)] == ["running", "pending", "pending", "running"]
    assert gate(told[ids[2]], "line")["details"]["position"] == 4


async def test_the_limit_over_all_nodes_is_told(start_node: Any) -> None:
    node = await started(start_node, max_concurrent_everywhere=1)
    await stuck(node)
    task_id = await node.add()

    told = await explained(node, task_id)

    assert told["blocked_by"] == "everywhere"
    assert told["verdict"] == "It waits: 1 of 1 executions run on all nodes together."


async def test_the_limit_of_a_queue_is_told_and_remembered(start_node: Any) -> None:
    node = await started(start_node)
    await node.scheduler.limit_queue("default", 1)
    await stuck(node)
    task_id = await node.add()
    await node.scheduler.turn()
    node.clock.advance(60)
    await node.scheduler.turn()

    told = await explained(node, task_id)
    release_all()
    await node.scheduler.run_due()
    (row,) = await node.history(task_id)
    after = (await node.scheduler.explain_execution(row["id"])).unwrap()

    assert told["blocked_by"] == "everywhere"
    assert told["verdict"] == "It waits: 1 of 1 executions of queue 'default' run on all nodes together."
    assert "as many of its queue ran on all nodes together as may" in str(after)


async def test_a_shared_limit_is_told_with_who_holds_it(start_node: Any) -> None:
    node = await started(start_node)
    holder, _ = await stuck(node, concurrency_key="printer")
    task_id = await node.add(concurrency_key="printer")

    told = [await explained(node, task_id)]
    await node.scheduler.turn()
    told.append(await explained(node, task_id))

    (row,) = await node.history(holder)
    text = f"It waits: the only place of concurrency key 'printer' is taken by execution {row['id']} (stuck), running"
    assert [each["blocked_by"] for each in told] == ["limit", "limit"]
    assert told[0]["verdict"].startswith(text)
    assert [each["task_id"] for each in gate(told[1], "limit")["details"]["holders"]] == [holder]
    assert await node.reasons(task_id) == ["LIMIT"]


async def test_a_rate_says_until_when(start_node: Any) -> None:
    node = await started(start_node)
    task_id = await node.add(concurrency_key="api", rate_limit="1/minute", overlap="allow")
    other = await node.add(name="other", concurrency_key="api", rate_limit="1/minute", overlap="allow")

    told = [await explained(node, other)]
    await node.scheduler.turn()
    told.append(await explained(node, other))

    assert (await node.states(task_id), await node.states(other)) == (["running"], ["pending"])
    assert [each["blocked_by"] for each in told] == ["rate", "rate"]
    assert told[1]["verdict"] == "It waits: a rate of 1 in 1m puts it off until Mon 2026-01-05 12:01:00 UTC, in 1m."


async def test_a_retry_says_which_of_how_many_and_when(start_node: Any) -> None:
    node = await started(start_node)

    async def fail() -> None:
        raise ValueError("no paper")

    node.register("fail", fail)
    task_id = await node.add("fail", max_retries=3, retry_delay=60, retry_jitter=0)
    await node.scheduler.run_due()

    told = await explained(node, task_id)

    assert (told["answer"], told["blocked_by"]) == ("waits", "due")
    assert told["verdict"] == "It waits: retry 1 of 3 is put off until Mon 2026-01-05 12:01:00 UTC, in 1m."


async def test_a_due_task_whose_key_is_taken_will_be_skipped(start_node: Any) -> None:
    node = await started(start_node)
    await stuck(node, concurrency_key="printer")
    task_id = await node.add(delay=60, concurrency_key="printer", overlap="skip")
    node.clock.advance(60)

    told = await explained(node, task_id)
    await node.scheduler.turn()

    assert (told["answer"], told["blocked_by"]) == ("will_not_run", "overlap")
    assert await node.states(task_id) == ["skipped"]


async def test_a_due_task_beyond_its_grace_will_be_missed(start_node: Any) -> None:
    node = await started(start_node)
    task_id = await node.add(delay=60, misfire_grace_time=30)
    node.clock.advance(600)

    told = await explained(node, task_id)
    await node.scheduler.turn()

    assert (told["answer"], told["blocked_by"]) == ("will_not_run", "catch_up")
    assert await node.reasons(task_id) == ["MISFIRE_GRACE"]


async def test_what_runs_says_since_when_and_where(start_node: Any) -> None:
    node = await started(start_node)
    task_id, _ = await stuck(node)
    node.clock.advance(300)
    (row,) = await node.history(task_id)

    told = await explained(node, task_id)
    of_row = (await node.scheduler.explain_execution(row["id"])).unwrap()

    where = f"on node {row['node_id']}"
    text = f"It runs: execution {row['id']} is running since Mon 2026-01-05 12:00:00 UTC, for 5m, {where}."
    assert (told["answer"], told["verdict"], of_row["verdict"]) == ("runs", text, text)
    assert gate(told, "lease")["passes"] is True


async def test_what_a_dead_node_ran_says_that_it_is_going_to_be_run_again(start_node: Any) -> None:
    node = await start_node(lease="1 hour")
    task_id, _ = await stuck(node)
    kill(node)
    node.clock.advance(7200)

    told = await explained(node, task_id)

    assert (told["answer"], told["blocked_by"]) == ("runs", "lease")
    assert "its lease ran out at Mon 2026-01-05 13:00:00 UTC" in told["verdict"]
    assert told["verdict"].endswith("it is closed as lost and run again.")


async def test_what_was_moved_or_left_out_by_hand_is_told_as_such(start_node: Any) -> None:
    node = await started(start_node)
    task_id = await node.add_every(3600)
    (await node.scheduler.skip_next(task_id)).unwrap()
    (await node.scheduler.shift_next(task_id, to="2026-01-05T14:30:00Z")).unwrap()
    node.clock.advance(2 * 3600 + 60)

    skipped, moved = [await explained(node, task_id, at=f"2026-01-05T{hour}:00:00Z") for hour in (13, 14)]

    assert (skipped["answer"], skipped["blocked_by"]) == ("did_not_run", "skip")
    assert (moved["answer"], moved["blocked_by"]) == ("waits", "due")
    assert "it was moved by hand, and waits until Mon 2026-01-05 14:30:00 UTC" in moved["verdict"]


async def test_what_was_moved_or_left_out_by_hand_is_told_before_its_time_has_come(start_node: Any) -> None:
    node = await started(start_node)
    task_id = await node.add_every(3600)
    (await node.scheduler.skip_next(task_id, reason="no staff")).unwrap()
    (await node.scheduler.shift_next(task_id, to="2026-01-05T14:30:00Z")).unwrap()

    skipped, moved = [await explained(node, task_id, at=f"2026-01-05T{hour}:00:00Z") for hour in (13, 14)]

    left_out = "somebody asked for it to be left out (SKIPPED_BY_REQUEST): no staff"
    assert (skipped["answer"], skipped["blocked_by"]) == ("will_not_run", "skip")
    assert skipped["verdict"] == f"It will not run at Mon 2026-01-05 13:00:00 UTC: {left_out}."
    assert (moved["answer"], moved["blocked_by"]) == ("waits", "due")
    assert "it was moved by hand, and waits until Mon 2026-01-05 14:30:00 UTC" in moved["verdict"]


async def test_a_calendar_is_named_also_for_a_time_before_the_next_one(start_node: Any) -> None:
    node = await started(start_node)
    node.scheduler.register_calendar("acme.shop", "holidays", {"dates": ["2026-01-06"]})
    task_id = await node.add(cron="0 9 * * *", calendars=["holidays"])

    told = await explained(node, task_id, at="2026-01-06T09:00")

    assert (told["answer"], told["blocked_by"]) == ("will_not_run", "calendar")


async def test_an_event_that_is_debounced_says_that_it_gathers_more(start_node: Any) -> None:
    node = await started(start_node)
    task_id = await node.add(trigger={"type": "event", "event": "order.paid", "debounce": 60})
    (await node.scheduler.emit("order.paid")).unwrap()

    told = await explained(node, task_id)

    assert (told["answer"], told["blocked_by"]) == ("waits", "due")
    assert "it gathers further events until Mon 2026-01-05 12:01:00 UTC" in told["verdict"]


async def test_of_two_that_are_fired_together_the_one_that_takes_its_key_at_once_starts(start_node: Any) -> None:
    node = await started(start_node)
    waits = await node.add(delay=60, name="waits", concurrency_key="printer", overlap="queue")
    takes = await node.add(delay=60, name="takes", concurrency_key="printer", overlap="skip")
    node.clock.advance(60)

    told = [await explained(node, task_id) for task_id in (waits, takes)]
    await node.scheduler.turn()

    assert [(each["answer"], each["blocked_by"]) for each in told] == [("waits", "limit"), ("may_start", None)]
    assert (await node.states(waits), await node.states(takes)) == (["pending"], ["running"])
