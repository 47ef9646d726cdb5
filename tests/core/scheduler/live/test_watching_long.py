"""Watching on: who was cut off, who is slow, when much happens, and what it costs."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import pytest
from logged import told

from framework.clock import SystemClock
from framework.result import ResultError
from framework.testing.statements import seen_by
from modules.core.scheduler.live import viewer as viewers


async def test_who_comes_again_is_told_what_it_has_missed_from_memory_or_from_the_database(start_node: Any) -> None:
    here, there = await start_node(), await start_node()
    here.clock.advance(10)
    async with here.scheduler.watch(kinds=["execution"]) as staying:
        first_id = await here.add()
        await here.scheduler.run_due()
        *_, seen = await told(here, staying)
        here.clock.advance(60)
        second_id = await here.add()
        await here.scheduler.run_due()
        await told(here, staying)

        remembered = await told(here, here.scheduler.watch(kinds=["execution"], after=seen["id"]))
        elsewhere = await told(there, there.scheduler.watch(kinds=["execution"], after=seen["id"]))

    assert seen["task_id"] == first_id
    assert {event["task_id"] for event in remembered} == {second_id}
    assert [event["task_id"] for event in elsewhere][-1] == second_id
    assert elsewhere[-1]["id"] > seen["id"]


@pytest.mark.parametrize("after", ["1767614400000000-1", "nonsense", "", "-1", "9" * 60 + "-1"])
async def test_who_comes_back_after_too_long_is_told_to_look_anew(node: Any, after: str) -> None:
    node.clock.advance(3600)

    events = await told(node, node.scheduler.watch(kinds=["execution"], after=after))

    assert [(event["kind"], event["reason"]) for event in events] == [("reset", "TOO_OLD")]


async def test_who_is_too_slow_is_told_so_and_holds_a_bounded_number(
    node: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(viewers, "MOST_WAITING", 3)
    node.clock.advance(10)
    async with node.scheduler.watch(kinds=["task"]) as viewer:
        for _ in range(10):
            await node.add(delay=100)
        events = await told(node, viewer)

    assert len(events) <= 3
    assert (events[0]["kind"], events[0]["reason"]) == ("reset", "TOO_SLOW")


async def test_more_than_can_be_told_one_by_one_is_told_as_that_and_then_all_goes_on(
    node: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("modules.core.scheduler.live.looking.MOST_ROWS", 5)
    node.clock.advance(10)
    async with node.scheduler.watch(kinds=["task"]) as viewer:
        named = {"module_id": "acme.test", "function_name": "note", "delay": 100}
        (await node.scheduler.schedule_tasks([{"name": f"task {n}", **named} for n in range(10)])).unwrap()
        many = await told(node, viewer)
        node.clock.advance(1)
        await node.add(name="one more", delay=100)
        after = await told(node, viewer)

    assert [event.get("reason") for event in many] == ["TOO_MANY"]
    assert [event["task_name"] for event in after] == ["one more"]


async def test_nobody_watching_costs_nothing_and_many_cost_what_one_costs(node: Any) -> None:
    database, ticker = node.app_context.database, node.scheduler.live._ticker
    node.clock.advance(10)
    costs = []
    for count in (1, 20):
        watching = [node.scheduler.watch() for _ in range(count)]
        await asleep(node, ticker)
        with seen_by(database) as seen:
            await node.scheduler.live.look()
        costs.append(len(seen.statements))
        del watching
        gc.collect()
        node.clock.advance(10)
        while not ticker._loop.done():
            await node.clock.sleep(0)

    with seen_by(database) as seen:
        node.clock.advance(60)
        await node.clock.sleep(0)

    assert costs[0] == costs[1] <= 10
    assert seen.statements == []


async def asleep(node: Any, ticker: Any) -> None:
    """Wait until the ticker has looked and sleeps; then let there be a reason to look again."""
    while not node.clock._sleepers or ticker._looking.locked() or ticker._must_look:
        await SystemClock().sleep(0.002)
    ticker._must_look = True


async def test_everybody_s_events_end_when_the_scheduler_stops(node: Any) -> None:
    node.clock.advance(10)
    viewer = node.scheduler.watch()
    ending = asyncio.create_task(collected(viewer))
    await node.scheduler.live.look()

    await node.scheduler.stop_background_processing()

    assert await ending == []


async def collected(viewer: Any) -> list[Any]:
    return [event async for event in viewer]


@pytest.mark.parametrize("wrong", [{"kinds": ["taks"]}, {"kinds": "log"}, {"kinds": ["task", "log"], "task_id": "x"}])
async def test_a_kind_of_event_that_there_is_not_is_refused(node: Any, wrong: dict[str, Any]) -> None:
    with pytest.raises(ResultError) as refused:
        node.scheduler.watch(**wrong)

    assert refused.value.error.code == "INVALID_KIND"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # elsewhere nothing says that nothing has changed
async def test_a_file_that_nobody_has_written_to_is_not_looked_at(node: Any) -> None:
    async with node.scheduler.watch():
        await asleep(node, node.scheduler.live._ticker)
        await node.scheduler.live.look()
        with seen_by(node.app_context.database) as seen:
            await node.scheduler.live.look()
            unchanged = len(seen.statements)
            await node.add(delay=100)
            await node.scheduler.live.look()

    assert unchanged == 0
    assert len(seen.statements) > unchanged
