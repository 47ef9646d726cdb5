"""Tables belong to the module that declares them, whatever other modules say."""

from __future__ import annotations

from pathlib import Path

import pytest
from declaring import Declaring, Started
from expiring_sessions import OVER, fill

from framework import AppContext
from framework.settings import FrameworkSettings
from framework.testing import FakeClock
from modules.core.scheduler import SchedulerService, declare_cleanup, declare_tables
from modules.core.scheduler.cleanup import RowsPolicy
from modules.core.scheduler.ownership import TableOwners, TableTaken, same_databases

SESSIONS = RowsPolicy(table_name="sessions", date_column="at")


class Other(Declaring):
    """A second module."""

    id = "acme.other"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_table_declared_in_phase_one_is_cleaned_by_its_module_alone(started: Started) -> None:
    clock = FakeClock()

    def own(app_context: AppContext) -> None:
        declare_tables(app_context, "sessions")
        declare_cleanup(app_context, "mine", OVER)

    async with started(clock=clock) as app_context:
        await fill(app_context.database, clock.now(), old=2, new=1)
    async with started(Declaring(own), Other(lambda c: declare_cleanup(c, "theirs", OVER)), clock=clock) as app_context:
        scheduler = app_context.get_service(SchedulerService)
        listed = [each["cleanup_type"] for each in (await scheduler.list_cleanups()).unwrap()]
        health = await app_context.health()

    assert "mine" in listed
    assert "theirs" not in listed
    assert health["checks"]["acme.other: cleanup 'theirs'"]["code"] == "INVALID_CONFIG"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_who_declares_the_table_of_another_is_told_and_does_not_get_it(started: Started) -> None:
    modules = [Declaring(lambda c: declare_tables(c, "a", "b")), Other(lambda c: declare_tables(c, "c", "B"))]

    async with started(*modules) as app_context:
        owners = app_context.get_service("core.scheduler.housekeeper").owners
        owned = [owners.tables_of(each.id) for each in modules]
        health = await app_context.health()

    assert owned == [["a", "b"], []]
    assert health["checks"]["acme.other: tables c, B"]["code"] == "TABLE_TAKEN"


def test_tables_of_another_database_are_others() -> None:
    owners = TableOwners(owned_only=False)
    owners.declare("acme.a", "sessions")
    owners.declare("acme.b", "sessions", database="archive")

    assert owners.problem("acme.a", SESSIONS) is None
    assert owners.problem("acme.b", SESSIONS.model_copy(update={"database": "archive"})) is None
    assert owners.problem("acme.b", SESSIONS) is not None
    assert owners.bounds("acme.b") == (frozenset({"sessions"}), None)


def test_a_database_under_a_second_name_has_the_same_tables_and_owners(tmp_path: Path) -> None:
    (tmp_path / "link.db").symlink_to(tmp_path / "app.db")
    places = {"mirror": "app.db", "linked": "link.db", "other": "other.db"}
    urls = {name: f"sqlite:///{tmp_path / file}" for name, file in places.items()}
    settings = FrameworkSettings(database_url=f"sqlite+aiosqlite:///{tmp_path / 'app.db'}", databases=urls)
    owners = TableOwners(owned_only=False, same=same_databases(settings))
    owners.declare("acme.a", "sessions")

    refused = [owners.problem("acme.b", SESSIONS.model_copy(update={"database": name})) is not None for name in places]

    assert refused == [True, True, False]
    assert owners.bounds("acme.b", "mirror") == (frozenset({"sessions"}), None)
    assert owners.tables_of("acme.a", "mirror") == ["sessions"]
    with pytest.raises(TableTaken):
        owners.declare("acme.b", "sessions", database="mirror")


def test_one_server_by_two_addresses_is_one_database() -> None:
    urls = {"same": "postgresql://other@db:5432/shop", "else": "postgresql://db/accounts"}

    same = same_databases(FrameworkSettings(database_url="postgresql+asyncpg://me:secret@db/shop", databases=urls))

    assert same == {"same": None, "else": "else"}


def test_declaring_again_changes_nothing_and_a_taken_table_takes_none_of_them() -> None:
    owners = TableOwners(owned_only=True)
    owners.declare("acme.a", "Sessions")
    owners.declare("acme.a", "sessions", "notes")

    with pytest.raises(TableTaken, match=r"acme\.a"):
        owners.declare("acme.b", "carts", "SESSIONS")

    assert (owners.tables_of("acme.a"), owners.tables_of("acme.b")) == (["notes", "sessions"], [])
    assert owners.bounds("acme.b") == (frozenset({"notes", "sessions"}), frozenset())
