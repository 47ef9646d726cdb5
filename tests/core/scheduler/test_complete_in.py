"""An effect and its ending in one commit: both or neither, and the rest of the function changes nothing."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import Any

import pytest
from paying import Payment, halted, until_true
from sessions import ASYNC_KINDS, SYNC_KINDS, Mine, effect, leave

from modules.core.scheduler import ExecutionContext

Nodes = Any


@pytest.mark.parametrize("kind", ASYNC_KINDS)
async def test_an_effect_and_its_ending_are_committed_together(node: Nodes, mine: Mine, kind: str) -> None:
    payment = Payment(mine, kind)
    payment.halt_after_commit = True
    node.register("pay", payment.run)
    task_id = await node.add("pay")

    await halted(node, payment)

    assert await mine.effects() == ["paid in attempt 1"]
    (row,) = await node.history(task_id)
    assert (row["state"], row["success"], row["result"]) == ("succeeded", True, {"paid": 1})
    assert (await node.task(task_id))["status"] == "completed"
    payment.go_on.set()
    await node.scheduler.run_due()
    assert await node.history(task_id) == [row]


@pytest.mark.parametrize("kind", SYNC_KINDS)
async def test_a_plain_function_completes_in_a_thread_with_an_engine_of_its_own(
    node: Nodes, mine: Mine, kind: str
) -> None:
    engine = mine.sync_engine()

    def pay(context: ExecutionContext) -> str:
        with mine.begin_plainly(engine, kind) as session:
            session.execute(effect("paid"))
            context.complete_in(session, "in the transaction")
        return "later"

    node.register("pay", pay)
    task_id = await node.add("pay")
    await node.scheduler.run_due()

    assert await mine.effects() == ["paid"]
    assert [(row["state"], row["result"]) for row in await node.history(task_id)] == [
        ("succeeded", "in the transaction")
    ]


async def test_after_a_rollback_the_execution_ends_as_ever(node: Nodes, mine: Mine) -> None:
    async def pay(context: ExecutionContext) -> str:
        async with mine.engine.connect() as connection:
            await leave(connection, "paid")
            await context.complete_in(connection)
            await connection.rollback()
        return "not paid"

    node.register("pay", pay)
    task_id = await node.add("pay")
    await node.scheduler.run_due()

    assert await mine.effects() == []
    assert [(row["state"], row["result"]) for row in await node.history(task_id)] == [("succeeded", "not paid")]


@pytest.mark.parametrize("kind", ASYNC_KINDS)
async def test_after_a_rollback_its_progress_is_shown_again(node: Nodes, mine: Mine, kind: str) -> None:
    undone, go_on = asyncio.Event(), asyncio.Event()

    async def pay(context: ExecutionContext) -> str:
        with contextlib.suppress(ConnectionError):
            async with mine.begin(kind) as session:
                await context.complete_in(session)
                raise ConnectionError("before the commit")
        context.progress(0.5, message="trying something else")
        undone.set()
        await go_on.wait()
        return "not paid"

    node.register("pay", pay)
    task_id = await node.add("pay")
    await node.scheduler.turn()
    await undone.wait()
    node.clock.advance(1)
    await node.scheduler.turn()
    (meanwhile,) = await node.history(task_id)
    go_on.set()
    await node.scheduler.run_due()

    assert (meanwhile["progress"] or {}).get("message") == "trying something else"
    assert [(row["state"], row["result"]) for row in await node.history(task_id)] == [("succeeded", "not paid")]


@pytest.mark.postgres
@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)  # on SQLite nobody else writes meanwhile
async def test_no_turn_waits_to_note_the_progress_of_what_is_about_to_be_committed(node: Nodes, mine: Mine) -> None:
    completed, go_on = asyncio.Event(), asyncio.Event()

    async def pay(context: ExecutionContext) -> None:
        async with mine.begin("AsyncSession") as session:
            await context.complete_in(session)
            context.progress(0.9)
            completed.set()
            await go_on.wait()

    node.register("pay", pay)
    task_id = await node.add("pay")
    await node.scheduler.turn()
    await completed.wait()
    node.clock.advance(1)
    await node.scheduler.turn()  # raises where it waits for the lock for too long
    go_on.set()
    await node.scheduler.run_due()

    assert await node.states(task_id) == ["succeeded"]


async def test_after_a_rollback_it_can_fail_and_be_tried_again(node: Nodes, mine: Mine) -> None:
    async def pay(context: ExecutionContext) -> None:
        async with mine.begin("AsyncSession") as session:
            await leave(session, f"paid in attempt {context.attempt}")
            await context.complete_in(session)
            if context.attempt == 1:
                raise ConnectionError("before the commit")

    node.register("pay", pay)
    task_id = await node.add("pay", max_retries=3, retry_delay=5, retry_jitter=0)
    await node.scheduler.run_due()
    await node.pass_time(6)

    assert await node.states(task_id) == ["failed", "succeeded"]
    assert await mine.effects() == ["paid in attempt 2"]


async def test_what_fails_after_its_commit_stays_succeeded_and_says_so(
    node: Nodes, mine: Mine, caplog: pytest.LogCaptureFixture
) -> None:
    async def pay(context: ExecutionContext) -> None:
        async with mine.begin("AsyncSession") as session:
            await leave(session, "paid")
            await context.complete_in(session)
        raise LookupError("on the way out")

    node.register("pay", pay)
    heard: list[str | None] = []
    node.scheduler.add_listener(lambda event: heard.append(event.state), events={"execution_ended"})
    task_id = await node.add("pay", max_retries=3)
    with caplog.at_level(logging.INFO, "modules.core.scheduler.executions"):
        await node.scheduler.run_due()
        await node.pass_time(3600)

    assert await node.states(task_id) == ["succeeded"]
    assert await mine.effects() == ["paid"]
    assert [record.getMessage() for record in caplog.records] == [
        "pay had completed, and stays succeeded; afterwards it failed: LookupError: on the way out"
    ]
    await until_true(lambda: heard)
    assert heard == ["succeeded"]


async def test_completing_makes_room_for_the_next_in_line(node: Nodes, mine: Mine) -> None:
    payment = Payment(mine)
    node.register("pay", payment.run)
    every = await node.add_every(10, "pay", overlap="queue")

    await node.pass_time(10)
    await node.pass_time(10)

    assert set(await node.states(every)) == {"succeeded"}
    assert len(await mine.effects()) == len(await node.states(every)) >= 2
    assert (await node.task(every))["status"] == "pending"
