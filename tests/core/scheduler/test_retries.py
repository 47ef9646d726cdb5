"""Retries: durable, growing, spread out, and separate from the run count."""

from __future__ import annotations

import itertools
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from framework import Result
from modules.core.scheduler import DoNotRetry, ExecutionContext, RetryAfter
from modules.core.scheduler.policies import Policies
from modules.core.scheduler.tables import executions

MINUTE = 60.0


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


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # no database has a part in the spreading
async def test_the_retries_of_a_thousand_failures_at_once_are_spread_out(start_node: Any) -> None:
    node = await start_node(max_concurrent_tasks=1_000)

    async def fail() -> None:
        raise RuntimeError("all at once")

    node.register("fail", fail)
    policy = {"max_retries": 1, "retry_delay": 300}  # and the jitter that is the default: a tenth, either way
    config = {"name": "one", "module_id": "acme.test", "function_name": "fail", "delay": 1, **policy}
    (await node.scheduler.schedule_tasks([config] * 1_000)).unwrap()

    await node.pass_time(1)

    waiting = select(executions.c.due_at).where(executions.c.state == "pending")
    due = await node.app_context.database.read(lambda c: c.execute(waiting).scalars().all())
    each_second = Counter(int((moment - node.clock.now()).total_seconds()) for moment in due)
    assert len(due) == 1_000
    assert (min(each_second), max(each_second)) == (270, 329)
    assert max(each_second.values()) <= 50


def test_failures_together_come_back_within_a_fifth_of_the_pause_or_within_twice_the_pause() -> None:
    def apart(**config: Any) -> tuple[float, float]:
        policies = Policies(**config)
        return policies.backoff(0, -1).total_seconds(), policies.backoff(0, 1).total_seconds()

    assert apart() == (9, 11)
    assert apart(retry_delay=300.0) == (270, 330)
    assert apart(retry_jitter=1.0) == (0, 20)


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
