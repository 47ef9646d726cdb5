"""Exactly once: nodes that die beside a commit, and completions that are refused."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from nodes import freeze, kill
from paying import Payment, halted, until_true
from sessions import Mine, leave

from framework.result import Result
from modules.core.scheduler import ExecutionCancelled, ExecutionContext, ExecutionLost

Nodes = Any
LEASE = 60


async def test_a_node_that_dies_after_the_commit_leaves_nothing_to_do_again(
    node: Nodes, mine: Mine, start_node: Nodes
) -> None:
    payment = Payment(mine)
    payment.halt_after_commit = True
    node.register("pay", payment.run)
    task_id = await node.add("pay")
    await halted(node, payment)

    kill(node)
    other = await start_node()
    other.register("pay", Payment(mine).run)
    await other.pass_time(LEASE + 1)

    assert await other.states(task_id) == ["succeeded"]
    assert await mine.effects() == ["paid in attempt 1"]


async def test_a_node_that_was_taken_for_dead_cannot_complete_and_its_effect_is_undone(
    node: Nodes, mine: Mine, start_node: Nodes
) -> None:
    payment = Payment(mine)
    payment.halt_first = True
    node.register("pay", payment.run)
    task_id = await node.add("pay")
    await halted(node, payment)

    freeze(node)
    other = await start_node()
    other.register("pay", Payment(mine).run)
    await other.pass_time(LEASE + 1)
    payment.go_on.set()
    await payment.ended.wait()

    assert [type(error) for error in payment.raised] == [ExecutionLost]
    assert await other.states(task_id) == ["lost", "succeeded"]
    assert await mine.effects() == ["paid in attempt 2"]


@pytest.mark.postgres
@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)  # on SQLite nobody else writes meanwhile
async def test_recovery_waits_for_an_ending_that_is_about_to_be_committed(
    node: Nodes, mine: Mine, start_node: Nodes
) -> None:
    other, recovering = await start_node(), []

    async def pay(context: ExecutionContext) -> None:
        async with mine.begin("AsyncSession") as session:
            await leave(session, "paid")
            await context.complete_in(session)
            freeze(node)
            node.clock.advance(LEASE + 1)
            recovering.append(asyncio.create_task(other.scheduler.run_due()))
            await mine.see_one_wait()

    for each in (node, other):
        each.register("pay", pay)
    task_id = await node.add("pay")
    await node.scheduler.turn()
    await until_true(lambda: recovering)
    await recovering[0]

    assert await other.states(task_id) == ["succeeded"]
    assert await mine.effects() == ["paid"]


async def test_what_runs_out_of_time_cannot_complete_any_more(node: Nodes, mine: Mine) -> None:
    raised: list[BaseException] = []
    begun = asyncio.Event()

    async def pay(context: ExecutionContext) -> None:
        async with mine.begin("AsyncSession") as session:
            await leave(session, "paid")
            begun.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                with pytest.raises(ExecutionCancelled) as caught:
                    await context.complete_in(session)
                raised.append(caught.value)
                raise

    node.register("pay", pay)
    task_id = await node.add("pay", timeout=1)
    await node.scheduler.turn()
    await begun.wait()
    await node.pass_time(2)

    assert await node.states(task_id) == ["timed_out"]
    assert await mine.effects() == []
    assert len(raised) == 1


async def test_under_a_lease_that_has_run_out_unnoticed_it_is_undone_and_runs_again_at_no_cost(
    node: Nodes, mine: Mine
) -> None:
    payment = Payment(mine)
    payment.halt_first = True
    node.register("pay", payment.run)
    task_id = await node.add("pay")
    await halted(node, payment)

    freeze(node)
    node.clock.advance(LEASE + 1)  # as after a machine has slept: the heartbeat has not woken up yet
    payment.go_on.set()
    await payment.ended.wait()
    await node.scheduler.run_due()

    assert [type(error) for error in payment.raised] == [ExecutionLost]
    assert await node.states(task_id) == ["cancelled", "succeeded"]
    assert await node.reasons(task_id) == ["NODE_LOST", None]
    assert await mine.effects() == ["paid in attempt 2"]


async def test_an_execution_completes_once(node: Nodes, mine: Mine) -> None:
    async def pay(context: ExecutionContext) -> None:
        async with mine.begin("AsyncSession") as session:
            await context.complete_in(session, 1)
            with pytest.raises(RuntimeError, match="completed already"):
                await context.complete_in(session, 2)

    node.register("pay", pay)
    task_id = await node.add("pay")
    await node.scheduler.run_due()

    assert [row["result"] for row in await node.history(task_id)] == [1]


async def test_a_failure_is_not_completed(node: Nodes, mine: Mine) -> None:
    async def pay(context: ExecutionContext) -> Result[None]:
        refused: Result[None] = Result.error("NO_MONEY", "the account is empty")
        async with mine.begin("AsyncSession") as session:
            with pytest.raises(ValueError, match="return or raise a failure"):
                await context.complete_in(session, refused)
        return refused

    node.register("pay", pay)
    task_id = await node.add("pay")
    await node.scheduler.run_due()

    assert await node.states(task_id) == ["failed"]


async def test_another_database_does_not_know_the_execution(node: Nodes, mine: Mine, tmp_path: Any) -> None:
    other = Mine(f"sqlite+aiosqlite:///{tmp_path / 'other.db'}")

    async def pay(context: ExecutionContext) -> None:
        async with other.begin("AsyncSession") as session:
            await context.complete_in(session)

    node.register("pay", pay)
    task_id = await node.add("pay")
    await node.scheduler.run_due()

    (row,) = await node.history(task_id)
    assert (row["state"], "another database" in row["error"]) == ("failed", True)


def test_away_from_its_node_an_execution_cannot_complete() -> None:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    ids: dict[str, Any] = dict.fromkeys(("execution_id", "task_id", "task_name", "module_id", "function_name"), "x")
    context = ExecutionContext(
        **ids,
        attempt=1,
        retries_used=0,
        scheduled_for=moment,
        started_at=moment,
        origin="schedule",
        app_context=None,  # type: ignore[arg-type]  # not there, as in another process
        session_id="s",
    )

    with pytest.raises(RuntimeError, match="in the process of the node"):
        context.complete_in(None)  # type: ignore[call-overload]  # never looked at
