"""Registering cleanups: checked before anything is stored, listed, edited, and in step with their tasks."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Column, DateTime, Integer, MetaData, String, Table, select

from modules.core.scheduler.cleanup_tables import cleanups

MODULE = "acme.test"
HOUR = 3600.0
EXPIRED = {"table_name": "sessions", "date_column": "expires_at"}


@pytest.fixture
async def sessions(node: Any) -> Table:
    """A table of the application."""
    table = Table(
        "sessions",
        MetaData(),
        Column("id", Integer, primary_key=True),
        Column("expires_at", DateTime(timezone=True)),
        Column("state", String(20)),
    )
    await node.app_context.database.write(table.create)
    return table


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder below the allowed root."""
    folder = tmp_path / "data" / "files"
    folder.mkdir(parents=True)
    return folder


async def register(node: Any, cleanup_type: str, config: dict[str, Any], module_id: str = MODULE) -> str:
    answer = (await node.scheduler.register_cleanup_task(module_id, cleanup_type, config)).unwrap()
    return str(answer["cleanup_id"])


async def listed(node: Any, module_id: str = MODULE) -> list[dict[str, Any]]:
    return list((await node.scheduler.list_cleanups(module_id=module_id)).unwrap())


async def stored(node: Any, cleanup_id: str) -> Any:
    query = select(cleanups).where(cleanups.c.id == cleanup_id)
    return await node.app_context.database.read(lambda c: c.execute(query).one())


async def test_the_same_registration_twice_is_one_row(node: Any, sessions: Table) -> None:
    first = await node.scheduler.register_cleanup_task(MODULE, "sessions", EXPIRED)
    node.clock.advance(10 * 60)

    again = await node.scheduler.register_cleanup_task(MODULE, "sessions", EXPIRED)

    assert (first.data["created"], again.data["created"]) == (True, False)
    assert first.data["cleanup_id"] == again.data["cleanup_id"]
    assert [each["next_run"] for each in await listed(node)] == [
        (await node.task(first.data["task_id"]))["next_execution"]
    ]


async def test_two_nodes_that_register_at_once_make_one_row(node: Any, start_node: Any, sessions: Table) -> None:
    nodes = [node, await start_node()]

    answers = await asyncio.gather(*(each.scheduler.register_cleanup_task(MODULE, "s", EXPIRED) for each in nodes * 5))

    assert len({answer.unwrap()["cleanup_id"] for answer in answers}) == 1
    assert len(await listed(node)) == 1


async def test_another_policy_of_the_same_type_updates_it(node: Any, sessions: Table) -> None:
    cleanup_id = await register(node, "sessions", EXPIRED)

    again = await register(node, "sessions", {**EXPIRED, "cleanup_interval": "5 minutes", "batch_size": 7})

    (shown,) = await listed(node)
    assert again == cleanup_id == shown["id"]
    assert (shown["config"]["batch_size"], shown["config"]["cleanup_interval"]) == (7, "5m")
    assert (shown["next_run"] - node.clock.now()).total_seconds() == 300


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"wher": {"state": "done"}}, "wher"),
        ({"where": {"stat": "done"}}, "where.stat"),
        ({"where": {}}, "where"),
        ({"where": {"state": []}}, "where.state"),
        ({"table_name": "session"}, "table_name"),
        ({"date_column": "expires"}, "date_column"),
        ({"max_age": "soon"}, "max_age"),
        ({"batch_size": 0}, "batch_size"),
        ({"database": "elsewhere"}, "database"),
        ({"cleanup_interval": 0}, "cleanup_interval"),
    ],
)
async def test_a_mistake_never_widens_what_goes(node: Any, sessions: Table, changes: Any, field: str) -> None:
    refused = await node.scheduler.register_cleanup_task(MODULE, "sessions", {**EXPIRED, **changes})

    assert refused.error.code == "INVALID_CONFIG"
    assert field in [problem["field"] for problem in refused.error.details["problems"]]
    assert await listed(node) == []


@pytest.mark.parametrize(
    ("directory", "pattern"),
    [
        ("{root}/../elsewhere", "*"),
        ("/etc", "*"),
        ("{root}", "*"),
        ("relative", "*"),
        ("{root}/files", "../x/*"),
        ("{root}/files", "/etc/*"),
    ],
)
async def test_a_directory_outside_the_allowed_root_is_refused(
    node: Any, tmp_path: Path, directory: str, pattern: str
) -> None:
    refused = await node.scheduler.register_cleanup(directory.format(root=tmp_path / "data"), pattern, module_id=MODULE)

    assert refused.error.code == "INVALID_CONFIG"
    assert await listed(node) == []


async def test_a_function_that_is_not_registered_is_refused(node: Any) -> None:
    refused = await node.scheduler.register_cleanup_task(MODULE, "own", {"function_name": "nobody"})

    assert refused.error.details["problems"][0]["field"] == "function_name"


