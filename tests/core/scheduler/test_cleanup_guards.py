"""The rails of a run: each holds back what would go without it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aged_files import later, names, write
from expiring_sessions import OVER, count, fill, register

from modules.core.scheduler.cleanup import Limits
from modules.core.scheduler.cleanup_runs import CleanupRuns
from modules.core.scheduler.ownership import TableOwners

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

HOUR = 3600.0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder below the allowed root, with ten files of a hundred bytes."""
    folder = tmp_path / "data" / "files"
    for number in range(10):
        write(folder / f"{number}.log", 100)
    return folder


async def run(node: Any, cleanup_type: str = "sessions") -> dict[str, Any]:
    """Run a cleanup and return its report, of a run that failed as well."""
    answer = await node.scheduler.run_cleanup(cleanup_type)
    told = answer.data if answer.success else answer.error.details
    return dict(told["reports"][0])


@pytest.mark.parametrize("guard", [{"max_fraction": 0.5}, {"max_deletions": 6}, {"min_left": 4}])
async def test_a_run_that_would_take_too_much_takes_nothing(node: Any, guard: dict[str, Any]) -> None:
    await fill(node.app_context.database, node.clock.now(), old=7, new=3)
    await register(node, "sessions", {**OVER, **guard, "batch_size": 1})

    report = await run(node)

    assert (report["code"], report["success"], report["deleted"]) == ("GUARD_EXCEEDED", False, 0)
    assert (report["matched"], report["kept"], report["dry_run"]) == (7, {"young": 3, "guard": 7}, False)
    assert "7" in report["errors"][0] or "3 of 10" in report["errors"][0]
    assert await count(node.app_context.database) == 10


@pytest.mark.parametrize("guard", [{"max_fraction": 0.7}, {"max_deletions": 7}, {"min_left": 3}])
async def test_a_run_within_its_limits_goes_on(node: Any, guard: dict[str, Any]) -> None:
    await fill(node.app_context.database, node.clock.now(), old=7, new=3)
    await register(node, "sessions", {**OVER, **guard})

    assert (await run(node))["deleted"] == 7


