"""An error of the database says whether to try again."""

from __future__ import annotations

import socket
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, OperationalError

from framework.database import Database, engines, is_transient, is_unique_violation
from framework.database.failures import is_lost, translated


async def failure(database: Database, statement: str) -> BaseException:
    with pytest.raises(Exception) as caught:  # noqa: PT011  # what kind it is, is what the tests ask
        await database.write(lambda c: c.execute(text(statement)))
    return caught.value


@pytest.fixture
async def database(database: Database) -> Database:
    create = "CREATE TABLE pets (id INTEGER PRIMARY KEY, name TEXT UNIQUE, age INTEGER NOT NULL CHECK (age >= 0))"
    await database.write(lambda c: c.execute(text(create)))
    await database.write(lambda c: c.execute(text("INSERT INTO pets VALUES (1, 'Tom', 3)")))
    return database


@pytest.mark.parametrize("row", ["(1, 'Kit', 2)", "(2, 'Tom', 2)"])
async def test_a_taken_key_is_a_unique_violation_and_no_reason_to_try_again(database: Database, row: str) -> None:
    error = await failure(database, f"INSERT INTO pets VALUES {row}")

    assert (is_unique_violation(error), is_transient(error)) == (True, False)


@pytest.mark.parametrize(
    "statement",
    ["INSERT INTO pets VALUES (2, 'Kit', NULL)", "INSERT INTO pets VALUES (2, 'Kit', -1)", "SELECT * FROM nowhere"],
)
async def test_a_mistake_is_neither(database: Database, statement: str) -> None:
    error = await failure(database, statement)

    assert (is_unique_violation(error), is_transient(error)) == (False, False)


def test_an_error_that_is_not_the_databases_is_neither() -> None:
    assert (is_unique_violation(ValueError()), is_transient(ValueError())) == (False, False)


async def test_values_do_not_reach_the_log_through_an_error(database: Database) -> None:
    with pytest.raises(IntegrityError) as caught:
        await database.write(
            lambda c: c.execute(text("INSERT INTO pets (id, name) VALUES (5, :name)"), {"name": "secret"})
        )

    assert "parameters hidden" in str(caught.value)


async def test_a_file_that_another_writer_holds_too_long_is_worth_another_try(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "BUSY_TIMEOUT", 0)
    holder = sqlite3.connect(tmp_path / "app.db", isolation_level=None)
    holder.execute("PRAGMA journal_mode = WAL")
    holder.execute("BEGIN IMMEDIATE")
    database = Database(f"sqlite:///{tmp_path}/app.db")

    with pytest.raises(OperationalError, match="database is locked") as caught:
        await database.write(lambda c: c.execute(text("SELECT 1")))
    holder.close()

    assert is_transient(caught.value)
    await database.write(lambda c: c.execute(text("CREATE TABLE t (n INTEGER)")))
    await database.close()


async def test_a_server_that_cannot_be_reached_is_worth_another_try() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        database = Database(f"postgresql://me@127.0.0.1:{unused.getsockname()[1]}/app")

        error = await failure(database, "SELECT 1")

    assert is_transient(error)
    await database.close()


@pytest.mark.postgres
async def test_a_database_that_is_not_on_the_server_is_a_mistake(postgres_url: str) -> None:
    database = Database(postgres_url.replace("/test_", "/absent_"))

    error = await failure(database, "SELECT 1")

    assert not is_transient(error)
    await database.close()


@pytest.mark.postgres
async def test_a_connection_that_the_server_ends_is_worth_another_try_which_works(postgres_url: str) -> None:
    database = Database(postgres_url)

    error = await failure(database, "SELECT pg_terminate_backend(pg_backend_pid())")

    assert is_transient(error)
    assert await database.read(lambda c: c.execute(text("SELECT 1")).scalar()) == 1
    await database.close()


@pytest.mark.postgres
async def test_connections_that_died_while_idle_cost_nobody_an_error(postgres_url: str) -> None:
    database, admin = Database(postgres_url), Database(postgres_url)
    await database.write(lambda c: c.execute(text("SELECT 1")))
    all_others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"

    await admin.write(lambda c: c.execute(text(f"SELECT pg_terminate_backend(pid) {all_others}")))

    assert await database.write(lambda c: c.execute(text("SELECT 1")).scalar()) == 1
    await database.close()
    await admin.close()


@pytest.mark.parametrize(
    "words", ["connection is closed", "cannot switch to state 15; another operation (2) is in progress"]
)
def test_a_connection_that_its_driver_gave_up_counts_as_lost(words: str) -> None:
    error = translated(RuntimeError(words), "BEGIN")

    assert is_lost(error)
    assert is_transient(error)
