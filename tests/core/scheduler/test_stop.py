"""Stopping: drain, cancel, hand back; an interrupted run is available at once and has used up nothing."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from nodes import Stuck, until
from sqlalchemy import select

from framework.clock import SystemClock
from framework.database import Listener
from modules.core.scheduler.tables import CHANNEL, nodes

GRACE = 0.1


@pytest.fixture
def clock() -> SystemClock:
    """The real time."""
    return SystemClock()


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("modules.core.scheduler.runner.CANCEL_SECONDS", GRACE)


async def begun(node: Any, work: Any, **config: Any) -> str:
    """Return the id of a task whose function has begun and does not end."""
    node.register("work", work.run)
    task_id: str = await node.add("work", **config)
    await asyncio.to_thread(work.started.wait, 60) if isinstance(work, StuckThread) else await work.started.wait()
    return task_id


class StuckThread:
    """A plain function that looks at nothing and ends when it is freed."""

    def __init__(self) -> None:
        self.started = threading.Event()
        self.freed = threading.Event()

    def run(self) -> None:
        """Block its thread."""
        self.started.set()
        self.freed.wait(60)


class Deaf(Stuck):
    """A coroutine that swallows every cancellation until it is released."""

    async def run(self) -> str:  # type: ignore[override]  # it takes no context
        """Wait to be released, whatever happens."""
        self.started.set()
        while not self.release.is_set():
            try:
                await self.release.wait()
            except asyncio.CancelledError:
                continue
        self.ended.set()
        return "released"


async def interrupted(node: Any, task_id: str) -> None:
    """Assert that the only run was interrupted and that another waits, with nothing used up."""
    rows = await node.history(task_id)
    assert [(row["state"], row["reason"], row["attempt"]) for row in rows] == [
        ("cancelled", "SHUTDOWN", 1),
        ("pending", None, 2),
    ]
    assert rows[1]["retries_used"] == 0
    assert rows[1]["due_at"] <= node.clock.now()


async def test_a_stop_lets_what_runs_finish_and_claims_nothing_more(start_node: Any) -> None:
    node, stuck = await start_node(enabled=True), Stuck()
    task_id = await begun(node, stuck)

    stopping = asyncio.ensure_future(node.scheduler.stop_background_processing())
    await node.clock.sleep(0)
    async with node.scheduler._runner._turning:
        pass  # a turn that was under way when the stop began may still claim
    late = await node.add()
    stuck.release.set()
    await stopping

    assert await node.states(task_id) == ["succeeded"]
    assert set(await node.states(late)) <= {"pending"}
    assert node.runs == []


async def test_what_does_not_finish_in_time_is_cancelled_and_available_at_once(start_node: Any) -> None:
    node, stuck = await start_node(enabled=True, shutdown_grace=GRACE), Stuck()
    task_id = await begun(node, stuck, max_retries=1)

    await node.scheduler.stop_background_processing()

    assert stuck.ended.is_set()
    await interrupted(node, task_id)


@pytest.mark.parametrize("work", [Deaf, StuckThread])
async def test_what_cannot_be_stopped_is_handed_back(start_node: Any, work: type[Any]) -> None:
    node, stubborn = await start_node(enabled=True, shutdown_grace=GRACE), work()
    task_id = await begun(node, stubborn)

    await node.scheduler.stop_background_processing()

    await interrupted(node, task_id)
    if isinstance(stubborn, Deaf):
        stubborn.release.set()
        await stubborn.ended.wait()
    else:
        stubborn.freed.set()
    await interrupted(node, task_id)


async def test_an_interrupted_run_that_may_run_only_once_does_not_run_again(start_node: Any) -> None:
    node, stuck = await start_node(enabled=True, shutdown_grace=GRACE), Stuck()
    task_id = await begun(node, stuck, delivery="at_most_once")

    await node.scheduler.stop_background_processing()

    assert await node.states(task_id) == ["cancelled"]
    assert (await node.task(task_id))["status"] == "cancelled"


async def test_a_peer_takes_over_what_was_interrupted(start_node: Any) -> None:
    node, peer, stuck = await start_node(enabled=True, shutdown_grace=GRACE), await start_node(), Stuck()
    peer.register("work", lambda: "done by the peer")
    task_id = await begun(node, stuck)

    await node.scheduler.stop_background_processing()
    await peer.scheduler.run_due()

    assert await peer.states(task_id) == ["cancelled", "succeeded"]


@pytest.mark.postgres
@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)  # on SQLite, others look at the file
@pytest.mark.parametrize("work", [Stuck, Deaf])
async def test_a_stop_that_hands_work_back_is_heard_by_the_others_at_once(start_node: Any, work: type[Any]) -> None:
    node, stubborn = await start_node(enabled=True, shutdown_grace=GRACE), work()
    heard: list[str] = []
    task_id = await begun(node, stubborn)
    listener = Listener(node.app_context.database, CHANNEL, heard.append, clock=node.clock)
    listening = asyncio.ensure_future(listener.run())

    async def is_live() -> bool:
        return listener.is_live

    async def has_heard() -> bool:
        return bool(heard)

    await until(is_live)
    heard.clear()
    await node.scheduler.stop_background_processing()
    await until(has_heard)
    await listener.close()
    await asyncio.gather(listening, return_exceptions=True)

    await interrupted(node, task_id)


async def test_a_stop_leaves_no_node_no_thread_and_no_loop_behind(start_node: Any) -> None:
    node = await start_node(enabled=True)
    await begun(node, released := Stuck())
    released.release.set()

    await node.scheduler.stop_background_processing()

    assert await node.app_context.database.read(lambda c: c.execute(select(nodes)).all()) == []
    assert not [thread for thread in threading.enumerate() if thread.name == "scheduler-heartbeat"]
    assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("scheduler")]


async def test_a_second_start_works(start_node: Any) -> None:
    node, stuck = await start_node(enabled=True, shutdown_grace=GRACE), Stuck()
    task_id = await begun(node, stuck)
    await node.scheduler.stop_background_processing()
    stuck.started.clear()

    await node.scheduler.start_background_processing()
    await stuck.started.wait()
    stuck.release.set()
    await node.scheduler.stop_background_processing()

    assert await node.states(task_id) == ["cancelled", "succeeded"]


async def test_a_stop_that_was_cut_short_does_not_wait_anew(start_node: Any) -> None:
    node, stuck = await start_node(enabled=True, shutdown_grace="1 hour"), Stuck()
    task_id = await begun(node, stuck)
    first = asyncio.ensure_future(node.scheduler.stop_background_processing())
    await node.clock.sleep(0)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)

    await node.scheduler.stop_background_processing()

    await interrupted(node, task_id)


async def test_a_stop_while_the_database_is_gone_ends_all_the_same(
    start_node: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    node, peer, stuck = await start_node(enabled=True, shutdown_grace=GRACE, lease=1.2), await start_node(), Stuck()
    task_id = await begun(node, stuck)

    async def refuse(work: Any) -> Any:
        raise OSError("the database is gone")

    monkeypatch.setattr(node.app_context.database, "write", refuse)
    await node.scheduler.stop_background_processing()

    assert await peer.states(task_id) == ["running"]
    await peer.clock.sleep(1.3)
    peer.register("work", lambda: "done by the peer")
    await peer.scheduler.run_due()
    assert await peer.states(task_id) == ["lost", "succeeded"]