async def test_without_its_guard_the_same_run_takes_too_much(node: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    await fill(node.app_context.database, node.clock.now(), old=7, new=3)
    await register(node, "sessions", {**OVER, "max_fraction": 0.5})
    monkeypatch.setattr(Limits, "any", False)

    await run(node)

    assert await count(node.app_context.database) == 3


async def test_files_are_guarded_by_number_bytes_and_what_stays(node: Any, folder: Path) -> None:
    node.clock.step(later(folder, timedelta(hours=1)) - node.clock.now())
    wide = {"directory": str(folder), "max_files": 2, "min_age": 0}
    for guard in ({"max_deletions": 7}, {"max_bytes": 799}, {"min_left": 3}, {"max_fraction": 0.79}):
        await register(node, "files", {**wide, **guard})
        assert (await run(node, "files"))["code"] == "GUARD_EXCEEDED"
    assert len(names(folder)) == 10

    await register(node, "files", {**wide, "max_deletions": 8, "max_bytes": 800, "min_left": 2, "max_fraction": 0.8})
    assert (await run(node, "files"))["deleted"] == 8


@pytest.mark.parametrize(("max_bytes", "left"), [(499, 3), (500, 0), (None, 0)], ids=["rail", "room", "no-rail"])
async def test_rows_are_guarded_by_bytes_where_a_column_tells_them(node: Any, max_bytes: int | None, left: int) -> None:
    database = node.app_context.database
    for statement in (
        "CREATE TABLE uploads (id INTEGER PRIMARY KEY, at DATETIME, size INTEGER)",
        "INSERT INTO uploads VALUES (1, '2020-01-01', 100), (2, '2020-01-01', NULL), (3, '2020-01-01', 400)",
    ):
        await database.write(lambda c, statement=statement: c.exec_driver_sql(statement))
    old = {"table_name": "uploads", "date_column": "at", "max_age": "1 day", "size_column": "size"}
    registered = await register(node, "uploads", old if max_bytes is None else {**old, "max_bytes": max_bytes})

    plan = (await node.scheduler.preview_cleanup(registered["cleanup_id"])).unwrap()
    report = await run(node, "uploads")

    assert (plan["bytes"], len(plan["guards"])) == (500, 1 if left else 0)
    assert (report["code"], report["bytes"]) == ("GUARD_EXCEEDED" if left else None, 500)
    assert await database.read(lambda c: c.exec_driver_sql("SELECT count(*) FROM uploads").scalar_one()) == left


async def test_max_bytes_of_rows_whose_size_nobody_knows_is_refused(node: Any) -> None:
    await fill(node.app_context.database, node.clock.now(), old=7, new=3)

    refused = await node.scheduler.register_cleanup_task("acme.test", "sessions", {**OVER, "max_bytes": 10})

    (problem,) = refused.error.details["problems"]
    assert problem == {"field": "size_column", "message": "max_bytes needs it: nothing else tells how large a row is"}
    assert (await node.scheduler.list_cleanups(module_id="acme.test")).unwrap() == []


async def test_a_cleanup_without_limits_takes_those_of_the_settings(start_node: Any) -> None:
    node = await start_node(housekeeper_max_deletions=5)
    await fill(node.app_context.database, node.clock.now(), old=7, new=3)
    await register(node, "sessions", OVER)

    assert (await run(node))["code"] == "GUARD_EXCEEDED"
    await register(node, "sessions", {**OVER, "max_deletions": 10})
    assert (await run(node))["deleted"] == 7


async def test_what_comes_between_the_count_and_the_run_does_not_pass_the_guard(
    node: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = node.app_context.database
    await fill(database, node.clock.now(), old=0, new=10)
    await register(node, "sessions", {**OVER, "max_deletions": 4})
    count_first = CleanupRuns.count

    async def count_then_age(*arguments: Any) -> Any:
        counted = await count_first(*arguments)
        table = "UPDATE sessions SET at = '2000-01-01 00:00:00.000000'"
        await database.write(lambda c: c.exec_driver_sql(table))
        return counted

    monkeypatch.setattr(CleanupRuns, "count", count_then_age)

    report = await run(node)

    assert (report["code"], report["success"], report["deleted"]) == ("GUARD_EXCEEDED", False, 4)
    assert await count(database) == 6


async def test_a_refused_run_fails_its_execution_with_the_code(node: Any) -> None:
    await fill(node.app_context.database, node.clock.now(), old=7, new=3)
    registered = await register(node, "sessions", {**OVER, "max_deletions": 1})

    await node.pass_time(HOUR)

    (row,) = await node.history(registered["task_id"])
    assert (row["state"], row["error"].split(":")[0]) == ("failed", "GUARD_EXCEEDED")


async def test_a_table_of_another_module_is_not_cleaned(node: Any) -> None:
    await fill(node.app_context.database, node.clock.now(), old=7, new=3)
    await register(node, "sessions", OVER)
    node.scheduler.declare_tables("acme.other", "Sessions")

    refused = await node.scheduler.register_cleanup_task("acme.test", "again", OVER)
    report = await run(node)

    assert "acme.other" in refused.error.details["problems"][0]["message"]
    assert (report["success"], report["deleted"]) == (False, 0)
    assert await count(node.app_context.database) == 10


async def test_without_its_owner_the_same_table_is_cleaned(node: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    await fill(node.app_context.database, node.clock.now(), old=7, new=3)
    await register(node, "sessions", OVER)
    node.scheduler.declare_tables("acme.other", "sessions")
    monkeypatch.setattr(TableOwners, "problem", lambda *_: None)
    monkeypatch.setattr(TableOwners, "bounds", lambda *_: (frozenset(), None))

    await run(node)

    assert await count(node.app_context.database) == 3


async def test_where_only_owned_tables_are_cleaned_a_table_needs_its_owner(start_node: Any) -> None:
    node = await start_node(housekeeper_owned_tables_only=True)
    await fill(node.app_context.database, node.clock.now(), old=7, new=3)

    refused = await node.scheduler.register_cleanup_task("acme.test", "sessions", OVER)
    node.scheduler.declare_tables("acme.test", "sessions")
    await register(node, "sessions", OVER)

    assert "declare_tables" in refused.error.details["problems"][0]["message"]
    assert (await run(node))["deleted"] == 7


NOTES = "CREATE TABLE notes (id INTEGER PRIMARY KEY, session_id INTEGER REFERENCES sessions (id))"


@pytest.mark.parametrize(("only_owned", "owner"), [(False, "acme.other"), (True, None)])
async def test_rows_that_refer_to_others_go_along_only_where_their_table_is_ones_own(
    start_node: Any, only_owned: bool, owner: str | None
) -> None:
    node = await start_node(housekeeper_owned_tables_only=only_owned)
    database = node.app_context.database
    await fill(database, node.clock.now(), old=7, new=3)
    await database.write(lambda c: c.exec_driver_sql(NOTES))
    await database.write(lambda c: c.exec_driver_sql("INSERT INTO notes VALUES (1, 0)"))
    node.scheduler.declare_tables("acme.test", "sessions")
    with_children = {**OVER, "children": "delete"}
    if owner is not None:
        await register(node, "sessions", with_children)
        node.scheduler.declare_tables(owner, "notes")

    refused = await node.scheduler.register_cleanup_task("acme.test", "again", with_children)
    answer = await node.scheduler.run_cleanup("sessions")

    assert "'notes'" in refused.error.details["problems"][0]["message"]
    assert not answer.success
    assert await count(database) == 10


@pytest.mark.parametrize("action", [{"action": "archive"}, {"action": "anonymise", "anonymise": {"at": None}}])
async def test_a_guard_holds_back_every_action(node: Any, tmp_path: Path, action: dict[str, Any]) -> None:
    await fill(node.app_context.database, node.clock.now(), old=7, new=3)
    await register(node, "sessions", {**OVER, **action, "max_deletions": 6})

    report = await run(node)

    assert (report["code"], report["done"], report["deleted"]) == ("GUARD_EXCEEDED", {}, 0)
    assert [name for name in names(tmp_path) if "archive" in name] == []
    await register(node, "sessions", {**OVER, **action, "max_deletions": 7})
    assert sum((await run(node))["done"].values()) == 7
