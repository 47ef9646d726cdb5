"""A pooler before PostgreSQL: every transaction may get another session, so nothing is kept in one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from nodes import until
from sqlalchemy import Column, Connection, Integer, MetaData, Table, Text, select, text

from framework import Application
from framework.database import Database, Insertion, run
from modules.core.scheduler import SchedulerService

pytestmark = pytest.mark.postgres
SETTING = "SELECT setting, unit, reset_val FROM pg_settings WHERE name = 'lock_timeout'"
PREPARED = "SELECT statement FROM pg_prepared_statements"
things = Table("things", MetaData(), Column("id", Integer, primary_key=True), Column("name", Text))


@pytest.fixture
async def pooled(postgres_url: str) -> AsyncIterator[Database]:
    """A PostgreSQL database of which we are told that a pooler stands before it."""
    database = Database(postgres_url, pooled=True)
    await database.write(things.metadata.create_all)
    yield database
    await database.close()


def add(number: int) -> Insertion:
    return Insertion(things, ("id", "name"), [(number, f"thing {number}")])


def names(c: Connection) -> list[str]:
    return list(c.execute(select(things.c.name).order_by(things.c.id)).scalars())


def lock_timeout(c: Connection) -> tuple[Any, ...]:
    """Return what holds in this transaction, and what the session has of its own."""
    return tuple(c.execute(text(SETTING)).one())


def prepared(c: Connection) -> list[str]:
    return list(run(c, PREPARED).scalars())


async def test_every_way_to_the_database_works_behind_a_pooler(pooled: Database) -> None:
    await pooled.insert([add(1)])
    await pooled.insert([add(1), add(2)])
    await pooled.write(lambda c: c.execute(things.insert().values(id=3, name="thing 3")))
    async with pooled.begin() as connection:
        await connection.execute(things.insert().values(id=4, name="thing 4"))
    async with pooled.connect() as connection:
        seen = list((await connection.execute(select(things.c.id).order_by(things.c.id))).scalars())

    assert seen == [1, 2, 3, 4]
    assert await pooled.read(names) == [f"thing {number}" for number in seen]


async def test_every_transaction_bounds_its_waiting_by_itself(pooled: Database) -> None:
    bounded = [await way(lock_timeout) for way in (pooled.write, pooled.read) for _ in range(3)]
    async with pooled.begin() as connection:
        bounded.append(await connection.run_sync(lock_timeout))
    async with pooled.connect() as connection:
        bounded.append(await connection.run_sync(lock_timeout))

    assert set(bounded) == {("10000", "ms", "0")}


async def test_no_statement_stays_prepared_in_a_session(pooled: Database, postgres_url: str) -> None:
    direct = Database(postgres_url)

    async def kept_by(database: Database) -> list[str]:
        for number in range(3):
            await database.insert([add(number)])
            await database.write(names)
            await database.write(lambda c: run(c, "SELECT name FROM things WHERE id = :number", number=1).rows)
            await database.read(names)
        return await database.write(prepared) + await database.read(prepared)

    kept, kept_without_pooler = await kept_by(pooled), await kept_by(direct)
    await direct.close()

    assert kept == []
    assert kept_without_pooler != []


async def test_a_scheduler_runs_its_tasks_behind_a_pooler(postgres_url: str, tmp_path: Path) -> None:
    settings = {
        "framework": {"database_url": postgres_url, "database_pooled": True, "data_dir": str(tmp_path)},
        "core.scheduler": {"notify": False, "poll_interval": 0.2, "timezone": "UTC"},
    }
    given: list[int] = []

    async def note(number: int) -> int:
        given.append(number)
        return number

    async with Application(modules=["core.scheduler"], settings=settings) as app_context:
        service = app_context.get_service(SchedulerService)
        service.register_function("acme.test", "note", note)
        config = {"name": "a note", "module_id": "acme.test", "function_name": "note", "schedule_time": "now"}
        configs = [{**config, "parameters": {"number": number}} for number in range(20)]
        (await service.schedule_tasks(configs)).unwrap()
        (await service.schedule_task({**config, "parameters": {"number": 20}})).unwrap()

        async def have_ended() -> bool:
            page = (await service.get_executions(state="succeeded", limit=100)).unwrap()
            return len(page["executions"]) == 21

        await until(have_ended)

    assert sorted(given) == list(range(21))
