"""After the end of a task's trigger nothing starts that is not on time: all of it is accounted for as missed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from explaining import explained, started, stuck

MINUTE = 60.0
HOUR = 3600.0
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def minutes(node: Any, number: float) -> Any:
    return node.clock.now() + timedelta(minutes=number)


async def step(node: Any, seconds: float) -> None:
    """Let time pass and take a turn, without waiting for what runs."""
    node.clock.advance(seconds)
    await node.scheduler.turn()


async def told(node: Any, task_id: str) -> tuple[str, str, int, str]:
    """Return of a task's only row its state, its reason and its count, and of the task its status."""
    (row,) = await node.history(task_id)
    return row["state"], row["reason"], row["missed_count"], (await node.task(task_id))["status"]


@on_sqlite
@pytest.mark.parametrize(
    "policy",
    [{}, {"catch_up": "all"}, {"misfire_grace_time": "1 day"}, {"catch_up": "all", "misfire_grace_time": "1 day"}],
)
async def test_what_was_slept_through_does_not_start_after_the_end(node: Any, policy: dict[str, Any]) -> None:
    end = minutes(node, 3)
    several = {"type": "any", "triggers": [{"type": "interval", "minutes": 1}, {"type": "interval", "minutes": 3}]}
    by_date = await node.add_every(MINUTE, end_date=end, **policy)
    by_trigger = await node.add(trigger={**several, "end_date": end}, **policy)
    by_hand = await node.add_every(MINUTE, **policy)
    await node.scheduler.run_until(by_hand, end)
    pausing = await node.add_every(2 * MINUTE, after_end=True, end_date=end, **policy)

    await node.pass_time(HOUR)

    assert {await told(node, each) for each in (by_date, by_trigger, by_hand)} == {("missed", "ENDED", 3, "completed")}
    assert await told(node, pausing) == ("missed", "ENDED", 1, "completed")


@on_sqlite
@pytest.mark.parametrize("policy", ["latest", "all", "none"])
async def test_the_last_occurrence_runs_though_a_node_comes_to_it_a_moment_after_the_end(
    node: Any, policy: str
) -> None:
    task_id = await node.add_every(20 * MINUTE, end_date=minutes(node, 60), catch_up=policy)

    await node.pass_time(HOUR + 2)

    rows = await node.history(task_id)
    assert rows[-1]["scheduled_for"] == node.clock.now() - timedelta(seconds=2)
    assert rows[-1]["state"] == "succeeded"
    assert {row["reason"] for row in rows[:-1]} == {"latest": set(), "all": {"ENDED"}, "none": {"CATCH_UP_NONE"}}[
        policy
    ]


@on_sqlite
async def test_a_trigger_of_several_ends_with_the_last_of_them(node: Any) -> None:
    often = {"type": "interval", "minutes": 1}
    both = [{**often, "end_date": minutes(node, 3)}, {**often, "start_date": minutes(node, 90)}]
    task_id = await node.add(trigger={"type": "any", "triggers": both})

    await node.pass_time(HOUR)

    assert await node.states(task_id) == ["succeeded"]


@pytest.mark.parametrize("overlap", ["queue", "replace"])
async def test_what_waits_in_line_at_the_end_does_not_start_after_it(start_node: Any, overlap: str) -> None:
    node = await started(start_node)
    end = minutes(node, 4)
    holder, function = await stuck(node, concurrency_key="printer" if overlap == "queue" else None)
    own = {"concurrency_key": "printer"} if overlap == "queue" else {"queue": "closed"}
    await node.scheduler.pause_queue("closed")
    ids = [await node.add_every(MINUTE, name=f"n{each}", end_date=end, overlap=overlap, **own) for each in range(2)]
    for _ in range(4):
        await step(node, MINUTE)

    node.clock.advance(2 * MINUTE)
    waiting = await explained(node, ids[0])
    function.release.set()
    await function.ended.wait()
    await node.scheduler.resume_queue("closed")
    await node.scheduler.run_due()

    assert (waiting["answer"], waiting["blocked_by"]) == ("will_not_run", "window")
    assert await node.states(holder) == ["succeeded"]
    for task_id in ids:
        rows = [row for row in await node.history(task_id) if row["reason"] != "REPLACED"]
        assert {(row["state"], row["reason"], row["attempt"], row["missed_count"]) for row in rows} == {
            ("missed", "ENDED", 0, 1)
        }
        assert (await node.task(task_id))["status"] == "completed"
    assert node.runs == []
    over = (await node.scheduler.explain_execution(rows[-1]["id"])).unwrap()
    assert "until its schedule had ended, and was recorded as missed" in over["verdict"]