@pytest.mark.parametrize("name", ["", "a\nb", "a\0b", "\ud800", "x" * 5001, None])
async def test_a_name_that_cannot_be_stored_is_refused(node: Any, sessions: Table, name: Any) -> None:
    by_type = await node.scheduler.register_cleanup_task(MODULE, name, EXPIRED)
    by_module = await node.scheduler.register_cleanup_task(name, "sessions", EXPIRED)

    assert (by_type.error.code, by_module.error.code) == ("INVALID_CONFIG", "INVALID_CONFIG")


async def test_thirty_days_and_one_hour_are_used_and_shown_where_nothing_is_given(node: Any, folder: Path) -> None:
    await node.scheduler.register_cleanup(folder, module_id=MODULE)

    (shown,) = await listed(node)
    assert (shown["config"]["max_age"], shown["config"]["cleanup_interval"]) == ("30d", "1h")
    assert shown["cleanup_type"] == f"files:{folder}/*"


async def test_cleanups_are_listed_updated_and_removed_by_module(node: Any, sessions: Table) -> None:
    mine = await register(node, "mine", EXPIRED)
    other = await register(node, "other", EXPIRED, module_id="acme.other")

    updated = (await node.scheduler.update_cleanup(mine, {"max_age": "2 days", "cron": "0 4 * * *"})).unwrap()
    removed = (await node.scheduler.remove_cleanup(other)).unwrap()

    assert (updated["config"]["max_age"], updated["config"]["cron"]) == ("2d", "0 4 * * *")
    assert "cleanup_interval" not in updated["config"]
    assert removed == {"cleanup_id": other, "status": "removed", "warnings": []}
    assert [each["id"] for each in await listed(node)] == [mine]
    assert await listed(node, "acme.other") == []


async def test_one_word_for_an_age_replaces_another(node: Any, folder: Path) -> None:
    answer = await node.scheduler.register_cleanup(folder, module_id=MODULE)

    updated = await node.scheduler.update_cleanup(answer.data["cleanup_id"], {"retention_days": 7})

    assert updated.unwrap()["config"]["retention_days"] == 7
    assert "max_age" not in updated.data["config"]


async def test_an_edit_is_made_as_a_whole_or_not_at_all(node: Any, sessions: Table) -> None:
    cleanup_id = await register(node, "sessions", EXPIRED)
    await node.scheduler.cancel_task((await stored(node, cleanup_id)).task_id)

    refused = await node.scheduler.update_cleanup(cleanup_id, {"batch_size": 7, "enabled": True})

    assert refused.error.code == "INVALID_STATE"
    assert (await listed(node))[0]["config"]["batch_size"] == 100


@pytest.mark.parametrize("enabled", ["false", 0, None])
async def test_enabled_is_true_or_false_and_nothing_that_looks_like_it(
    node: Any, sessions: Table, enabled: Any
) -> None:
    cleanup_id = await register(node, "sessions", EXPIRED)

    refused = await node.scheduler.update_cleanup(cleanup_id, {"enabled": enabled})

    assert refused.error.details["problems"][0]["field"] == "enabled"


async def test_an_unknown_cleanup_is_told(node: Any) -> None:
    answers = [
        await node.scheduler.update_cleanup("nobody", {"enabled": False}),
        await node.scheduler.remove_cleanup("nobody"),
        await node.scheduler.run_cleanup("nobody"),
        await node.app_context.get_service("core.scheduler.housekeeper").run_cleanup(module_id="acme.nobody"),
    ]

    assert {answer.error.code for answer in answers} == {"CLEANUP_NOT_FOUND"}


async def test_secret_parameters_of_a_cleanup_are_never_shown(node: Any) -> None:
    async def purge(*, bucket: str, token: str) -> None: ...

    node.register("purge", purge, secret=["token"])
    config = {"function_name": "purge", "parameters": {"bucket": "b", "token": "hunter2"}}
    cleanup_id = await register(node, "own", config)

    shown = [(await listed(node))[0], (await node.scheduler.update_cleanup(cleanup_id, {"priority": 3})).unwrap()]

    assert [each["config"]["parameters"] for each in shown] == [{"bucket": "b", "token": "***"}] * 2


async def test_an_unreadable_config_hides_no_other_and_is_repaired_by_an_edit(node: Any, sessions: Table) -> None:
    cleanup_id = await register(node, "broken", EXPIRED)
    await register(node, "sound", EXPIRED)
    damage = cleanups.update().where(cleanups.c.id == cleanup_id).values(config="{not json")
    await node.app_context.database.write(lambda c: c.execute(damage))

    seen = [each["config"] for each in await listed(node)]
    ran = await node.scheduler.run_cleanup("broken")
    repaired = await node.scheduler.update_cleanup(cleanup_id, EXPIRED)

    assert seen[0] == {"corrupt": True}
    assert seen[1]["table_name"] == "sessions"
    assert ran.error.code == "CLEANUP_FAILED"
    assert repaired.unwrap()["config"]["table_name"] == "sessions"
