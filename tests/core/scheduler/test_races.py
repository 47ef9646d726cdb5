"""What comes in between: a pause, a run by hand, a claim, a lock; no occurrence is lost to any of them."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from framework import Application
from framework.database import engines
from modules.core.scheduler import SchedulerService
from modules.core.scheduler.store import executions, line

MINUTE = 60.0
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # its columns take any value


async def test_an_occurrence_that_is_due_is_not_lost_to_a_pause(node: Any) -> None:
    task_id = await node.add_every(MINUTE)
    node.clock.advance(MINUTE)

    await node.scheduler.pause_task(task_id)
    held = await node.states(task_id)
    await node.scheduler.resume_task(task_id)
    await node.scheduler.run_due()

    assert held == ["pending"]
    assert await node.states(task_id) == ["succeeded"]


async def test_a_run_by_hand_at_the_nominal_moment_takes_no_occurrence(node: Any) -> None:
    task_id = await node.add_every(MINUTE, overlap="allow")
    node.clock.advance(MINUTE)

    await node.scheduler.execute_task(task_id)
    await node.scheduler.run_due()

    assert sorted(row["origin"] for row in await node.history(task_id)) == ["manual", "schedule"]


@pytest.mark.parametrize("how", ["execution", "task"])
async def test_an_execution_that_is_claimed_while_it_is_cancelled_is_told_to_stop(
    node: Any, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    task_id = await node.add_every(MINUTE)
    execution_id = (await node.scheduler.execute_task(task_id)).unwrap()["execution_id"]
    close = executions.close

    def close_after_a_claim(c: Connection, row: Any, *args: Any, **values: Any) -> bool:
        claim = {
            "node_id": "a node",
            "session_id": "a session",
            "now": node.clock.now(),
            "full_of": None,
            "full_at": None,
        }
        line.start(c, [row.id], **claim)
        return close(c, row, *args, **values)

    monkeypatch.setattr(executions, "close", close_after_a_claim)
    if how == "execution":
        await node.scheduler.cancel_execution(execution_id)
    else:
        await node.scheduler.cancel_task(task_id, cancel_running=True)

    (row,) = await node.history(task_id)
    assert (row["state"], row["cancel_requested_at"]) == ("running", node.clock.now())


async def test_an_id_that_is_another_tasks_is_refused(node: Any) -> None:
    await node.add(task_id="mine", delay=1)

    async def other() -> None: ...

    node.scheduler.register_function("acme.other", "other", other)
    config = {"name": "x", "module_id": "acme.other", "function_name": "other", "delay": 1, "task_id": "mine"}
    by_module = await node.scheduler.schedule_task(config)
    by_key = await node.scheduler.schedule_task(
        config | {"module_id": "acme.test", "function_name": "note", "key": "another"}
    )

    assert (by_module.error.code, by_key.error.code) == ("ALREADY_EXISTS", "ALREADY_EXISTS")


@on_sqlite
@pytest.mark.parametrize(
    ("column", "value"),
    [("execution_count", "many"), ("max_executions", "few"), ("max_instances", "x"), ("next_execution", "0000")],
)
async def test_whatever_column_is_damaged_the_task_is_set_aside_and_others_run(
    node: Any, tmp_path: Path, column: str, value: str
) -> None:
    path = tmp_path / "test.db"
    poison, healthy = await node.add_every(MINUTE, name="poison"), await node.add_every(MINUTE, name="healthy")
    write(path, f"UPDATE scheduler_events SET {column} = ? WHERE id = ?", value, poison)
    node.clock.advance(MINUTE)

    for _ in range(2):
        await asyncio.gather(node.scheduler.run_due(), return_exceptions=True)

    assert await node.states(healthy) == ["succeeded"]
    assert (await node.task(poison))["status_reason"] == "CORRUPT_DEFINITION"


@on_sqlite
async def test_a_damaged_execution_is_closed_and_others_run(node: Any, tmp_path: Path) -> None:
    path = tmp_path / "test.db"
    poison, healthy = await node.add(name="poison", delay=1), await node.add(name="healthy", delay=1)
    await node.scheduler.execute_task(poison)
    write(path, "UPDATE scheduler_executions SET crashes = 'x'")
    node.clock.advance(1)

    for _ in range(2):
        await asyncio.gather(node.scheduler.run_due(), return_exceptions=True)

    assert await node.states(healthy) == ["succeeded"]
    assert (await node.reasons(poison))[0] == "CORRUPT_DEFINITION"


async def test_a_database_locked_at_the_start_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "BUSY_TIMEOUT", 0.05)
    path = tmp_path / "x.db"
    settings = {"framework": {"database_url": f"sqlite+aiosqlite:///{path}", "data_dir": str(tmp_path)}}
    async with Application(modules=["core.scheduler"], settings=settings):
        pass

    application = Application(modules=["core.scheduler"], settings=settings)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        starting = asyncio.ensure_future(application.start())
        await asyncio.wait([starting], timeout=0.5)
        waited = not starting.done()
        other.execute("COMMIT")
    app_context = await starting
    is_looping = app_context.get_service(SchedulerService)._runner.is_looping
    await application.stop()

    assert waited
    assert is_looping


@pytest.mark.parametrize("odd", ["\x00", "\ud800"])
async def test_text_that_no_database_holds_is_answered_like_any_other(node: Any, odd: str) -> None:
    task_id = await node.add_every(MINUTE)

    unknown = await node.scheduler.get_task(odd)
    listed = await node.scheduler.list_tasks(search=odd)
    emitted = await node.scheduler.emit(odd)
    paused = await node.scheduler.pause_task(task_id, odd)

    assert unknown.error.code == "TASK_NOT_FOUND"
    assert (listed.success, emitted.data, paused.success) == (True, 0, True)


def write(path: Path, statement: str, *values: Any) -> None:
    with closing(sqlite3.connect(path)) as file, file:
        file.execute(statement, values)
