"""Executing: functions of every shape end in a clean row; time limits, retries and cancelling work."""

from __future__ import annotations

import asyncio
import itertools
import threading
from datetime import timedelta
from typing import Any

import pytest

from framework import Result
from modules.core.scheduler import DoNotRetry, ExecutionContext, RetryAfter

MINUTE = 60.0


async def one_row(node: Any, task_id: str) -> dict[str, Any]:
    (row,) = await node.history(task_id)
    return dict(row)


async def test_a_finished_row_tells_when_where_and_how_long(node: Any) -> None:
    task_id = await node.add(delay=1)

    await node.pass_time(1)

    row = await one_row(node, task_id)
    told = ("scheduled_for", "start_time", "end_time", "duration", "attempt", "node_id", "trace_session_id")
    assert all(row[name] is not None for name in told)
    assert (row["success"], row["result"]) == (True, {"run": 1})
    assert row["trace_session_id"] == node.app_context.session_id


async def test_a_function_is_told_about_its_execution(node: Any) -> None:
    seen: list[ExecutionContext] = []

    async def look(context: ExecutionContext, *, size: int = 3) -> int:
        seen.append(context)
        context.progress(1, 2, "half")
        return size

    node.register("look", look)
    task_id = await node.add("look", delay=1, parameters={"size": 4})

    await node.pass_time(1)

    row = await one_row(node, task_id)
    assert (seen[0].execution_id, seen[0].attempt, seen[0].task_id) == (row["id"], 1, task_id)
    assert seen[0].app_context is node.app_context
    assert (row["result"], row["progress"]["fraction"]) == (4, 0.5)


async def test_a_refusal_and_an_exception_are_both_failures(node: Any) -> None:
    async def refuse() -> Result[None]:
        return Result.error("NO_DISK", "the disk is full")

    def raise_it() -> None:
        raise ValueError("no such thing")

    node.register("refuse", refuse)
    node.register("raise_it", raise_it)
    refused = await node.add("refuse", delay=1)
    raised = await node.add("raise_it", delay=1)

    await node.pass_time(1)

    assert (await one_row(node, refused))["error"] == "NO_DISK: the disk is full"
    row = await one_row(node, raised)
    assert row["error"] == "ValueError: no such thing"
    assert "raise_it" in row["traceback"]
    assert (await node.task(raised))["status"] == "failed"


@pytest.mark.parametrize("value", [{1, 2}, object(), float("nan"), "\u0000", "\ud800", "x" * 2_000_000])
async def test_the_outcome_is_stored_even_if_the_value_cannot_be(node: Any, value: object) -> None:
    async def odd() -> object:
        return value

    node.register("odd", odd)
    task_id = await node.add("odd", delay=1)

    await node.pass_time(1)

    assert (await one_row(node, task_id))["state"] == "succeeded"


async def test_a_long_error_is_stored_bounded(node: Any) -> None:
    async def shout() -> None:
        raise RuntimeError("no\x00" * 400_000)

    node.register("shout", shout)
    task_id = await node.add("shout", delay=1)

    await node.pass_time(1)

    assert len((await one_row(node, task_id))["error"]) <= 2_000


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


async def test_five_retries_at_growing_delays_are_separate_from_the_run_count(node: Any) -> None:
    async def fail() -> None:
        raise RuntimeError("again")

    node.register("fail", fail)
    policy = {"max_retries": 4, "retry_delay": 10, "retry_backoff": 2, "retry_jitter": 0, "retry_max_delay": 60}
    task_id = await node.add("fail", delay=1, **policy)

    for seconds in (1, 10, 20, 40, 60, 1000):
        await node.pass_time(seconds)

    rows = await node.history(task_id)
    waits = [later["due_at"] - earlier["end_time"] for earlier, later in itertools.pairwise(rows)]
    assert [row["attempt"] for row in rows] == [1, 2, 3, 4, 5]
    assert waits == [timedelta(seconds=seconds) for seconds in (10, 20, 40, 60)]
    task = await node.task(task_id)
    assert (task["execution_count"], task["status"], rows[-1]["retries_used"]) == (1, "failed", 4)


async def test_the_same_occurrence_has_the_same_idempotency_key_on_every_attempt(node: Any) -> None:
    keys: list[str] = []

    async def fail(context: ExecutionContext) -> None:
        keys.append(context.idempotency_key)
        raise RuntimeError

    node.register("fail", fail)
    await node.add("fail", delay=1, max_retries=1, retry_jitter=0)

    await node.pass_time(1)
    await node.pass_time(10)

    assert len(keys) == 2
    assert keys[0] == keys[1]


@pytest.mark.parametrize("refusal", [DoNotRetry("never"), Result.error("NEVER", "never", {"retry": False})])
async def test_a_function_can_say_do_not_retry(node: Any, refusal: Any) -> None:
    async def final() -> Any:
        if isinstance(refusal, Exception):
            raise refusal
        return refusal

    node.register("final", final)
    task_id = await node.add("final", delay=1, max_retries=5)

    await node.pass_time(1)
    await node.pass_time(1000)

    assert await node.states(task_id) == ["failed"]


async def test_a_function_can_say_when_to_try_again(node: Any) -> None:
    async def later() -> None:
        raise RetryAfter("5m", "busy")

    node.register("later", later)
    task_id = await node.add("later", delay=1, max_retries=1)

    await node.pass_time(1)
    waiting = (await node.history(task_id))[-1]

    assert waiting["due_at"] - node.clock.now() == timedelta(minutes=5)


async def test_a_thousand_failures_at_once_do_not_come_back_at_once(node: Any) -> None:
    async def fail() -> None:
        raise RuntimeError

    node.register("fail", fail)
    shared = {"module_id": "acme.test", "function_name": "fail", "delay": 1, "max_retries": 1, "retry_delay": 600}
    configs = [{"name": f"f{number}", "retry_jitter": 0.1, **shared} for number in range(200)]
    (await node.scheduler.schedule_tasks(configs)).unwrap()

    await node.pass_time(1)

    due = [row["due_at"].replace(microsecond=0) for row in await node.history() if row["state"] == "pending"]
    assert len(due) == 200
    assert max(due.count(second) for second in due) <= 10


async def test_a_failed_run_does_not_end_a_recurring_task(node: Any) -> None:
    async def fail() -> None:
        raise RuntimeError("no")

    node.register("fail", fail)
    task_id = await node.add_every(MINUTE, "fail")

    for _ in range(10):
        await node.pass_time(MINUTE)

    task = await node.task(task_id)
    assert (task["status"], task["last_error"]) == ("pending", "RuntimeError: no")
    assert task["next_execution"] == node.clock.now() + timedelta(minutes=1)


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


async def test_corrupt_parameters_end_their_execution_and_no_other(node: Any) -> None:
    poison = await node.add(name="poison", delay=1)
    healthy = await node.add(name="healthy", delay=1)
    await node.damage(poison, parameters='{"a": NaN}')

    await node.pass_time(1)

    row = await one_row(node, poison)
    assert (row["state"], row["reason"]) == ("failed", "CORRUPT_PARAMETERS")
    assert await node.states(healthy) == ["succeeded"]


async def test_jitter_moves_the_start_and_never_the_nominal_time(node: Any) -> None:
    first = node.clock.now() + timedelta(hours=1)
    task_id = await node.add_every(3600, jitter="10 minutes")

    await node.pass_time(3600)
    waiting = (await node.history(task_id))[0]
    await node.pass_time(600)

    assert waiting["scheduled_for"] == first
    assert timedelta(0) <= waiting["due_at"] - first <= timedelta(minutes=10)
    assert await node.states(task_id) == ["succeeded"]
