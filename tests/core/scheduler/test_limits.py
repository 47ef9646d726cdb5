"""Time limits and cancelling: who is asked to stop keeps its place until it has."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

from modules.core.scheduler import ExecutionContext

MINUTE = 60.0


async def one_row(node: Any, task_id: str) -> dict[str, Any]:
    (row,) = await node.history(task_id)
    return dict(row)


async def test_a_coroutine_beyond_its_time_is_cancelled_and_timed_out(node: Any) -> None:
    node.register("hang", asyncio.Event().wait)
    task_id = await node.add("hang", delay=1, timeout=2)
    node.clock.advance(1)
    await node.scheduler.turn()

    await node.pass_time(2)

    row = await one_row(node, task_id)
    assert (row["state"], row["reason"], row["error"]) == ("timed_out", "TIMEOUT", "timed out after 2 s")
    assert row["success"] is False


async def test_a_timed_out_thread_keeps_its_place_until_it_ends(node: Any) -> None:
    leave, started = threading.Event(), threading.Event()

    def stuck() -> None:
        started.set()
        leave.wait(30)

    node.register("stuck", stuck)
    task_id = await node.add_every(MINUTE, "stuck", timeout=2)
    node.clock.advance(MINUTE)
    await node.scheduler.turn()
    await asyncio.to_thread(started.wait, 10)

    node.clock.advance(3)
    await node.scheduler.turn()
    still = await one_row(node, task_id)
    refused = await node.scheduler.execute_task(task_id)
    leave.set()
    await node.scheduler.run_due()

    assert (still["state"], still["timed_out_at"] is not None) == ("running", True)
    assert refused.error.code == "OVERLAP"
    assert (await one_row(node, task_id))["state"] == "timed_out"


async def test_a_coroutine_that_swallows_cancellation_keeps_its_place_and_is_shown(node: Any) -> None:
    leave = asyncio.Event()

    async def deaf() -> str:
        while True:
            try:
                await leave.wait()
            except asyncio.CancelledError:
                continue
            return "late"

    node.register("deaf", deaf)
    task_id = await node.add("deaf", delay=1, timeout=2)
    node.clock.advance(1)
    await node.scheduler.turn()
    await asyncio.sleep(0)  # noqa: TID251  # lets it begin

    node.clock.advance(3)
    await node.scheduler.turn()
    await node.scheduler.turn()
    still = await one_row(node, task_id)
    leave.set()
    await node.scheduler.run_due()

    assert (still["state"], still["reason"]) == ("running", "TIMEOUT")
    assert (await one_row(node, task_id))["state"] == "timed_out"


async def test_cancelling_a_running_execution_ends_it_cancelled(node: Any) -> None:
    node.register("hang", asyncio.Event().wait)
    task_id = await node.add("hang", delay=1)
    node.clock.advance(1)
    await node.scheduler.turn()
    running = await one_row(node, task_id)

    await node.scheduler.cancel_execution(running["id"])
    await node.scheduler.run_due()

    row = await one_row(node, task_id)
    assert (row["state"], row["reason"], row["success"]) == ("cancelled", "CANCELLED_BY_REQUEST", None)
    assert (await node.task(task_id))["status"] == "cancelled"


async def test_a_thread_sees_that_it_should_stop(node: Any) -> None:
    started = threading.Event()

    def patient(context: ExecutionContext) -> None:
        started.set()
        while True:
            context.raise_if_cancelled()

    node.register("patient", patient)
    task_id = await node.add("patient", delay=1)
    node.clock.advance(1)
    await node.scheduler.turn()
    await asyncio.to_thread(started.wait, 10)

    await node.scheduler.cancel_execution((await one_row(node, task_id))["id"])
    await node.scheduler.run_due()

    assert (await one_row(node, task_id))["state"] == "cancelled"
