"""A cleanup that puts nothing into the trash any more: what lies there is told, listed, and deleted in time."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aged_files import later, names, write
from expiring_sessions import fill, register

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

ROWS = {"table_name": "sessions", "date_column": "at", "max_age": "1 day"}
TRASH = {**ROWS, "action": "trash", "trash_column": "gone_at", "trash_for": "7 days"}


async def trashed(node: Any) -> str:
    """Put seven rows into the trash; return the cleanup's id."""
    database = node.app_context.database
    await fill(database, node.clock.now(), old=7, new=3)
    await database.write(lambda c: c.exec_driver_sql("ALTER TABLE sessions ADD COLUMN gone_at DATETIME"))
    registered = await register(node, "sessions", TRASH)
    (await node.scheduler.run_cleanup("sessions")).unwrap()
    return str(registered["cleanup_id"])


async def test_a_changed_action_keeps_the_trash_of_rows(node: Any) -> None:
    cleanup = await trashed(node)

    changed = (await node.scheduler.update_cleanup(cleanup, {"action": "delete"})).unwrap()
    (archive,) = (await node.scheduler.list_archives(cleanup)).unwrap()
    restored = (await node.scheduler.restore_cleanup(cleanup, dry_run=True)).unwrap()

    assert (changed["config"]["action"], changed["config"]["trash_column"]) == ("delete", "gone_at")
    assert (archive["rows"], restored["restored"]) == (7, 7)


async def test_rows_that_nobody_would_look_after_are_warned_of(node: Any) -> None:
    cleanup = await trashed(node)

    kept = await register(node, "sessions", {**TRASH, "action": "delete"})
    forgotten = await register(node, "sessions", ROWS)
    await register(node, "sessions", TRASH)
    removed = (await node.scheduler.remove_cleanup(cleanup)).unwrap()

    assert [each["field"] for each in kept["warnings"] if "lie in" in each["message"]] == []
    assert "7 rows of 'sessions' lie in the trash" in forgotten["warnings"][-1]["message"]
    assert removed["warnings"] == [forgotten["warnings"][-1]]


@pytest.mark.parametrize("goes_on", [False, True])
async def test_files_in_a_trash_that_no_cleanup_empties_go_with_the_history(
    node: Any, tmp_path: Path, goes_on: bool
) -> None:
    folder = tmp_path / "data" / "files"
    write(folder / "old.log", 100)
    node.clock.step(later(folder, timedelta(days=2)) - node.clock.now())
    config = {"directory": str(folder), "max_age": "1 day", "action": "trash", "trash_for": "7 days"}
    cleanup = (await register(node, "files", config))["cleanup_id"]
    (await node.scheduler.run_cleanup("files")).unwrap()
    node.clock.step(timedelta(days=8))
    if not goes_on:
        (await node.scheduler.update_cleanup(cleanup, {"action": "delete", "trash_for": None})).unwrap()

    report = (await node.scheduler.run_cleanup("history")).unwrap()["reports"][0]

    assert len([name for name in names(tmp_path / "data") if name.endswith("old.log")]) == goes_on
    assert ("purged" in report["note"]) is not goes_on
