"""Every run of a cleanup leaves a report: stored, summed, bounded, and as a file where one is wanted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from aged_files import write
from expiring_sessions import OVER, fill, register, reports

from modules.core.scheduler import ExecutionContext

MODULE = "acme.test"
HOUR = 3600.0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder below the allowed root."""
    folder = tmp_path / "data" / "files"
    folder.mkdir(parents=True)
    return folder


async def test_the_total_is_the_sum_of_the_reports(node: Any, folder: Path) -> None:
    await fill(node.app_context.database, node.clock.now(), old=4, new=2)
    await register(node, "sessions", OVER)
    await register(node, "files", {"directory": str(folder)})

    done = (await node.scheduler.run_cleanup()).unwrap()

    for field in ("examined", "matched", "deleted", "bytes", "batches", "error_count"):
        assert done["total"][field] == sum(report[field] for report in done["reports"])
    assert {report["cleanup_type"] for report in done["reports"]} == {"sessions", "files", "history"}


async def test_reports_are_kept_newest_first_and_outlive_their_cleanup(node: Any) -> None:
    await fill(node.app_context.database, node.clock.now(), old=4, new=2)
    registered = await register(node, "sessions", OVER)
    await node.scheduler.run_cleanup("sessions")
    ran_at = node.clock.now()
    node.clock.advance(60)
    await node.scheduler.run_cleanup("sessions", dry_run=True)

    (shown,) = (await node.scheduler.list_cleanups(module_id=MODULE)).unwrap()
    await node.scheduler.remove_cleanup(registered["cleanup_id"])

    kept = await reports(node, registered["cleanup_id"])
    assert [(each["dry_run"], each["deleted"]) for each in kept] == [(True, 0), (False, 4)]
    assert shown["last_run"] == ran_at
    assert len(await reports(node, registered["cleanup_id"], limit=1)) == 1


@pytest.mark.parametrize("limit", [0, -1, 501, "5"])
async def test_a_list_of_reports_has_a_limit(node: Any, limit: Any) -> None:
    answer = await node.scheduler.cleanup_reports("any", limit=limit)

    assert answer.error.code == "INVALID_LIMIT"


async def test_each_report_is_also_a_file_where_the_settings_name_a_folder(start_node: Any, tmp_path: Path) -> None:
    node = await start_node(housekeeper_report_directory=str(tmp_path / "reports" / "here"))
    await fill(node.app_context.database, node.clock.now(), old=4, new=2)
    await register(node, "sessions", OVER)

    await node.scheduler.run_cleanup("sessions")

    (path,) = (tmp_path / "reports" / "here").iterdir()
    report = json.loads(path.read_text())
    assert (report["cleanup_type"], report["deleted"], report["success"]) == ("sessions", 4, True)


async def test_a_report_that_cannot_be_written_is_an_error_of_the_run(start_node: Any, tmp_path: Path) -> None:
    node = await start_node(housekeeper_report_directory=str(write(tmp_path / "a file")))
    await fill(node.app_context.database, node.clock.now(), old=4, new=2)
    registered = await register(node, "sessions", OVER)

    answer = await node.scheduler.run_cleanup("sessions")

    assert answer.error.code == "CLEANUP_FAILED"
    (kept,) = await reports(node, registered["cleanup_id"])
    assert (kept["deleted"], kept["error_count"]) == (4, 1)


async def test_a_modules_own_cleaner_gets_the_context_and_its_result_is_in_the_report(node: Any) -> None:
    seen: list[ExecutionContext] = []

    async def purge(context: ExecutionContext, *, bucket: str) -> dict[str, Any]:
        seen.append(context)
        return {"purged": bucket}

    node.register("purge", purge)
    registered = await register(node, "own", {"function_name": "purge", "parameters": {"bucket": "b"}})

    await node.pass_time(HOUR)
    by_hand = (await node.scheduler.run_cleanup("own")).unwrap()

    (row,) = await node.history(registered["task_id"])
    assert [context.origin for context in seen] == ["schedule", "manual"]
    assert seen[0].execution_id == row["id"]
    assert all(context.app_context is node.app_context for context in seen)
    notes = [row["result"]["note"], by_hand["reports"][0]["note"]]
    assert [json.loads(note) for note in notes] == [{"purged": "b"}, {"purged": "b"}]


async def test_a_cleaner_that_returns_much_leaves_a_bounded_report(node: Any) -> None:
    node.register("boast", lambda: {"text": '"' * 400_000})
    await register(node, "own", {"function_name": "boast"})

    done = (await node.scheduler.run_cleanup("own")).unwrap()

    assert len(done["reports"][0]["note"]) <= 20_000


async def test_a_cleaner_that_knows_no_dry_run_is_not_called_in_one(node: Any) -> None:
    calls: list[int] = []
    node.register("purge", lambda: calls.append(1))
    await register(node, "own", {"function_name": "purge"})

    done = (await node.scheduler.run_cleanup(dry_run=True)).unwrap()

    assert calls == []
    assert "not called" in next(each["note"] for each in done["reports"] if each["cleanup_type"] == "own")


async def test_a_cleaner_with_a_parameter_dry_run_counts_what_it_would_delete(node: Any) -> None:
    calls: list[bool] = []

    def purge(*, dry_run: bool = False) -> dict[str, Any]:
        calls.append(dry_run)
        return {"matched": 7, "deleted": 0 if dry_run else 7, "bytes": -1, "examined": "many"}

    node.register("purge", purge)
    await register(node, "own", {"function_name": "purge"})

    dry = (await node.scheduler.run_cleanup("own", dry_run=True)).unwrap()["reports"][0]
    done = (await node.scheduler.run_cleanup("own")).unwrap()["reports"][0]

    assert calls == [True, False]
    assert [(each["matched"], each["deleted"]) for each in (dry, done)] == [(7, 0), (7, 7)]
    assert [(each["bytes"], each["examined"]) for each in (dry, done)] == [(0, 0), (0, 0)]
