"""Watching: what happens on any node comes as events, once for each that watches, and at no cost where nobody does."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest
from logged import told

from framework.result import ResultError
from modules.core.scheduler import ExecutionContext

log = logging.getLogger("acme.work")


def brief(events: list[Any]) -> list[tuple[str, str]]:
    return [(event["kind"].value, event.get("what", "")) for event in events]


async def test_what_happens_to_a_task_and_its_execution_is_told_on_another_node(start_node: Any) -> None:
    here, there = await start_node(), await start_node()
    here.clock.advance(10)
    async with there.scheduler.watch(kinds=["task", "execution"]) as viewer:
        task_id = await here.add(delay=5)
        created = await told(there, viewer)
        await here.pass_time(5)
        ran = await told(there, viewer)
        (await here.scheduler.pause_task(await here.add_every(60, name="often"))).unwrap()
        paused = await told(there, viewer)

    assert [(event["what"], event["task_id"], event["status"]) for event in created] == [
        ("created", task_id, "pending")
    ]
    *_, ended = [event for event in ran if event["kind"] == "execution"]
    assert (ended["what"], ended["task_id"], ended["success"]) == ("succeeded", task_id, True)
    assert (ended["task_name"], ended["task_status"], ended["attempt"]) == ("note", "completed", 1)
    assert [(event["task_name"], event["status"]) for event in paused] == [("often", "paused")]


async def test_an_execution_is_told_as_it_waits_runs_tells_its_progress_is_asked_to_stop_and_ends(node: Any) -> None:
    started, at_work = asyncio.Event(), asyncio.Event()

    async def work(context: ExecutionContext) -> None:
        started.set()
        await at_work.wait()
        context.progress(3, 10, "third")
        started.set()
        await asyncio.Event().wait()

    node.register("work", work)
    node.clock.advance(10)
    seen = []
    async with node.scheduler.watch(kinds=["execution", "progress"]) as viewer:
        await node.add("work")
        seen += await told(node, viewer)
        await node.scheduler.turn()
        await started.wait()
        started.clear()
        seen += await told(node, viewer)
        at_work.set()
        await started.wait()
        node.clock.advance(1)
        await node.scheduler.turn()
        seen += await told(node, viewer)
        (await node.scheduler.cancel_execution(seen[0]["execution_id"])).unwrap()
        seen += await told(node, viewer)
        await node.scheduler.run_due()
        seen += await told(node, viewer)

    assert brief(seen) == [
        ("execution", "pending"),
        ("execution", "running"),
        ("progress", ""),
        ("execution", "stopping"),
        ("execution", "cancelled"),
    ]
    assert seen[2]["progress"] == {"fraction": 0.3, "done": 3, "total": 10, "message": "third"}
    assert len({event["execution_id"] for event in seen}) == 1


async def test_nothing_is_told_twice_and_what_is_told_is_in_order(node: Any) -> None:
    node.clock.advance(10)
    async with node.scheduler.watch() as viewer:
        for _ in range(5):
            await node.add()
            await node.scheduler.run_due()
            node.clock.advance(1)
            await node.scheduler.live.look()
        events = await told(node, viewer)

    ended = [event["execution_id"] for event in events if event.get("what") == "succeeded"]
    ids = [tuple(map(int, event["id"].split("-"))) for event in events]
    assert len(ended) == len(set(ended)) == 5
    assert ids == sorted(set(ids))


async def test_a_commit_that_comes_later_than_its_moment_is_told_all_the_same(node: Any) -> None:
    task_id = await node.add_every(60)
    await node.pass_time(60)
    (execution,) = await node.history(task_id)
    await node.damage_execution(execution["id"], state="running", end_time=None)
    node.clock.advance(10)
    async with node.scheduler.watch(kinds=["execution"]) as viewer:
        before = node.clock.now()
        await node.scheduler.live.look()
        node.clock.advance(2)
        await node.damage_execution(execution["id"], state="succeeded", end_time=before)

        events = await told(node, viewer)

    assert [event["what"] for event in events] == ["succeeded"]


async def test_cleanups_nodes_and_what_is_held_back_are_told(start_node: Any) -> None:
    node = await start_node()
    await node.scheduler.run_due()
    node.clock.advance(10)
    async with node.scheduler.watch(kinds=["cleanup", "node", "pause"]) as viewer:
        await node.scheduler.live.look()
        other = await start_node()
        await other.scheduler.run_due()
        (await node.scheduler.pause_queue("reports", "too slow")).unwrap()
        first = await told(node, viewer)
        (await node.scheduler.resume_queue("reports")).unwrap()
        await other.scheduler.stop_background_processing()
        second = await told(node, viewer)
        node.clock.advance(10)
        (await node.scheduler.run_cleanup("history")).unwrap()
        third = await told(node, viewer)

    assert brief(first) == [("node", "joined"), ("pause", "paused")]
    assert (first[1]["scope"], first[1]["reason"]) == ("queue:reports", "too slow")
    assert brief(second) == [("node", "left"), ("pause", "resumed")]
    assert [(event["cleanup_type"], event["success"]) for event in third] == [("history", True)]


async def test_the_log_of_one_execution_comes_line_by_line_to_each_from_where_it_wants(
    node: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="acme")

    async def work() -> None:
        for number in range(1, 4):
            log.info("line %d", number)

    node.register("work", work)
    task_id = await node.add("work")
    await node.scheduler.run_due()
    (execution,) = await node.history(task_id)
    from_one = node.scheduler.watch(execution_id=execution["id"], kinds=["log"])
    from_three = node.scheduler.watch(execution_id=execution["id"], kinds=["log"], lines_after=2)

    first, second = await told(node, from_one), await told(node, from_three)

    assert [event["message"] for event in first] == ["line 1", "line 2", "line 3"]
    assert [event["message"] for event in second] == ["line 3"]
    from_one.close()
    from_three.close()


async def test_following_a_log_ends_with_its_execution(node: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="acme")
    go_on, told_all = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        log.info("begun")
        told_all.set()
        await go_on.wait()
        log.info("done")

    node.register("work", work)
    task_id = await node.add("work")
    await node.scheduler.turn()
    await told_all.wait()
    (execution,) = await node.history(task_id)
    seen: list[str] = []

    async def follow() -> None:
        async for line in node.scheduler.follow_logs(execution["id"]):
            seen.append(line["message"])
            go_on.set()

    following = asyncio.create_task(follow())
    node.clock.advance(1)
    await node.scheduler.turn()
    while not go_on.is_set():
        await node.scheduler.live.look()
    await node.scheduler.run_due()
    while not following.done():
        await node.scheduler.live.look()

    assert seen == ["begun", "done"]
    with pytest.raises(ResultError):
        await anext(aiter(node.scheduler.follow_logs("nobody")))
