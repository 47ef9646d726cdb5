"""The scheduler's own past stays bounded: by age and by number, in batches, and never what is open or declared."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, insert, select

from framework.clock import new_id
from framework.database import SQLITE, Database
from framework.testing.statements import watched
from modules.core.scheduler import JobManager
from modules.core.scheduler.cleanup_tables import cleanup_reports
from modules.core.scheduler.history import BATCH
from modules.core.scheduler.tables import events, executions

MINUTE = 60.0
HOUR = 3600.0
DAY = 24 * HOUR
MONTH = 31 * DAY


async def prune(node: Any) -> dict[str, int]:
    return dict((await node.app_context.get_service(JobManager).cleanup_completed_jobs()).unwrap())


async def add_history(node: Any, task_id: str, number: int) -> None:
    """Insert so many ended executions, one a minute up to now."""
    now = node.clock.now()
    moments = [now - timedelta(minutes=minute) for minute in range(number, 0, -1)]
    ended = {"state": "succeeded", "success": True, "origin": "schedule", "function_key": "acme.test:note"}
    ended |= {"queue": "default", "line": "ready", "rank": 0.0}
    counters = {"attempt": 1, "priority": 0, "missed_count": 0, "retries_used": 0, "crashes": 0}
    rows = [
        {**ended, **counters, "id": new_id(), "event_id": task_id, "scheduled_for": moment}
        | {"due_at": moment, "start_time": moment, "end_time": moment, "created_at": moment}
        for moment in moments
    ]
    await node.app_context.database.write(lambda c: c.execute(insert(executions), rows))


async def count(database: Database, table: Any) -> int:
    return await database.read(lambda c: c.execute(select(func.count()).select_from(table)).scalar_one())


async def test_retention_is_on_by_default(node: Any) -> None:
    (cleanup,) = (await node.scheduler.list_cleanups(module_id="core.scheduler")).unwrap()

    assert (cleanup["cleanup_type"], cleanup["enabled"]) == ("history", True)
    assert cleanup["config"]["cron"] == "17 3 * * *"


async def test_what_ended_longer_ago_than_the_settings_keep_goes_every_night(start_node: Any) -> None:
    node = await start_node(keep_execution_history=2)
    task_id = await node.add_every(DAY)

    for _ in range(10):
        await node.pass_time(DAY)

    moments = [row["end_time"] for row in await node.history(task_id)]
    assert len(moments) == 3
    assert min(moments) > node.clock.now() - timedelta(days=3)


async def test_thirty_days_are_kept_where_nothing_is_set(node: Any) -> None:
    task_id = await node.add_every(MINUTE)
    await add_history(node, task_id, 3)

    node.clock.advance(29 * DAY)
    early = await prune(node)
    node.clock.advance(2 * DAY)
    late = await prune(node)

    assert (early["executions"], late["executions"]) == (0, 3)


async def test_of_one_task_only_the_newest_are_kept(start_node: Any) -> None:
    node = await start_node(keep_executions_per_task=3)
    crowded, other = await node.add_every(MINUTE, name="crowded"), await node.add_every(MINUTE, name="other")
    await add_history(node, crowded, 9)
    newest = (await node.history(crowded))[-3:]
    await add_history(node, other, 2)

    pruned = await prune(node)

    assert pruned == {"executions": 6, "tasks": 0, "reports": 0, "audit": 0}
    assert await node.history(crowded) == newest
    assert len(await node.history(other)) == 2


async def test_an_open_execution_is_never_pruned(start_node: Any) -> None:
    node = await start_node(keep_executions_per_task=1, keep_execution_history=1)
    task_id = await node.add(delay=1)
    node.clock.advance(1)
    await node.damage(task_id, function_name="nobody")
    await node.scheduler.turn()
    node.clock.advance(MONTH)

    pruned = await prune(node)

    assert pruned["executions"] == 0
    assert await node.states(task_id) == ["pending"]


async def test_what_runs_longest_is_kept_among_many_that_ended(start_node: Any) -> None:
    node = await start_node(keep_executions_per_task=1)
    task_id = await node.add_every(MONTH, overlap="allow")
    await add_history(node, task_id, 5)
    oldest, *_, newest = await node.history(task_id)
    await node.damage_execution(oldest["id"], state="running", success=None, end_time=None)

    await prune(node)

    assert [row["id"] for row in await node.history(task_id)] == [oldest["id"], newest["id"]]


async def test_a_failed_task_that_is_to_run_again_is_kept(node: Any) -> None:
    async def fail() -> None:
        raise RuntimeError

    node.register("fail", fail)
    task_id = await node.add("fail", delay=1)
    await node.pass_time(1)
    node.clock.advance(MONTH)
    await node.scheduler.execute_task(task_id)

    pruned = await prune(node)

    assert pruned == {"executions": 1, "tasks": 0, "reports": 0, "audit": 0}
    assert await node.states(task_id) == ["pending"]


async def test_a_done_one_time_task_goes_with_its_history(node: Any) -> None:
    done = await node.add(delay=1, name="done")
    cancelled = await node.add(delay=DAY, name="cancelled")
    waiting = await node.add(delay=2 * MONTH, name="waiting")
    recurring = await node.add_every(3 * MONTH, name="recurring")
    await node.pass_time(1)
    await node.scheduler.cancel_task(cancelled)
    node.clock.advance(MONTH)

    pruned = await prune(node)

    assert pruned == {"executions": 1, "tasks": 2, "reports": 0, "audit": 0}
    assert not await node.scheduler.get_task(done)
    assert [(await node.task(kept))["status"] for kept in (waiting, recurring)] == ["pending", "pending"]


async def test_a_done_one_time_task_stays_while_its_history_does(node: Any) -> None:
    task_id = await node.add(delay=1)
    await node.pass_time(1)
    node.clock.advance(29 * DAY)

    await prune(node)

    assert await node.states(task_id) == ["succeeded"]


async def test_what_code_declares_is_kept_for_its_key_makes_a_restart_change_nothing(node: Any) -> None:
    task_id = await node.add(delay=1, owner="code")
    await node.pass_time(1)
    node.clock.advance(MONTH)

    pruned = await prune(node)
    again = await node.add(delay=1, owner="code")

    assert (pruned["executions"], pruned["tasks"]) == (1, 0)
    assert again == task_id
    assert (await node.task(task_id))["status"] == "completed"


async def test_the_task_of_a_cleanup_is_kept_even_when_it_was_cancelled(node: Any) -> None:
    node.register("tidy", lambda: None)
    answer = await node.scheduler.register_cleanup_task("acme.test", "own", {"function_name": "tidy"})
    await node.scheduler.cancel_task(answer.data["task_id"])
    node.clock.advance(MONTH)

    await prune(node)

    assert [each["enabled"] for each in (await node.scheduler.list_cleanups(module_id="acme.test")).data] == [False]


async def test_old_reports_go_too(node: Any) -> None:
    node.register("tidy", lambda: None)
    await node.scheduler.register_cleanup_task("acme.test", "own", {"function_name": "tidy"})
    await node.scheduler.run_cleanup("own")
    node.clock.advance(MONTH)
    await node.scheduler.run_cleanup("own")

    pruned = await prune(node)

    assert pruned["reports"] == 1
    assert await count(node.app_context.database, cleanup_reports) == 1


@pytest.mark.parametrize("settings", [{}, {"keep_executions_per_task": 10}])
async def test_more_than_one_batch_goes_in_batches(start_node: Any, settings: dict[str, int]) -> None:
    node = await start_node(**settings)
    task_id = await node.add_every(MONTH)
    await add_history(node, task_id, 2 * BATCH + 30)
    node.clock.advance(0 if settings else MONTH)
    deleted: list[int] = []

    def note(statement: str, ids: Any) -> None:
        if statement.startswith("DELETE FROM scheduler_executions"):
            deleted.append(len(ids))

    with watched(node.app_context.database, note):
        pruned = await prune(node)

    assert deleted == [BATCH, BATCH, 20 if settings else 30]
    assert pruned["executions"] == sum(deleted)


async def test_the_file_becomes_smaller_when_much_of_the_history_has_gone(node: Any) -> None:
    large = {"name": "large", "module_id": "acme.test", "function_name": "note", "schedule_time": "now"}
    (await node.scheduler.schedule_tasks([large | {"parameters": {"x": "x" * 8000}}] * 200)).unwrap()
    await node.scheduler.run_due()
    node.clock.advance(31 * DAY)

    report = (await node.scheduler.run_cleanup("history")).unwrap()["total"]

    assert report["deleted"] == 400
    assert (report["freed_bytes"] > 1_000_000) == (node.app_context.database.dialect == SQLITE)


@pytest.mark.slow
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_hundred_thousand_runs_leave_a_bounded_table(start_node: Any) -> None:
    node = await start_node(keep_executions_per_task=100)
    tasks = [await node.add_every(MONTH, name=f"task {number}") for number in range(10)]
    for task_id in tasks:
        await add_history(node, task_id, 10_000)

    await node.pass_time(DAY)

    kept = await count(node.app_context.database, executions)
    assert kept == 10 * 100 + 1
    assert await count(node.app_context.database, events) == 11
