"""Tables belong to the module that declares them, whatever other modules say."""

from __future__ import annotations

import pytest
from declaring import Declaring, Started
from expiring_sessions import OVER, fill

from framework import AppContext
from framework.testing import FakeClock
from modules.core.scheduler import SchedulerService, declare_cleanup, declare_tables
from modules.core.scheduler.cleanup import RowsPolicy
from modules.core.scheduler.ownership import TableOwners, TableTaken

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


def test_declaring_again_changes_nothing_and_a_taken_table_takes_none_of_them() -> None:
    owners = TableOwners(owned_only=True)
    owners.declare("acme.a", "Sessions")
    owners.declare("acme.a", "sessions", "notes")

    with pytest.raises(TableTaken, match=r"acme\.a"):
        owners.declare("acme.b", "carts", "SESSIONS")

    assert (owners.tables_of("acme.a"), owners.tables_of("acme.b")) == (["notes", "sessions"], [])
    assert owners.bounds("acme.b") == (frozenset({"notes", "sessions"}), frozenset())
