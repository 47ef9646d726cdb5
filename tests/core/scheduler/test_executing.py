"""Executing: functions of every shape end in a clean row."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from nodes import Stuck
from sqlalchemy import func, select

from framework import Result
from modules.core.scheduler import ExecutionContext, SchedulerService
from modules.core.scheduler.tables import executions

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


async def test_corrupt_parameters_end_their_execution_and_no_other(node: Any) -> None:
    poison = await node.add(name="poison", delay=1)
    healthy = await node.add(name="healthy", delay=1)
    await node.damage(poison, parameters='{"a": NaN}')

    await node.pass_time(1)

    row = await one_row(node, poison)
    assert (row["state"], row["reason"]) == ("failed", "CORRUPT_PARAMETERS")
    assert await node.states(healthy) == ["succeeded"]


async def test_what_has_no_time_limit_of_its_own_is_cut_off_by_that_of_the_settings(start_node: Any) -> None:
    node, stuck = await start_node(execution_timeout=2), Stuck()
    node.register("work", stuck.run)
    task_id, patient = await node.add("work"), await node.add("work", timeout=60)
    await node.scheduler.turn()
    node.clock.advance(1.9)
    await node.scheduler.turn()
    early = await node.states(task_id)

    node.clock.advance(0.2)
    while (await node.states(task_id)) == ["running"]:
        await node.scheduler.turn()

    row = await one_row(node, task_id)
    assert (early, row["state"], row["error"]) == (["running"], "timed_out", "timed out after 2 s")
    assert await node.states(patient) == ["running"]
    stuck.release.set()


async def test_jitter_moves_the_start_and_never_the_nominal_time(node: Any) -> None:
    first = node.clock.now() + timedelta(hours=1)
    task_id = await node.add_every(3600, jitter="10 minutes")

    await node.pass_time(3600)
    waiting = (await node.history(task_id))[0]
    await node.pass_time(600)

    assert waiting["scheduled_for"] == first
    assert timedelta(0) < waiting["due_at"] - first <= timedelta(minutes=10)
    assert await node.states(task_id) == ["succeeded"]


async def test_a_function_may_write_to_the_same_database_and_schedule_more(node: Any) -> None:
    async def work(context: ExecutionContext) -> str:
        scheduler = context.app_context.get_service(SchedulerService)
        more = {"name": "more", "module_id": "acme.test", "function_name": "note", "schedule_time": "now"}
        await context.app_context.database.write(lambda c: c.exec_driver_sql("CREATE TABLE mine (id integer)"))
        return str((await scheduler.schedule_task(more)).unwrap()["task_id"])

    node.register("work", work)
    task_id = await node.add("work")

    await node.scheduler.run_due()

    (row,) = await node.history(task_id)
    assert row["state"] == "succeeded"
    assert await node.states(row["result"]) == ["succeeded"]


async def test_an_old_snapshot_that_somebody_reads_holds_up_no_execution(node: Any) -> None:
    database, other = node.app_context.database, node.app_context.database.clone()
    config = {"module_id": "acme.test", "function_name": "note", "schedule_time": "now"}
    try:
        async with other.connect() as reader:
            before = (await reader.execute(select(func.count()).select_from(executions))).scalar_one()
            (await node.scheduler.schedule_tasks([{"name": f"task {n}", **config} for n in range(200)])).unwrap()
            await node.scheduler.run_due()
            after = (await reader.execute(select(func.count()).select_from(executions))).scalar_one()
    finally:
        await other.close()

    count = select(func.count()).select_from(executions).where(executions.c.state == "succeeded")
    assert (before, after) == (0, 0)
    assert await database.read(lambda c: c.execute(count).scalar_one()) == 200
