"""One turn: what it must hold together when functions, rows or the database misbehave."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from nodes import Stuck
from sqlalchemy.exc import OperationalError

from framework.database import Database
from modules.core.scheduler import ExecutionContext
from modules.core.scheduler.firing import fire_due

LEASE = 60.0


LOST_ANSWER = OperationalError("COMMIT", None, OSError("the connection was lost"))


@pytest.fixture
def lose_answers(monkeypatch: pytest.MonkeyPatch) -> Callable[[Database, int], None]:
    """`lose_answers(database, n)`: the next n transactions are committed, but who asked for them sees an error."""

    def lose(database: Database, count: int) -> None:
        write, left = database.write, [None] * count

        async def write_and_lose(work: Any) -> Any:
            answer = await write(work)
            if left:
                left.pop()
                raise LOST_ANSWER
            return answer

        monkeypatch.setattr(database, "write", write_and_lose)

    return lose


async def test_a_claim_whose_commit_was_never_acknowledged_does_not_stay_open(node: Any, lose_answers: Any) -> None:
    task_id = await node.add()
    await node.scheduler.run_due()
    other = await node.add()
    lose_answers(node.app_context.database, 1)

    with pytest.raises(OperationalError):
        await node.scheduler.turn()
    assert await node.states(other) == ["running"]
    await node.pass_time(LEASE / 4)

    assert await node.states(other) == ["lost", "succeeded"]
    assert await node.states(task_id) == ["succeeded"]


async def test_an_ending_whose_commit_was_never_acknowledged_counts_once(node: Any, lose_answers: Any) -> None:
    stuck = Stuck()
    node.register("work", stuck.run)
    task_id = await node.add("work")
    await node.scheduler.turn()
    stuck.release.set()
    await stuck.ended.wait()
    await node.clock.sleep(0)
    lose_answers(node.app_context.database, 1)

    with pytest.raises(OperationalError):
        await node.scheduler.turn()
    await node.scheduler.run_due()

    assert await node.states(task_id) == ["succeeded"]


async def test_endings_are_kept_while_the_database_refuses_them(node: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    stuck, database = Stuck(), node.app_context.database
    node.register("work", stuck.run)
    task_id = await node.add("work")
    await node.scheduler.turn()
    stuck.release.set()
    await stuck.ended.wait()
    await node.clock.sleep(0)

    async def refuse(work: Any) -> Any:
        raise LOST_ANSWER

    with monkeypatch.context() as patched:
        patched.setattr(database, "write", refuse)
        for _ in range(3):
            with pytest.raises(OperationalError):
                await node.scheduler.turn()
    await node.scheduler.run_due()

    assert await node.states(task_id) == ["succeeded"]


async def test_what_is_told_about_a_run_is_told_again_when_it_could_not_be_written(
    node: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck = Stuck()

    async def telling(context: ExecutionContext) -> None:
        context.progress(3, 10)
        await stuck.run(context)

    node.register("telling", telling)
    task_id = await node.add("telling")
    await node.scheduler.turn()
    await stuck.started.wait()
    node.clock.advance(1)

    async def refuse(work: Any) -> Any:
        raise LOST_ANSWER

    with monkeypatch.context() as patched:
        patched.setattr(node.app_context.database, "write", refuse)
        with pytest.raises(OperationalError):
            await node.scheduler.turn()
    await node.scheduler.turn()

    (row,) = await node.history(task_id)
    assert row["progress"]["fraction"] == 0.3


async def test_a_coroutine_that_is_asked_to_stop_may_clean_up_in_peace(node: Any) -> None:
    started, cleaning, cleaned = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def careful() -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            cleaning.set()
            await node.clock.sleep(60)
            cleaned.set()

    node.register("careful", careful)
    task_id = await node.add("careful")
    await node.scheduler.turn()
    await started.wait()
    (row,) = await node.history(task_id)

    (await node.scheduler.cancel_execution(row["id"])).unwrap()
    for _ in range(3):
        await node.scheduler.turn()
    await cleaning.wait()
    await node.scheduler.turn()
    node.clock.advance(60)
    await node.scheduler.run_due()

    assert cleaned.is_set()
    assert await node.reasons(task_id) == ["CANCELLED_BY_REQUEST"]


@pytest.mark.parametrize("done", [Decimal("0.5"), Decimal(5)], ids=str)
async def test_progress_in_numbers_that_json_does_not_know_stops_nothing(node: Any, done: Decimal) -> None:
    def counting(context: ExecutionContext) -> None:
        context.progress(done, Decimal(10))  # type: ignore[arg-type]  # what a caller without types may do

    node.register("counting", counting)
    task_id = await node.add("counting")

    await node.scheduler.run_due()

    (row,) = await node.history(task_id)
    assert (row["state"], row["progress"]["total"]) == ("succeeded", 10.0)


async def test_a_definition_that_is_damaged_while_its_run_is_under_way_stops_nothing(node: Any) -> None:
    stuck = Stuck()

    async def failing(context: ExecutionContext) -> None:
        await stuck.run(context)
        raise LookupError("no")

    node.register("failing", failing)
    task_id = await node.add("failing", max_retries=3)
    await node.scheduler.turn()
    await stuck.started.wait()

    await node.damage(task_id, policies="{not json")
    stuck.release.set()
    await node.scheduler.run_due()
    other = await node.add()
    await node.scheduler.run_due()

    assert await node.states(task_id) == ["failed"]
    assert await node.states(other) == ["succeeded"]


async def test_a_definition_that_is_damaged_while_its_run_waits_stops_nothing(start_node: Any) -> None:
    node, stuck = await start_node(max_concurrent_tasks=1), Stuck()
    node.register("work", stuck.run)
    await node.add("work")
    waiting = [await node.add(name=f"waiting {number}") for number in range(2)]
    await node.scheduler.turn()

    await node.damage(waiting[0], policies="{not json")
    stuck.release.set()
    await node.scheduler.run_due()

    assert [await node.states(each) for each in waiting] == [["succeeded"], ["succeeded"]]


async def test_executions_that_wait_follow_their_task_to_another_function(node: Any) -> None:
    node.register("old_name", lambda: "old")
    node.register("new_name", lambda: "new")
    task_id = await node.add("old_name")
    await node.app_context.database.write(lambda c: fire_due(c, node.clock.now(), 100))
    (row,) = await node.history(task_id)
    await node.damage_execution(row["id"], function_key="acme.test:old_name_that_no_node_has")

    (await node.scheduler.update_task(task_id, {"function_name": "new_name"})).unwrap()
    await node.scheduler.run_due()

    assert [row["result"] for row in await node.history(task_id)] == ["new"]
