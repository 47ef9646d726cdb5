"""The database is measured, copied and moved from the command line."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from framework import Application
from framework.database import measuring

Commands = Any
ROOT = Path(__file__).parents[3]
DATABASE = "data/chamberlain.db"


@pytest.fixture
def made(commands: Commands) -> Commands:
    """A project with its tables."""
    assert commands("db", "upgrade").status == 0
    return commands


def test_the_revision_of_each_module_is_told(made: Commands) -> None:
    newest = max((ROOT / "modules/core/scheduler/migrations").glob("[0-9]*.py")).name[:4]
    assert made("db", "current", "--json").json["current"]["core.scheduler"] == newest
    assert ["core.scheduler", newest] in [line.split() for line in made("db", "current").out.splitlines()]


def test_rows_are_counted_up_to_a_bound(made: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measuring, "MOST", 2)
    with closing(sqlite3.connect(made.folder / DATABASE)) as connection:
        connection.executemany("INSERT INTO scheduler_pauses (scope, since) VALUES (?, '')", [("a",), ("b",), ("c",)])
        connection.commit()

    tables = {each["name"]: each for each in made("db", "stats", "--json").json["tables"]}

    assert (tables["scheduler_pauses"]["rows"], tables["scheduler_pauses"]["more"]) == (2, True)
    assert (tables["scheduler_events"]["rows"], tables["scheduler_events"]["more"]) == (0, False)
    assert "scheduler_pauses" in made("db", "stats").out


def test_the_age_of_the_history_is_told(made: Commands) -> None:
    history = made("db", "stats", "--json").json["history"]

    assert history == {"oldest execution": None, "newest execution": None}


@pytest.mark.postgres
def test_a_database_on_a_server_is_measured_too(
    commands: Commands, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FRAMEWORK_DATABASE_URL", postgres_url)
    commands("db", "upgrade")

    found = commands("db", "stats", "--json").json

    assert found["bytes"] > 1_000_000
    assert all(each["size"] is not None for each in found["tables"])
    assert "pg_dump" in commands("db", "backup", "copy.db").err


def test_a_copy_holds_what_the_database_held_and_overwrites_nothing(made: Commands) -> None:
    told = made("db", "backup", "copy.db", "--json")
    assert told.json == {"file": "copy.db", "bytes": (made.folder / "copy.db").stat().st_size}

    with closing(sqlite3.connect(made.folder / "copy.db")) as copy:
        assert copy.execute("SELECT count(*) FROM scheduler_events").fetchone() == (0,)
    assert (made.folder / "copy.db").stat().st_mode & 0o077 == 0
    assert made("db", "backup", "copy.db").err == (
        "chamberlain: copy.db is there already; give another name, or delete it\n"
    )
    assert "no copy was made" in made("db", "backup", "nowhere/copy.db").err


def test_everything_is_moved_and_what_to_do_next_is_said(made: Commands) -> None:
    told = made("db", "move-to", "sqlite:///other.db")

    assert told.status == 0
    assert "rows in " in told.out
    assert "set FRAMEWORK_DATABASE_URL to it" in told.out
    again = made("db", "move-to", "sqlite:///other.db", "--replace", "--json").json
    assert again["tables"]["scheduler_events"]["rows"] == 0
    assert (again["from"], again["to"]) == ("sqlite+aiosqlite:///data/chamberlain.db", "sqlite:///other.db")


def test_a_target_may_be_named_so_that_its_password_is_nowhere(made: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRAMEWORK_DATABASES__NEXT", "postgresql://me:hunter2@127.0.0.1:1/x")
    monkeypatch.setenv("FRAMEWORK_DATABASE_TIMEOUT", "0")

    told = made("db", "move-to", "next")

    assert told.status == 1
    assert "://***@127.0.0.1:1/x gave no answer" in told.err
    assert "hunter2" not in told.err


def test_a_database_with_a_living_node_is_not_moved(made: Commands) -> None:
    async def while_it_runs() -> Any:
        async with Application() as app_context:
            await app_context.get_service("core.scheduler.service").turn()
            return await asyncio.to_thread(made, "db", "move-to", "sqlite:///other.db")

    told = asyncio.run(while_it_runs())

    assert told.status == 1
    assert "the database to move is in use: node " in told.err
