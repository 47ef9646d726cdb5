"""A notice is heard by everybody who listens, after the commit; and listening leaves nothing behind."""

from __future__ import annotations

import asyncio

import pytest
from database_proxy import DatabaseProxy
from listening import EarOn, a_moment, say
from sqlalchemy import Connection, text

from framework.database import Database
from framework.database.notices import APPLICATION_NAME, LONGEST_PAYLOAD


async def listeners(database: Database) -> int:
    count = text(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = :name AND datname = current_database()"
    )
    return int(await database.read(lambda c: c.execute(count, {"name": APPLICATION_NAME}).scalar_one()))


@pytest.mark.postgres
async def test_a_notice_is_heard_after_the_commit_and_not_before(here: Database, ear_on: EarOn) -> None:
    ear = ear_on(here)
    await ear.until_live()
    other = here.clone()

    async with here.begin() as connection:
        await connection.run_sync(say("first said"))
        await other.write(say("first committed"))
        await ear.until_heard(2)
    await ear.until_heard(3)

    assert ear.heard == ["", "first committed", "first said"]
    await other.close()


@pytest.mark.postgres
async def test_a_notice_of_what_was_rolled_back_is_never_heard(here: Database, ear_on: EarOn) -> None:
    ear = ear_on(here)
    await ear.until_live()

    def fail(connection: Connection) -> None:
        say("lost")(connection)
        raise LookupError

    with pytest.raises(LookupError):
        await here.write(fail)
    await here.write(say("kept"))
    await ear.until_heard(2)

    assert ear.heard == ["", "kept"]


@pytest.mark.postgres
async def test_everybody_who_listens_hears_it_and_takes_no_ping_for_a_notice(here: Database, ear_on: EarOn) -> None:
    ears = [ear_on(here), ear_on(here)]
    for ear in ears:
        await ear.until_live()

    await here.write(say("due"))
    for ear in ears:
        await ear.until_heard(2)

    assert [ear.heard for ear in ears] == [["", "due"]] * 2


@pytest.mark.postgres
async def test_the_longest_payload_arrives_whole(here: Database, ear_on: EarOn) -> None:
    ear = ear_on(here)
    await ear.until_live()
    payload = "é" * (LONGEST_PAYLOAD // 2) + "!"

    await here.write(say(payload))
    await ear.until_heard(2)

    assert ear.heard[1] == payload


async def test_a_payload_that_is_too_long_is_refused_on_both_databases(database: Database) -> None:
    with pytest.raises(ValueError, match="8000 bytes is too long; send at most 7999"):
        await database.write(say("é" * 4000))


async def test_on_sqlite_nobody_listens_and_a_notice_changes_nothing(sqlite_database: Database, ear_on: EarOn) -> None:
    ear = ear_on(sqlite_database)

    await sqlite_database.write(say("due"))
    await ear.running

    assert (ear.heard, ear.listener.is_live) == ([], False)


@pytest.mark.postgres
async def test_closing_leaves_neither_a_connection_nor_a_task(here: Database, ear_on: EarOn) -> None:
    before = asyncio.all_tasks()
    ear = ear_on(here)
    await ear.until_live()
    assert await listeners(here) == 1

    await ear.listener.close()
    await ear.running

    assert not ear.listener.is_live
    assert asyncio.all_tasks() == before
    while await listeners(here):
        await a_moment()


@pytest.mark.postgres
async def test_cancelling_leaves_neither_a_connection_nor_a_task(here: Database, ear_on: EarOn) -> None:
    before = asyncio.all_tasks()
    ear = ear_on(here)
    await ear.until_live()

    ear.running.cancel()

    with pytest.raises(asyncio.CancelledError):
        await ear.running
    assert asyncio.all_tasks() == before
    while await listeners(here):
        await a_moment()


@pytest.mark.postgres
async def test_closing_does_not_wait_for_a_server_that_does_not_answer(
    proxy: DatabaseProxy, there: Database, ear_on: EarOn
) -> None:
    before = asyncio.all_tasks()
    proxy.is_silent = True
    ear = ear_on(there)
    await ear.until(lambda: proxy.accepted > 0)

    await ear.listener.close()
    await ear.running
    await proxy.close()

    assert asyncio.all_tasks() == before


@pytest.mark.postgres
async def test_a_listener_is_run_once(here: Database, ear_on: EarOn) -> None:
    ear = ear_on(here)
    await ear.until_live()

    with pytest.raises(RuntimeError, match="running already"):
        await ear.listener.run()

    assert ear.listener.is_live
