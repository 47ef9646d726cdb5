"""Joining the caller's transaction: whole or not at all, and told of its end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from nodes import until
from sessions import KINDS, Mine, effect, leave
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.ext.asyncio import AsyncSession, async_scoped_session, async_sessionmaker, create_async_engine

from framework.database import Database, Joining, OtherDatabaseError, join


class Told:
    """A joining that counts the commits it is told of."""

    def __init__(self, database: Database, mine: Mine) -> None:
        self.times = 0
        self.mine = mine
        self.joining = Joining(database, self._on_commit)

    def _on_commit(self) -> None:
        self.times += 1

    async def hears_of(self, times: int) -> bool:
        """Wait until so many commits have been told of, and tell whether it stays so while others go on."""

        async def reached() -> bool:
            return self.times >= times

        await until(reached)
        for _ in range(20):
            await self.mine.effects()
        return self.times == times


@pytest.fixture
async def mine(database_url: str) -> AsyncIterator[Mine]:
    """A caller with engines and a table of its own."""
    mine = Mine(database_url)
    await mine.make_table()
    yield mine
    await mine.engine.dispose()


@pytest.fixture
def told(database: Database, mine: Mine) -> Told:
    """What is told of the caller's commits."""
    return Told(database, mine)


def add(what: str) -> Any:
    """Return the work that leaves an effect."""
    return lambda c: c.execute(effect(what)) and None


def add_and_fail(c: Connection) -> None:
    """Leave an effect, and raise."""
    c.execute(effect("half"))
    raise LookupError("in the middle")


@pytest.mark.parametrize("kind", KINDS)
async def test_work_in_a_session_is_committed_with_it(told: Told, mine: Mine, kind: str) -> None:
    async with mine.begin(kind) as session:
        await leave(session, "a")
        await told.joining.write(session, add("b"))

        assert told.times == 0

    assert await mine.effects() == ["a", "b"]
    assert await told.hears_of(1)


@pytest.mark.parametrize("kind", KINDS)
async def test_work_in_a_session_that_rolls_back_is_undone_and_nobody_is_told(
    told: Told, mine: Mine, kind: str
) -> None:
    async def give_up() -> None:
        async with mine.begin(kind) as session:
            await told.joining.write(session, add("b"))
            raise LookupError("of the caller")

    with pytest.raises(LookupError):
        await give_up()

    assert await mine.effects() == []
    assert await told.hears_of(0)


@pytest.mark.parametrize("kind", KINDS)
async def test_work_that_raises_leaves_the_rest_of_the_transaction_as_it_was(told: Told, mine: Mine, kind: str) -> None:
    async with mine.begin(kind) as session:
        await leave(session, "a")
        with pytest.raises(LookupError):
            await told.joining.write(session, add_and_fail)
        await leave(session, "c")

    assert await mine.effects() == ["a", "c"]


@pytest.mark.parametrize("kind", ["AsyncSession", "AsyncConnection"])
async def test_a_savepoint_is_no_commit(told: Told, mine: Mine, kind: str) -> None:
    async with mine.begin(kind) as session:
        async with session.begin_nested():
            await told.joining.write(session, add("a"))
        async with session.begin_nested():
            await leave(session, "b")

        assert await told.hears_of(0)

    assert await told.hears_of(1)


async def test_a_transaction_that_was_rolled_back_is_not_told_of_at_the_next_commit(told: Told, mine: Mine) -> None:
    async with mine.engine.connect() as connection:
        await told.joining.write(connection, add("a"))
        await connection.rollback()
        await leave(connection, "b")
        await connection.commit()

        assert await told.hears_of(0)

        await told.joining.write(connection, add("c"))
        await told.joining.write(connection, add("d"))
        await connection.commit()

        assert await told.hears_of(1)
    assert await mine.effects() == ["b", "c", "d"]


async def test_a_session_within_a_transaction_of_its_connection_waits_for_that_one(told: Told, mine: Mine) -> None:
    async with mine.engine.begin() as connection:
        async with AsyncSession(connection, join_transaction_mode="create_savepoint") as session, session.begin():
            await told.joining.write(session, add("a"))

        assert await told.hears_of(0)

    assert await told.hears_of(1)


async def test_what_is_told_of_is_there_for_everybody(database: Database, mine: Mine) -> None:
    seen: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    count = text("SELECT count(*) FROM effects")
    joining = Joining(
        database, lambda: seen.set_result(asyncio.ensure_future(database.read(lambda c: c.execute(count).scalar())))
    )
    async with mine.engine.begin() as connection:
        await joining.write(connection, add("a"))

    assert await (await seen) == 1


async def test_a_session_that_has_not_begun_is_begun_and_not_ended(told: Told, mine: Mine) -> None:
    async with AsyncSession(mine.engine) as session:
        await told.joining.write(session, add("a"))

        assert session.in_transaction()
        assert await mine.effects() == []
        await session.commit()
    assert await mine.effects() == ["a"]


async def test_a_session_is_also_found_behind_its_registry(told: Told, mine: Mine) -> None:
    registry = async_scoped_session(async_sessionmaker(mine.engine), asyncio.current_task)

    await told.joining.write(registry, add("a"))
    await registry.commit()
    await registry.remove()

    assert await mine.effects() == ["a"]


async def test_the_connection_of_our_own_transaction_can_be_joined(told: Told, database: Database, mine: Mine) -> None:
    async with database.begin() as connection:
        await told.joining.write(connection, add("a"))

    assert await mine.effects() == ["a"]
    assert await told.hears_of(1)


@pytest.mark.parametrize("name", ["other.db", ":memory:"])
async def test_a_session_on_another_database_is_refused(told: Told, mine: Mine, tmp_path: Path, name: str) -> None:
    other = create_async_engine(f"sqlite+aiosqlite:///{tmp_path / name if name != ':memory:' else name}")

    async with other.begin() as connection:
        with pytest.raises(OtherDatabaseError, match="another database"):
            await told.joining.write(connection, add("a"))

    await other.dispose()
    assert await mine.effects() == []


@pytest.mark.postgres
async def test_another_database_of_the_same_server_is_another_database(postgres_url: str) -> None:
    database = Database(postgres_url)
    other = create_async_engine(postgres_url.rsplit("/", 1)[0] + "/postgres?" + postgres_url.partition("?")[2])

    async with other.begin() as connection:
        with pytest.raises(OtherDatabaseError):
            await Joining(database, list).write(connection, add("a"))

    await other.dispose()
    await database.close()


async def test_the_same_file_by_another_way_is_the_same_database(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    database, mine = Database(f"sqlite:///{tmp_path}/real/a.db"), Mine(f"sqlite+aiosqlite:///{tmp_path}/link/a.db")
    await mine.make_table()

    async with mine.begin("AsyncSession") as session:
        await Joining(database, list).write(session, add("a"))

    assert await mine.effects() == ["a"]
    await database.close()


@pytest.mark.postgres
async def test_a_session_that_commits_each_statement_is_refused(postgres_url: str) -> None:
    engine = create_async_engine(postgres_url, isolation_level="AUTOCOMMIT")

    async with engine.connect() as connection:
        with pytest.raises(ValueError, match="AUTOCOMMIT"):
            await join(connection, add("a"))

    await engine.dispose()


async def test_what_is_no_session_is_refused() -> None:
    with pytest.raises(TypeError, match="AsyncSession, AsyncConnection, Session or Connection"):
        join(create_engine("sqlite://"), add("a"))  # type: ignore[call-overload]  # what it is about
