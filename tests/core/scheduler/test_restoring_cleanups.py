"""What a cleanup has archived or put into the trash is listed, and brought back, by its id."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aged_files import later, names
from expiring_sessions import OVER, count, fill, register
from sqlalchemy import Column, DateTime, Integer, MetaData, Table

from modules.core.scheduler import SchedulerSettings

ARCHIVING = {**OVER, "action": "archive", "compress": True}


async def test_archived_rows_come_back_by_the_id_of_their_cleanup(node: Any, tmp_path: Path) -> None:
    await fill(node.app_context.database, node.clock.now(), old=30, new=7)
    cleanup = (await register(node, "sessions", ARCHIVING))["cleanup_id"]
    run = (await node.scheduler.run_cleanup("sessions")).unwrap()["reports"][0]
    left = await count(node.app_context.database)

    (archive,) = (await node.scheduler.list_archives(cleanup)).unwrap()
    planned = (await node.scheduler.restore_cleanup(cleanup, dry_run=True)).unwrap()
    unchanged = await count(node.app_context.database)
    done = (await node.scheduler.restore_cleanup(cleanup, archive["archive"])).unwrap()

    assert (run["done"], left, unchanged) == ({"archived": 30}, 7, 7)
    assert (planned["restored"], planned["dry_run"]) == (30, True)
    assert done == {
        "cleanup_id": cleanup,
        "archive": archive["archive"],
        "dry_run": False,
        "restored": 30,
        "existing": 0,
    }
    assert await count(node.app_context.database) == 37
    assert [path.name for path in (tmp_path / "data" / "archive" / "sessions").iterdir()] == [archive["archive"]]


async def test_files_in_the_trash_come_back_the_same_way(node: Any, tmp_path: Path) -> None:
    folder = tmp_path / "data" / "files"
    folder.mkdir(parents=True)
    (folder / "one.log").write_text("one")
    node.clock.step(later(folder, timedelta(days=2)) - node.clock.now())
    config = {"directory": str(folder), "max_age": "1 day", "action": "trash"}
    cleanup = (await register(node, "files", config))["cleanup_id"]
    (await node.scheduler.run_cleanup("files")).unwrap()
    gone = names(folder)

    (archive,) = (await node.scheduler.list_archives(cleanup)).unwrap()
    planned = (await node.scheduler.restore_cleanup(cleanup, dry_run=True)).unwrap()
    done = (await node.scheduler.restore_cleanup(cleanup, archive["archive"])).unwrap()

    assert (gone, archive["files"]) == (set(), 1)
    assert (planned["restored"], done["restored"], done["existing"]) == (1, 1, 0)
    assert names(folder) == {"one.log"}


async def test_an_archive_must_be_one_of_the_cleanups_own(node: Any) -> None:
    await fill(node.app_context.database, node.clock.now(), old=3, new=0)
    cleanup = (await register(node, "sessions", ARCHIVING))["cleanup_id"]
    await node.scheduler.run_cleanup("sessions")
    await fill(node.app_context.database, node.clock.now(), old=3, new=0)
    await node.scheduler.run_cleanup("sessions")

    unknown = await node.scheduler.restore_cleanup("nobody")
    several = await node.scheduler.restore_cleanup(cleanup)
    elsewhere = await node.scheduler.restore_cleanup(cleanup, "../../secret.jsonl")

    assert unknown.error.code == "CLEANUP_NOT_FOUND"
    assert several.error.code == elsewhere.error.code == "ARCHIVE_NOT_FOUND"
    assert len(several.error.details["archives"]) == 2


async def test_a_damaged_archive_is_a_failed_restore(node: Any, tmp_path: Path) -> None:
    await fill(node.app_context.database, node.clock.now(), old=3, new=0)
    cleanup = (await register(node, "sessions", ARCHIVING))["cleanup_id"]
    await node.scheduler.run_cleanup("sessions")
    (file,) = (tmp_path / "data" / "archive" / "sessions").iterdir()
    file.write_bytes(file.read_bytes()[:-9])

    answer = await node.scheduler.restore_cleanup(cleanup)

    assert (answer.error.code, await count(node.app_context.database)) == ("RESTORE_FAILED", 0)
    assert "damaged" in answer.error.message


async def test_rows_are_not_moved_into_a_table_of_another_module(node: Any) -> None:
    await fill(node.app_context.database, node.clock.now(), old=3, new=0)
    same = Table("others", MetaData(), Column("id", Integer, primary_key=True), Column("at", DateTime(timezone=True)))
    await node.app_context.database.write(same.create)
    node.scheduler.declare_tables("acme.other", "others")
    config = {**OVER, "action": "archive", "archive_to": {"table": "others"}}

    answer = await node.scheduler.register_cleanup_task("acme.test", "sessions", config)

    assert answer.error.code == "INVALID_CONFIG"
    assert answer.error.details["problems"][0]["field"] == "archive_to.table"


def test_a_key_of_pseudonyms_is_long_enough_and_never_shown() -> None:
    settings = SchedulerSettings.model_validate({"housekeeper_pseudonym_key": "a secret of the operator"})

    assert "secret of" not in repr(settings)
    with pytest.raises(ValueError, match="housekeeper_pseudonym_key"):
        SchedulerSettings.model_validate({"housekeeper_pseudonym_key": "short"})


async def test_while_cleanups_are_frozen_nothing_is_moved_back(node: Any) -> None:
    await fill(node.app_context.database, node.clock.now(), old=30, new=7)
    cleanup = (await register(node, "sessions", ARCHIVING))["cleanup_id"]
    (await node.scheduler.run_cleanup("sessions")).unwrap()
    await node.scheduler.freeze_cleanups("an audit")

    refused = await node.scheduler.restore_cleanup(cleanup)
    planned = (await node.scheduler.restore_cleanup(cleanup, dry_run=True)).unwrap()

    assert (refused.error.code, planned["restored"]) == ("CLEANUPS_FROZEN", 30)
    assert await count(node.app_context.database) == 7
