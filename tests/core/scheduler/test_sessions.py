"""Scheduling in the caller's own transaction: there with its commit, gone with its rollback, on both databases."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from nodes import ended
from sessions import KINDS, Mine, leave
from sqlalchemy.exc import OperationalError

from framework.database import engines
from modules.core.scheduler import patience

Nodes = Any
MODULE = "acme.test"
TASK = {"name": "note", "module_id": MODULE, "function_name": "note", "schedule_time": "now"}


@pytest.mark.parametrize("kind", KINDS)
async def test_a_task_scheduled_in_a_session_is_there_once_it_commits(node: Nodes, mine: Mine, kind: str) -> None:
    async with mine.begin(kind) as session:
        await leave(session, "an order")
        scheduled = (await node.scheduler.schedule_task(TASK, session=session)).unwrap()

        before = await node.scheduler.get_task(scheduled["task_id"])

    assert scheduled["created"]
    assert before.error is not None
    assert before.error.code == "TASK_NOT_FOUND"
    await node.scheduler.run_due()
    assert await node.states(scheduled["task_id"]) == ["succeeded"]
    assert await mine.effects() == ["an order"]


@pytest.mark.parametrize("kind", KINDS)
async def test_a_session_that_rolls_back_leaves_no_task(node: Nodes, mine: Mine, kind: str) -> None:
    async def give_up() -> None:
        async with mine.begin(kind) as session:
            (await node.scheduler.schedule_task({**TASK, "key": "k"}, session=session)).unwrap()
            (await node.scheduler.schedule_task(TASK, session=session)).unwrap()
            raise LookupError

    with pytest.raises(LookupError):
        await give_up()

    assert (await node.scheduler.list_tasks(module_id=MODULE)).unwrap()["tasks"] == []
    await node.scheduler.run_due()
    assert node.runs == []


async def test_the_loop_is_woken_by_the_commit(node: Nodes, mine: Mine, start_node: Nodes) -> None:
    awake = await start_node(enabled=True, poll_interval="1 hour")  # on a clock that stands still: no poll ever comes
    async with mine.begin("AsyncSession") as session:
        scheduled = (await awake.scheduler.schedule_task(TASK, session=session)).unwrap()

    await ended(awake, scheduled["task_id"])

    assert await awake.states(scheduled["task_id"]) == ["succeeded"]


async def test_every_way_to_schedule_takes_a_session(node: Nodes, mine: Mine) -> None:
    at, listener = (MODULE, "note"), await node.add(trigger={"type": "event", "event": "paid"})
    once = await node.add(schedule_time="2999-01-01")
    async with mine.begin("AsyncSession") as session:
        answers = [
            await node.scheduler.schedule_cron(at, "0 7 * * *", session=session),
            await node.scheduler.schedule_interval(at, every="1 hour", session=session),
            await node.scheduler.schedule_once(at, delay="1 hour", session=session),
            await node.scheduler.schedule_tasks([TASK, TASK], session=session),
            await node.scheduler.emit("paid", {"amount": 5}, session=session),
            await node.scheduler.execute_task(once, session=session),
        ]

        assert [answer.error for answer in answers] == [None] * 6
        assert node.runs == []

    await node.scheduler.run_due()
    assert len(node.runs) == 4
    assert len((await node.scheduler.list_tasks(module_id=MODULE)).unwrap()["tasks"]) == 7
    assert await node.states(listener) == ["succeeded"]


async def test_a_refusal_stores_nothing_and_leaves_the_session_usable(node: Nodes, mine: Mine) -> None:
    await node.add(key="taken", schedule_time="2999-01-01")
    configs = [{**TASK, "key": "free"}, {**TASK, "key": "taken", "on_conflict": "error"}]

    async with mine.begin("AsyncSession") as session:
        await leave(session, "an order")
        refused = await node.scheduler.schedule_tasks(configs, session=session)
        invalid = await node.scheduler.schedule_task({**TASK, "function_name": "nothing"}, session=session)

    assert refused.error.code == "ALREADY_EXISTS"
    assert invalid.error.code == "INVALID_CONFIG"
    assert await mine.effects() == ["an order"]
    assert len((await node.scheduler.list_tasks(module_id=MODULE)).unwrap()["tasks"]) == 1


async def test_the_same_key_is_the_same_task_in_a_session_too(node: Nodes, mine: Mine) -> None:
    keyed = {**TASK, "key": "k", "schedule_time": "2100-01-01T00:00:00Z"}
    async with mine.begin("AsyncConnection") as connection:
        first = (await node.scheduler.schedule_task(keyed, session=connection)).unwrap()
        again = (await node.scheduler.schedule_task(keyed, session=connection)).unwrap()

    later = (await node.scheduler.schedule_task(keyed)).unwrap()

    assert [each["task_id"] for each in (again, later)] == [first["task_id"]] * 2
    assert [each["created"] for each in (first, again, later)] == [True, False, False]


@pytest.mark.postgres
@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)  # SQLite lets only one begin
async def test_two_sessions_that_schedule_one_key_at_once_end_with_one_task(node: Nodes, mine: Mine) -> None:
    keyed = {**TASK, "key": "k", "schedule_time": "2100-01-01T00:00:00Z"}

    async with mine.begin("AsyncSession") as session:
        first = (await node.scheduler.schedule_task(keyed, session=session)).unwrap()
        async with mine.begin("AsyncSession") as other:
            waiting = asyncio.create_task(node.scheduler.schedule_task(keyed, session=other))
            await mine.see_one_wait()
            await session.commit()
            second = (await waiting).unwrap()

    assert (second["task_id"], second["created"]) == (first["task_id"], False)


async def test_a_session_on_another_database_is_refused(node: Nodes, tmp_path: Path) -> None:
    other = Mine(f"sqlite+aiosqlite:///{tmp_path / 'other.db'}")

    async with other.begin("AsyncSession") as session:
        refused = await node.scheduler.schedule_task(TASK, session=session)

    assert refused.error.code == "OTHER_DATABASE"
    assert (await node.scheduler.list_tasks(module_id=MODULE)).unwrap()["tasks"] == []


async def test_scheduling_within_our_own_transaction_raises_at_once_and_says_what_to_do(node: Nodes) -> None:
    database = node.app_context.database

    async with database.begin() as connection:
        others = asyncio.create_task(node.scheduler.schedule_task(TASK))  # it waits, and who comes next waits with it
        await database.read(lambda _: None)
        with pytest.raises(RuntimeError, match="session="):
            await node.scheduler.schedule_task(TASK)
        with pytest.raises(RuntimeError, match="session="):
            await node.scheduler.schedule_task({**TASK, "key": "k"})
        (await node.scheduler.schedule_task(TASK, session=connection)).unwrap()

    (await others).unwrap()
    await node.scheduler.run_due()
    assert len(node.runs) == 2


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # PostgreSQL has no such lock
async def test_a_session_that_is_forgotten_in_the_next_call_raises_at_once(node: Nodes, mine: Mine) -> None:
    async with mine.begin("AsyncSession") as session:
        (await node.scheduler.schedule_task(TASK, session=session)).unwrap()
        with pytest.raises(RuntimeError, match="session="):
            await node.scheduler.schedule_task(TASK)
        with pytest.raises(RuntimeError, match="session="):
            await node.scheduler.schedule_task({**TASK, "key": "k"})

    (await node.scheduler.schedule_task(TASK)).unwrap()
    assert len((await node.scheduler.list_tasks(module_id=MODULE)).unwrap()["tasks"]) == 2


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # PostgreSQL has no such lock
async def test_waiting_for_the_lock_that_its_own_session_holds_is_explained(
    start_node: Nodes, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "BUSY_TIMEOUT", 0.05)
    monkeypatch.setattr(patience, "PATIENCE", 0.0)
    node, mine = await start_node(), Mine(database_url)
    await mine.make_table()

    async with mine.begin("AsyncSession") as session:
        await leave(session, "an order")
        with pytest.raises(OperationalError) as plain:
            await node.scheduler.schedule_task(TASK)
        with pytest.raises(OperationalError) as keyed:
            await node.scheduler.schedule_task({**TASK, "key": "k"})

    for caught in (plain, keyed):
        assert ["session=" in note for note in caught.value.__notes__] == [True]
    assert await mine.effects() == ["an order"]
    await mine.engine.dispose()
