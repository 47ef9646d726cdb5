"""Slots: what does not end keeps its place, and however a function meets its cancellation, its row is closed."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

MINUTE = 60.0
LIMIT = 2.0


class SlowThread:
    """A plain function whose first run ends when it is freed; it remembers how many ran at once."""

    def __init__(self) -> None:
        self.started = threading.Event()
        self.freed = threading.Event()
        self.running = 0
        self.most = 0

    def run(self) -> None:
        """Block its thread the first time."""
        self.running += 1
        self.most = max(self.most, self.running)
        self.started.set()
        self.freed.wait(60)
        self.running -= 1


@pytest.fixture
def slow() -> Iterator[SlowThread]:
    """A function that is stuck until it is freed; in the end it is."""
    slow = SlowThread()
    yield slow
    slow.freed.set()


async def timed_out(node: Any, slow: SlowThread, **config: Any) -> str:
    """Return the id of a task whose time is up and whose thread goes on."""
    node.register("slow", slow.run)
    task_id = str(await node.add("slow", timeout=LIMIT, **config))
    await node.scheduler.turn()
    await asyncio.to_thread(slow.started.wait, 60)
    node.clock.advance(LIMIT + 1)
    return task_id


async def several_turns(node: Any) -> None:
    """Take turns, with what the loop does between them."""
    for _ in range(3):
        await node.scheduler.turn()
        await node.clock.sleep(0)


async def test_the_only_slot_stays_taken_until_a_timed_out_thread_ends(start_node: Any, slow: SlowThread) -> None:
    node = await start_node(max_concurrent_tasks=1)
    task_id = await timed_out(node, slow)
    waiting = await node.add()

    await several_turns(node)
    held = (await node.states(task_id), await node.states(waiting), list(node.runs))
    slow.freed.set()
    await node.scheduler.run_due()

    assert held == (["running"], ["pending"], [])
    assert (await node.states(task_id), await node.states(waiting)) == (["timed_out"], ["succeeded"])


@pytest.mark.parametrize("slots", [1, 5])
async def test_the_retry_of_a_timed_out_thread_waits_until_it_ends(
    start_node: Any, slow: SlowThread, slots: int
) -> None:
    node = await start_node(max_concurrent_tasks=slots)
    task_id = await timed_out(node, slow, max_retries=1, retry_delay=0)

    await several_turns(node)
    held = await node.history(task_id)
    node.clock.advance(10 * MINUTE)
    await several_turns(node)
    slow.freed.set()
    await node.scheduler.run_due()

    first, second = await node.history(task_id)
    assert [(row["state"], row["reason"]) for row in held] == [("running", "TIMEOUT")]
    assert held[0]["timed_out_at"] is not None
    assert (first["state"], second["state"]) == ("timed_out", "succeeded")
    assert second["start_time"] >= first["end_time"] >= first["timed_out_at"] + timedelta(minutes=10)
    assert slow.most == 1


class Cancelled:
    """Functions that are cancelled in every place, and what each leaves behind; `left` tells that it came to an end."""

    def __init__(self) -> None:
        self.started = asyncio.Event()
        self.never = asyncio.Event()
        self.shielded: list[asyncio.Task[Any]] = []
        self.left = False

    async def in_await(self) -> None:
        """Wait, without thinking of cancellation."""
        self.started.set()
        self.left = True
        await self.never.wait()

    async def in_finally(self) -> None:
        """Wait, and clean up with an await."""
        self.started.set()
        try:
            await self.never.wait()
        finally:
            await asyncio.gather(asyncio.to_thread(int), return_exceptions=True)
            self.left = True

    async def under_shield(self) -> None:
        """Wait for work that is not to be cut off."""
        self.shielded.append(asyncio.ensure_future(self.never.wait()))
        self.started.set()
        self.left = True
        await asyncio.shield(self.shielded[0])

    async def swallowing(self) -> str:
        """Take no notice, and return."""
        self.started.set()
        with contextlib.suppress(asyncio.CancelledError):
            await self.never.wait()
        self.left = True
        return "all the same"


@pytest.fixture
async def cancelled() -> Any:
    """The functions; what they shielded is ended after the test."""
    functions = Cancelled()
    yield functions
    functions.never.set()
    await asyncio.gather(*functions.shielded)


async def begun(node: Any, cancelled: Cancelled, where: str, **config: Any) -> tuple[str, str]:
    """Return the ids of a task whose function waits, and of its execution."""
    node.register(where, getattr(cancelled, where))
    task_id = await node.add(where, **config)
    await node.scheduler.turn()
    await cancelled.started.wait()
    (row,) = await node.history(task_id)
    return task_id, row["id"]


async def leaves_a_clean_row(node: Any, task_id: str) -> dict[str, Any]:
    """Return a task's only row, which has ended and holds nothing: the only slot is free for others."""
    (row,) = await node.history(task_id)
    other = await node.add()
    await node.scheduler.run_due()
    assert row["end_time"] is not None
    assert (await node.scheduler.status()).unwrap()["running_everywhere"] == 0
    assert await node.states(other) == ["succeeded"]
    return dict(row)


IN_EVERY_PLACE = ["in_await", "in_finally", "under_shield", "swallowing"]


@pytest.mark.parametrize("where", IN_EVERY_PLACE)
async def test_a_run_that_is_cancelled_in_any_place_ends_in_a_clean_row(
    start_node: Any, cancelled: Cancelled, where: str
) -> None:
    node = await start_node(max_concurrent_tasks=1)
    task_id, execution_id = await begun(node, cancelled, where)

    (await node.scheduler.cancel_execution(execution_id)).unwrap()
    await node.scheduler.run_due()

    row = await leaves_a_clean_row(node, task_id)
    returned = (row["state"], row["reason"], row["success"], row["result"])
    as_cancelled = ("cancelled", "CANCELLED_BY_REQUEST", None, None)
    assert returned == (("succeeded", None, True, "all the same") if where == "swallowing" else as_cancelled)
    assert (await node.task(task_id))["status"] == ("completed" if where == "swallowing" else "cancelled")
    assert cancelled.left


@pytest.mark.parametrize("where", IN_EVERY_PLACE)
async def test_a_run_whose_time_is_up_in_any_place_ends_in_a_clean_row(
    start_node: Any, cancelled: Cancelled, where: str
) -> None:
    node = await start_node(max_concurrent_tasks=1)
    task_id, _ = await begun(node, cancelled, where, timeout=LIMIT)

    await node.pass_time(LIMIT)

    row = await leaves_a_clean_row(node, task_id)
    ending = (row["state"], row["reason"], row["success"], row["result"], row["error"])
    assert ending == ("timed_out", "TIMEOUT", False, None, "timed out after 2 s")
    assert cancelled.left
