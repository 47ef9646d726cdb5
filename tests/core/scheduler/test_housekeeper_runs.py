"""Running cleanups: on their own clocks and by hand; a dry run changes nothing, and an error is an error."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aged_files import aged, later, names, write
from expiring_sessions import OVER, count, fill, metadata, register, reports, sessions
from sqlalchemy import select

from framework import Application
from framework.database import Database
from framework.testing import FakeClock
from modules.core.scheduler import SchedulerService

MODULE = "acme.test"
HOUR = 3600.0
DAY = timedelta(days=1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder below the allowed root."""
    folder = tmp_path / "data" / "files"
    folder.mkdir(parents=True)
    return folder


async def failing() -> None:
    raise OSError("the bucket is gone")


async def test_1050_rows_go_in_11_batches_when_their_time_has_come(node: Any) -> None:
    await fill(node.app_context.database, node.clock.now(), old=1050, new=7)
    registered = await register(node, "sessions", OVER)

    await node.pass_time(HOUR)

    (row,) = await node.history(registered["task_id"])
    result = row["result"]
    assert (row["state"], result["batches"], result["deleted"], result["success"]) == ("succeeded", 11, 1050, True)
    assert await count(node.app_context.database) == 7


async def test_each_cleanup_follows_its_own_clock(node: Any) -> None:
    await fill(node.app_context.database, node.clock.now(), old=1, new=0)
    hourly = await register(node, "hourly", OVER)
    often = await register(node, "often", {**OVER, "cleanup_interval": "20 minutes"})
    daily = await register(node, "daily", {**OVER, "cron": "0 4 * * *"})
    off = await register(node, "off", OVER)
    await node.scheduler.update_cleanup(off["cleanup_id"], {"enabled": False})

    for _ in range(6):
        await node.pass_time(HOUR / 3)

    ran = [len(await node.history(each["task_id"])) for each in (hourly, often, daily, off)]
    assert ran == [2, 6, 0, 0]


async def test_a_dry_run_writes_neither_to_the_tree_nor_to_the_table(node: Any, folder: Path) -> None:
    for number in range(5):
        aged(folder / f"{number}.log", number * DAY)
    node.clock.step(later(folder, timedelta(hours=1)) - node.clock.now())
    await fill(node.app_context.database, node.clock.now(), old=5, new=5)
    await register(node, "files", {"directory": str(folder), "max_files": 0})
    await register(node, "sessions", OVER)
    before = await everything(node, folder)

    planned = (await node.scheduler.run_cleanup(dry_run=True)).unwrap()
    one = (await node.scheduler.run_cleanup("files", dry_run=True)).unwrap()
    unchanged = await everything(node, folder) == before
    done = (await node.scheduler.run_cleanup()).unwrap()

    assert unchanged
    assert (planned["total"]["deleted"], one["total"]["deleted"], planned["total"]["dry_run"]) == (0, 0, True)
    assert planned["total"]["matched"] == done["total"]["deleted"] == 10
    assert names(folder) == set()


def tree_of(folder: Path) -> list[tuple[str, int, bytes]]:
    return [(str(path), path.stat().st_mtime_ns, path.read_bytes()) for path in sorted(folder.rglob("*"))]


async def everything(node: Any, folder: Path) -> tuple[str, str]:
    """Hash the tree with its moments, and the table."""
    rows = await node.app_context.database.read(lambda c: c.execute(select(sessions).order_by(sessions.c.id)).all())
    return hashlib.sha256(repr(tree_of(folder)).encode()).hexdigest(), hashlib.sha256(repr(rows).encode()).hexdigest()


async def test_where_the_settings_ask_for_dry_runs_nothing_goes_at_all(start_node: Any) -> None:
    node = await start_node(housekeeper_dry_run=True, keep_executions_per_task=1)
    await fill(node.app_context.database, node.clock.now(), old=5, new=0)
    registered = await register(node, "sessions", OVER)
    await node.pass_time(HOUR)
    await node.pass_time(HOUR)

    by_hand = (await node.scheduler.run_cleanup("sessions")).unwrap()
    history = await node.app_context.get_service("core.scheduler.job_manager").cleanup_completed_jobs()

    scheduled = [row["result"] for row in await node.history(registered["task_id"])]
    assert [(result["dry_run"], result["matched"]) for result in scheduled] == [(True, 5), (True, 5)]
    assert (by_hand["total"]["dry_run"], by_hand["total"]["deleted"]) == (True, 0)
    assert history.unwrap() == {"executions": 0, "tasks": 0, "reports": 0, "audit": 0}
    assert await count(node.app_context.database) == 5
    assert (await node.scheduler.list_cleanups(module_id=MODULE)).unwrap()[0]["last_run"] is None


async def test_a_failing_cleaner_fails_its_execution_and_stops_no_other(node: Any) -> None:
    await fill(node.app_context.database, node.clock.now(), old=3, new=0)
    node.register("failing", failing)
    broken = await register(node, "broken", {"function_name": "failing", "priority": 9})
    await register(node, "sessions", OVER)

    await node.pass_time(HOUR)

    (row,) = await node.history(broken["task_id"])
    assert (row["state"], row["success"]) == ("failed", False)
    assert "the bucket is gone" in row["error"]
    assert (await reports(node, broken["cleanup_id"]))[0]["errors"] == ["OSError: the bucket is gone"]
    assert await count(node.app_context.database) == 0


