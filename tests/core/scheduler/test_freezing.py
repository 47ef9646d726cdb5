"""The freeze and the read-only mode: whatever would delete is refused, on every node and after a restart."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from expiring_sessions import OVER, count, fill, register

from framework.clock import SystemClock
from modules.core.scheduler import cleanup_runs, history, planning_cleanups
from modules.core.scheduler.job_manager import JobManager

SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
HOUR = 3600.0
DAY = 86_400.0


async def refusals(node: Any, cleanup_id: str) -> list[str]:
    """Try everything that deletes, and return the codes of what is refused."""
    plan = (await node.scheduler.preview_cleanup(cleanup_id)).unwrap()
    answers = [
        await node.scheduler.run_cleanup("sessions"),
        await node.scheduler.run_cleanup(),
        await node.scheduler.apply_cleanup(plan["plan_id"]),
        await node.app_context.get_service(JobManager).cleanup_completed_jobs(),
    ]
    return ["" if answer.success else answer.error.code for answer in answers]


async def test_frozen_cleanups_delete_nothing_on_any_node_until_they_are_let_go(node: Any, start_node: Any) -> None:
    database = node.app_context.database
    await fill(database, node.clock.now(), old=7, new=3)
    registered = await register(node, "sessions", OVER)
    frozen = (await node.scheduler.freeze_cleanups("an audit")).unwrap()
    later = await start_node()

    codes = await refusals(later, registered["cleanup_id"])
    dry = (await later.scheduler.run_cleanup("sessions", dry_run=True)).unwrap()
    await later.pass_time(HOUR)

    assert frozen == {"frozen": True, "since": frozen["since"], "reason": "an audit"}
    assert codes == ["CLEANUPS_FROZEN"] * 4
    assert dry["total"]["matched"] == 7
    (row,) = await node.history(registered["task_id"])
    assert (row["state"], "an audit" in row["error"]) == ("failed", True)
    assert await count(database) == 10

    await node.scheduler.unfreeze_cleanups()
    assert (await later.scheduler.run_cleanup("sessions")).unwrap()["total"]["deleted"] == 7


@SQLITE
async def test_in_read_only_mode_everything_that_deletes_is_refused(start_node: Any) -> None:
    node = await start_node(housekeeper_read_only=True)
    await fill(node.app_context.database, node.clock.now(), old=7, new=3)
    registered = await register(node, "sessions", OVER)

    codes = await refusals(node, registered["cleanup_id"])
    await node.pass_time(HOUR)

    assert codes == ["CLEANUPS_READ_ONLY"] * 4
    assert [row["error"].split(":")[0] for row in await node.history(registered["task_id"])] == ["CLEANUPS_READ_ONLY"]
    assert await count(node.app_context.database) == 10


@SQLITE
async def test_where_the_settings_ask_for_dry_runs_no_plan_is_used_up(start_node: Any) -> None:
    node = await start_node(housekeeper_dry_run=True)
    await fill(node.app_context.database, node.clock.now(), old=7, new=3)
    registered = await register(node, "sessions", OVER)
    plan = (await node.scheduler.preview_cleanup(registered["cleanup_id"])).unwrap()

    answer = await node.scheduler.apply_cleanup(plan["plan_id"])

    assert answer.error.code == "CLEANUPS_READ_ONLY"
    assert (await node.scheduler.cleanup_plan(plan["plan_id"])).unwrap()["applied_at"] is None


@SQLITE
async def test_without_the_rail_frozen_cleanups_delete(node: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    await fill(node.app_context.database, node.clock.now(), old=7, new=3)
    registered = await register(node, "sessions", OVER)
    await node.scheduler.freeze_cleanups()
    monkeypatch.setattr(cleanup_runs, "standstill", lambda *_: None)
    monkeypatch.setattr(planning_cleanups, "refuse_standstill", lambda *_: None)
    monkeypatch.setattr(history, "refuse_standstill", lambda *_: None)

    codes = await refusals(node, registered["cleanup_id"])

    assert codes[0] == codes[1] == codes[3] == ""
    assert await count(node.app_context.database) == 3


@SQLITE
@pytest.mark.parametrize(("rail", "left"), [(True, 2), (False, 0)], ids=["rail", "no-rail"])
async def test_the_retention_of_the_history_stops_where_cleanups_are_frozen_meanwhile(
    node: Any, monkeypatch: pytest.MonkeyPatch, rail: bool, left: int
) -> None:
    for _ in range(3):
        await node.add()
    await node.scheduler.run_due()
    node.clock.advance(40 * DAY)
    carry_out = history._Pruning._carry_out

    async def carry_out_and_freeze(*arguments: Any) -> int:
        taken = await carry_out(*arguments)
        await node.scheduler.freeze_cleanups()
        return taken

    monkeypatch.setattr(history._Pruning, "_carry_out", carry_out_and_freeze)
    monkeypatch.setattr(history, "BATCH", 1)
    if not rail:
        monkeypatch.setattr(history, "refuse_standstill", lambda *_: None)

    await node.scheduler.run_cleanup("history")

    assert len((await node.scheduler.get_executions(module_id="acme.test")).unwrap()["executions"]) == left


@SQLITE
async def test_the_history_stays_while_cleanups_are_frozen(node: Any) -> None:
    task_id = await node.add()
    await node.scheduler.run_due()
    await node.scheduler.freeze_cleanups()

    await node.pass_time(40 * DAY)
    kept = len(await node.history(task_id))
    await node.scheduler.unfreeze_cleanups()
    await node.pass_time(DAY)

    assert kept == 1
    assert (await node.scheduler.get_task(task_id)).error.code == "TASK_NOT_FOUND"


@SQLITE
async def test_a_cleanup_that_runs_is_broken_off_by_a_freeze_from_another_node(
    node: Any, start_node: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = await start_node()
    await fill(node.app_context.database, node.clock.now(), old=5, new=0)
    await register(node, "sessions", {**OVER, "batch_size": 1})
    begun = asyncio.Event()

    async def clean_slowly(*_: Any, halted: Any, **__: Any) -> Any:
        begun.set()
        while not halted():
            await SystemClock().sleep(0)
        return node.scheduler._housekeeper.cleaner.failed("rows", dry_run=False, error="stopped")

    monkeypatch.setattr(node.scheduler._housekeeper.cleaner, "clean", clean_slowly)

    running = asyncio.create_task(node.scheduler.run_cleanup("sessions"))
    await begun.wait()
    await other.scheduler.freeze_cleanups("stop it")
    while not running.done():
        node.clock.advance(cleanup_runs.LOOK_EVERY)
        await SystemClock().sleep(0.01)

    report = (await running).error.details["reports"][0]
    assert (report["code"], report["success"]) == ("CLEANUPS_FROZEN", False)
    assert "stop it" in report["errors"][-1]


@SQLITE
async def test_freezing_again_changes_the_reason_only(node: Any) -> None:
    first = (await node.scheduler.freeze_cleanups("one")).unwrap()
    node.clock.advance(60)

    again = (await node.scheduler.freeze_cleanups("two")).unwrap()

    assert again == {**first, "reason": "two"}
    assert (await node.scheduler.unfreeze_cleanups()).unwrap() == {"frozen": False, "since": None, "reason": None}


@SQLITE
async def test_a_freeze_holds_back_no_task(node: Any, tmp_path: Path) -> None:
    await node.scheduler.freeze_cleanups()
    await node.add()

    await node.scheduler.run_due()

    assert len(node.runs) == 1


@SQLITE
async def test_a_function_that_ended_in_spite_of_a_freeze_is_not_said_to_be_broken_off(node: Any) -> None:
    async def clean() -> str:
        await node.scheduler.freeze_cleanups("too late")
        for _ in range(20):
            node.clock.advance(cleanup_runs.LOOK_EVERY)
            await SystemClock().sleep(0.001)
        return "done"

    node.register("clean", clean)
    await register(node, "slow", {"function_name": "clean"})

    report = (await node.scheduler.run_cleanup("slow")).unwrap()["reports"][0]

    assert (report["code"], report["note"]) == (None, '"done"')
