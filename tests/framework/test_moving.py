"""The whole state goes from one database to another and back, and is there as it was, or not at all."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from framework import AppContext, Application, Module, moving
from framework.database import Database, UtcDateTime
from framework.database.copying import CopyRefused
from framework.moving import Moved, move
from modules.core.access.tables import metadata as of_access
from modules.core.scheduler.request_tables import requests
from modules.core.scheduler.tables import Base
from modules.standard.inbox.tables import inbox_records
from modules.standard.sessions.tables import sessions

MODULES = ["core.scheduler", "core.access", "standard.inbox", "standard.sessions"]
OF_SCHEDULER = {table.name: table for table in (*Base.metadata.sorted_tables, requests)}
TABLES = OF_SCHEDULER | {table.name: table for table in (*of_access.sorted_tables, inbox_records, sessions)}
ROWS = 3
TEXTS = ("plain", "ünï'\"\\ \n%s\t€ \U0001f600", "")
MOMENTS = (datetime(2026, 3, 29, 1, 30, 0, 1, UTC), datetime(1970, 1, 1, tzinfo=UTC), datetime.max.replace(tzinfo=UTC))
NUMBERS = (0, -1, 2_147_483_647)
LARGE = (0, -9_223_372_036_854_775_808, 9_223_372_036_854_775_807)
FLOATS = (0.1, -1e300, 1e-300)


def value_of(column: sa.Column[Any], row: int) -> Any:
    """Return what stands in a column of the given row: odd values, distinct in every key, null where that may be."""
    kind = column.type
    if column.nullable and row == 2:
        return None
    if isinstance(kind, UtcDateTime):
        return MOMENTS[row] - timedelta(days=1) * row
    if isinstance(kind, sa.Boolean):
        return row % 2 == 0
    if isinstance(kind, sa.Float):
        return FLOATS[row]
    if isinstance(kind, sa.BigInteger):
        return LARGE[row]
    if isinstance(kind, sa.Integer):
        return row + 1 if column.primary_key else NUMBERS[row]
    assert isinstance(kind, sa.String), f"{column} has a type that this test does not know"
    return f"{TEXTS[row]}{row}"


def application(url: str, folder: Path, *more: Module) -> Application:
    settings = {
        "framework": {"database_url": url, "data_dir": str(folder / "data")},
        "core.scheduler": {"enabled": False},
    }
    return Application([*MODULES, *more], settings)


async def fill(url: str, tables: dict[str, sa.Table] | None = None) -> None:
    database = Database(url)
    for table in (TABLES if tables is None else tables).values():
        rows = [{column.name: value_of(column, row) for column in table.columns} for row in range(ROWS)]
        await database.write(lambda c, table=table, rows=rows: c.execute(sa.insert(table), rows))
    await database.close()


async def content(url: str) -> dict[str, list[Any]]:
    """Return the rows of every table, sorted, as the application reads them."""
    database = Database(url)
    queries = {name: sa.select(table).order_by(*table.primary_key.columns) for name, table in TABLES.items()}
    found = {
        name: await database.read(lambda c, query=query: sorted(map(repr, c.execute(query))))
        for name, query in queries.items()
    }
    await database.close()
    return found


async def moved(source: Application, target: Application, **options: Any) -> Moved:
    return await move(source, target, in_use=options.pop("in_use", ()), told=lambda *_: None, **options)


@pytest.fixture
def other_url(tmp_path: Path) -> str:
    return f"sqlite+aiosqlite:///{tmp_path / 'other.db'}"


@pytest.mark.postgres
async def test_everything_goes_to_postgresql_and_back(
    sqlite_url: str, postgres_url: str, other_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moving, "BATCH", 2)
    here, there, back = (application(url, tmp_path) for url in (sqlite_url, postgres_url, other_url))
    await here.upgrade()
    await fill(sqlite_url)

    gone = await moved(here, there)
    returned = await moved(there, back)

    assert {name: told["rows"] for name, told in gone.tables.items()} == dict.fromkeys(TABLES, ROWS)
    assert returned == gone
    assert await content(postgres_url) == await content(other_url) == await content(sqlite_url)


async def test_what_is_moved_can_be_started_where_it_is(sqlite_url: str, other_url: str, tmp_path: Path) -> None:
    async with application(sqlite_url, tmp_path) as app_context:
        before = (await app_context.get_service("core.scheduler.service").list_tasks()).unwrap()

    await moved(application(sqlite_url, tmp_path), application(other_url, tmp_path))

    async with application(other_url, tmp_path) as app_context:
        after = (await app_context.get_service("core.scheduler.service").list_tasks()).unwrap()
    assert before["tasks"]
    assert after == before


async def test_rows_that_are_there_already_are_refused_or_replaced(
    sqlite_url: str, other_url: str, tmp_path: Path
) -> None:
    here, there = application(sqlite_url, tmp_path), application(other_url, tmp_path)
    await here.upgrade()
    await there.upgrade()
    await fill(sqlite_url)
    await fill(other_url, {"access_tokens": TABLES["access_tokens"]})

    with pytest.raises(CopyRefused, match="there are rows in access_tokens already; --replace deletes them"):
        await moved(here, there)
    await moved(here, there, replace=True)

    assert await content(other_url) == await content(sqlite_url)


async def test_a_row_that_cannot_be_carried_over_leaves_the_target_as_it_was(
    sqlite_url: str, postgres_url: str, tmp_path: Path
) -> None:
    here, there = application(sqlite_url, tmp_path), application(postgres_url, tmp_path)
    await here.upgrade()
    await fill(sqlite_url)
    database = Database(sqlite_url)
    await database.write(lambda c: c.execute(sa.text("UPDATE scheduler_nodes SET started_at = 'tomorrow'")))
    await database.close()

    with pytest.raises(CopyRefused, match="table scheduler_nodes: 'tomorrow' is no moment"):
        await moved(here, there)

    assert not any((await content(postgres_url)).values())


async def test_what_arrives_differently_is_rolled_back(sqlite_url: str, other_url: str, tmp_path: Path) -> None:
    here, there = application(sqlite_url, tmp_path), application(other_url, tmp_path)
    await here.upgrade()
    await there.upgrade()
    await fill(sqlite_url)
    meddling = "UPDATE scheduler_pauses SET reason = 'x'"
    trigger = f"CREATE TRIGGER meddles AFTER INSERT ON scheduler_pauses BEGIN {meddling}; END"
    database = Database(other_url)
    await database.write(lambda c: c.execute(sa.text(trigger)))
    await database.close()

    with pytest.raises(CopyRefused, match="table scheduler_pauses: what arrived is not what was sent"):
        await moved(here, there)

    assert not any((await content(other_url)).values())


async def test_an_interruption_leaves_the_target_as_it_was(sqlite_url: str, other_url: str, tmp_path: Path) -> None:
    here, there = application(sqlite_url, tmp_path), application(other_url, tmp_path)
    await here.upgrade()
    await fill(sqlite_url)

    def told(name: str, _done: int, _total: int) -> None:
        if name == "scheduler_nodes":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await move(here, there, in_use=(), told=told)

    assert not any((await content(other_url)).values())
    await moved(here, there)


async def test_a_database_that_is_in_use_is_not_moved(sqlite_url: str, other_url: str, tmp_path: Path) -> None:
    here, there = application(sqlite_url, tmp_path), application(other_url, tmp_path)
    await here.upgrade()

    async def used(app_context: AppContext) -> list[str]:
        return ["somebody is at home"] if app_context.database.path == tmp_path / "other.db" else []

    with pytest.raises(CopyRefused, match="the database to move to is in use: somebody is at home"):
        await moved(here, there, in_use=[used])


async def test_nobody_writes_while_it_is_moved(database_url: str, other_url: str, tmp_path: Path) -> None:
    here, there = application(database_url, tmp_path), application(other_url, tmp_path)
    await here.upgrade()
    await fill(database_url)
    database = Database(database_url)
    writing: list[asyncio.Task[Any]] = []

    def told(name: str, _done: int, _total: int) -> None:
        if name == "access_tokens":
            delete = sa.delete(TABLES["scheduler_events"])
            writing.append(asyncio.create_task(database.write(lambda c: c.execute(delete))))

    await move(here, there, in_use=(), told=told)
    await asyncio.gather(*writing)
    await database.close()

    assert len(writing) == 1
    assert len((await content(other_url))["scheduler_events"]) == ROWS


async def test_tables_of_nobody_are_left_and_named(sqlite_url: str, other_url: str, tmp_path: Path) -> None:
    here, there = application(sqlite_url, tmp_path), application(other_url, tmp_path)
    await here.upgrade()
    database = Database(sqlite_url)
    await database.write(lambda c: c.execute(sa.text("CREATE TABLE mine AS SELECT 1 AS one")))
    await database.close()

    assert (await moved(here, there)).left == {"mine": 1}
    with pytest.raises(CopyRefused, match="on this database already"):
        await moved(here, here)