async def test_a_run_by_hand_that_fails_in_part_is_an_error_that_tells_all(node: Any) -> None:
    await fill(node.app_context.database, node.clock.now(), old=3, new=0)
    node.register("failing", failing)
    await register(node, "broken", {"function_name": "failing", "priority": 9})
    await register(node, "sessions", OVER)

    answer = await node.scheduler.run_cleanup()

    assert answer.error.code == "CLEANUP_FAILED"
    assert "broken" in answer.error.message
    by_type = {each["cleanup_type"]: each["success"] for each in answer.error.details["reports"]}
    assert (by_type["broken"], by_type["sessions"]) == (False, True)
    assert answer.error.details["total"]["deleted"] == 3


async def test_a_table_that_is_gone_is_an_error_and_not_an_empty_run(node: Any) -> None:
    await fill(node.app_context.database, node.clock.now(), old=3, new=0)
    await register(node, "sessions", OVER)
    await node.app_context.database.write(metadata.drop_all)

    answer = await node.scheduler.run_cleanup("sessions")

    assert answer.error.code == "CLEANUP_FAILED"
    assert "sessions" in answer.error.details["reports"][0]["errors"][0]


def replace_by_link(folder: Path, target: Path) -> None:
    folder.rmdir()
    folder.symlink_to(target)


async def test_a_folder_that_became_a_link_out_of_the_root_is_not_followed(
    node: Any, folder: Path, tmp_path: Path
) -> None:
    await register(node, "files", {"directory": str(folder), "max_files": 0, "min_age": 0})
    kept = write(tmp_path / "elsewhere" / "precious.txt")
    replace_by_link(folder, kept.parent)

    answer = await node.scheduler.run_cleanup("files")

    assert answer.error.code == "CLEANUP_FAILED"
    assert kept.exists()


async def test_a_file_written_a_second_ago_is_kept(node: Any, folder: Path) -> None:
    aged(folder / "fresh.log", timedelta(0))
    node.clock.step(later(folder, timedelta(0)) - node.clock.now())
    await register(node, "files", {"directory": str(folder), "max_files": 0})

    report = (await node.scheduler.run_cleanup("files")).unwrap()["reports"][0]

    assert (report["deleted"], report["kept"]) == (0, {"min_age": 1})
    assert names(folder) == {"fresh.log"}


async def test_running_all_goes_by_priority_and_leaves_out_what_is_switched_off(node: Any) -> None:
    order: list[str] = []
    for name, priority in (("low", 1), ("high", 9), ("off", 5)):
        node.register(name, lambda name=name: order.append(name), description=name)
        await register(node, name, {"function_name": name, "priority": priority})
    (off,) = [each for each in (await node.scheduler.list_cleanups()).unwrap() if each["cleanup_type"] == "off"]
    await node.scheduler.update_cleanup(off["id"], {"enabled": False})

    await node.scheduler.run_cleanup()
    await node.scheduler.run_cleanup("off")

    assert order == ["high", "low", "off"]


async def test_rows_of_another_database_go_by_its_name(database_url: str, tmp_path: Path) -> None:
    other_url = f"sqlite+aiosqlite:///{tmp_path / 'other.db'}"
    clock, other = FakeClock(), Database(other_url)
    await fill(other, clock.now(), old=3, new=2)
    settings = {
        "framework": {"database_url": database_url, "data_dir": str(tmp_path), "databases": {"archive": other_url}},
        "core.scheduler": {"enabled": False},
    }

    async with Application(modules=["core.scheduler"], settings=settings, clock=clock) as app_context:
        scheduler = app_context.get_service(SchedulerService)
        config = {**OVER, "database": "archive"}
        (await scheduler.register_cleanup_task(MODULE, "sessions", config)).unwrap()
        done = (await scheduler.run_cleanup("sessions")).unwrap()

    assert done["total"]["deleted"] == 3
    assert await count(other) == 2
    await other.close()


async def test_a_changed_schedule_of_the_maintenance_moves_its_run_and_makes_no_second(start_node: Any) -> None:
    node = await start_node()
    before = (await node.scheduler.list_cleanups()).unwrap()

    again = await start_node(housekeeper_schedule="30 4 * * *")
    after = (await again.scheduler.list_cleanups()).unwrap()
    third = await start_node(housekeeper_schedule="30 4 * * *")

    assert [(each["cleanup_type"], each["next_run"].strftime("%H:%M")) for each in before] == [("history", "03:17")]
    assert [(each["id"], each["next_run"].strftime("%H:%M")) for each in after] == [(before[0]["id"], "04:30")]
    assert (await third.scheduler.list_cleanups()).unwrap() == after
    assert len((await third.scheduler.list_tasks(tag="cleanup")).unwrap()["tasks"]) == 1