async def test_the_next_in_line_for_a_limit_starts_in_the_place_of_what_has_ended(start_node: Any) -> None:
    node = await started(start_node)
    _holder, function = await stuck(node, concurrency_key="printer")
    await node.add_every(MINUTE, name="ends", end_date=minutes(node, 2), concurrency_key="printer", priority=9)
    await step(node, 2 * MINUTE)
    other = await node.add(name="other", concurrency_key="printer")
    await step(node, 5 * MINUTE)

    function.release.set()
    await function.ended.wait()
    await node.scheduler.run_due()

    assert await node.states(other) == ["succeeded"]
    assert len(node.runs) == 1


@on_sqlite
async def test_a_task_resumed_after_its_end_starts_nothing_and_is_completed(node: Any) -> None:
    task_id = await node.add_every(MINUTE, end_date=minutes(node, 4), overlap="queue", queue="closed")
    await node.scheduler.pause_queue("closed")
    await node.pass_time(MINUTE)
    await node.scheduler.pause_task(task_id)
    await node.scheduler.resume_queue("closed")

    await node.pass_time(HOUR)
    await node.scheduler.resume_task(task_id)
    await node.scheduler.run_due()

    assert sorted(zip(await node.states(task_id), await node.reasons(task_id), strict=True)) == [
        ("missed", "ENDED"),
        ("skipped", "TASK_PAUSED"),
    ]
    assert ((await node.task(task_id))["status"], node.runs) == ("completed", [])


@on_sqlite
async def test_retries_and_what_was_ordered_by_hand_go_on_after_the_end(node: Any) -> None:
    async def fail() -> None:
        raise ValueError

    node.register("fail", fail)
    end = minutes(node, 2)
    retried = await node.add_every(2 * MINUTE, "fail", end_date=end, max_retries=1, retry_delay="1 hour")
    by_hand = await node.add_every(2 * MINUTE, name="by hand", end_date=end, overlap="queue", queue="closed")
    await node.scheduler.pause_queue("closed")
    (await node.scheduler.execute_task(by_hand)).unwrap()

    await node.pass_time(2 * MINUTE)
    await node.pass_time(2 * HOUR)
    await node.scheduler.resume_queue("closed")
    await node.scheduler.run_due()
    ran = await node.states(by_hand)
    await node.scheduler.backfill(by_hand, end, end)
    await node.scheduler.run_due()

    assert await node.states(retried) == ["failed"] * 2
    assert sorted(ran) == ["missed", "succeeded"]
    assert sorted(await node.states(by_hand)) == ["missed", "succeeded", "succeeded"]


@on_sqlite
async def test_jitter_puts_nothing_off_beyond_the_end(node: Any) -> None:
    end = minutes(node, 10)
    ids = [await node.add_every(9 * MINUTE, name=f"n{number}", end_date=end, jitter="1 hour") for number in range(9)]

    for _ in range(11):
        await node.pass_time(MINUTE)

    starts = [row["start_time"] for task_id in ids for row in await node.history(task_id)]
    assert len(starts) == len(ids)
    assert max(starts) == end


@on_sqlite
async def test_the_forecast_leaves_out_what_does_not_start_after_the_end(node: Any) -> None:
    ended = await node.add_every(MINUTE, end_date=minutes(node, 5))
    node.clock.advance(HOUR)

    forecast = (await node.scheduler.forecast(hours=1)).unwrap()
    due = await explained(node, ended)

    assert forecast["total"] == 0
    assert (due["answer"], due["blocked_by"]) == ("will_not_run", "catch_up")
