"""The seven operations are called by name, with plain JSON, under the checks of the service."""

from __future__ import annotations

import json
from typing import Any

import pytest
from expiring_sessions import OVER, count, fill

NAMES = ("cancel_task", "execute_task_now", "list_tasks", "pause_resume_task", "register_cleanup", "run_cleanup")
TASK = {"name": "hourly", "module_id": "acme.test", "function_name": "note", "cron": "0 * * * *"}


async def perform(node: Any, operation: str, /, **parameters: Any) -> Any:
    return (await node.scheduler.perform(f"scheduler.{operation}", parameters)).unwrap()


def test_all_seven_are_there_each_with_a_schema(node: Any) -> None:
    known = {each["name"]: each["parameters"] for each in node.scheduler.operations()}

    assert sorted(known) == sorted(f"scheduler.{name}" for name in (*NAMES, "schedule_task"))
    assert {"name", "module_id", "function_name"} <= set(known["scheduler.schedule_task"]["required"])
    assert known["scheduler.pause_resume_task"]["properties"]["action"]["enum"] == ["pause", "resume"]
    assert json.dumps(known)


async def test_a_task_is_scheduled_listed_paused_run_and_cancelled_by_name(node: Any) -> None:
    scheduled = await perform(node, "schedule_task", **TASK, parameters={"a": 1})
    task_id = scheduled["task_id"]
    listed = await perform(node, "list_tasks", module_id="acme.test")
    paused = await perform(node, "pause_resume_task", task_id=task_id, action="pause", reason="why not")
    resumed = await perform(node, "pause_resume_task", task_id=task_id, action="resume")
    await perform(node, "execute_task_now", task_id=task_id)
    await node.scheduler.run_due()
    cancelled = await perform(node, "cancel_task", task_id=task_id)

    assert [task["id"] for task in listed["tasks"]] == [task_id]
    assert [each["status"] for each in (paused, resumed, cancelled)] == ["paused", "pending", "cancelled"]
    assert (node.runs, scheduled["next_execution"]) == ([{"a": 1}], "2026-01-05T13:00:00Z")
    assert json.dumps(listed)


async def test_a_cleanup_is_registered_and_run_by_name(node: Any) -> None:
    await fill(node.app_context.database, node.clock.now(), old=3, new=1)
    await perform(node, "register_cleanup", module_id="acme.test", cleanup_type="sessions", config=OVER)

    dry = await perform(node, "run_cleanup", cleanup_type="sessions", dry_run=True)
    done = await perform(node, "run_cleanup", module_id="acme.test")

    assert [(each["total"]["matched"], each["total"]["deleted"]) for each in (dry, done)] == [(3, 0), (3, 3)]
    assert await count(node.app_context.database) == 1


@pytest.mark.parametrize(
    ("name", "parameters", "code"),
    [
        ("scheduler.list_everything", {}, "UNKNOWN_OPERATION"),
        ("prune_history", {}, "UNKNOWN_OPERATION"),
        ("scheduler.cancel_task", {}, "INVALID_CONFIG"),
        ("scheduler.cancel_task", {"task_id": "x", "force": True}, "INVALID_CONFIG"),
        ("scheduler.pause_resume_task", {"task_id": "x", "action": "stop"}, "INVALID_CONFIG"),
        ("scheduler.cancel_task", {"task_id": "x"}, "TASK_NOT_FOUND"),
        ("scheduler.schedule_task", TASK | {"function_name": "nobody"}, "INVALID_CONFIG"),
        (
            "scheduler.register_cleanup",
            {"module_id": "acme.test", "cleanup_type": "all", "config": {"directory": "/etc"}},
            "INVALID_CONFIG",
        ),
    ],
)
async def test_what_the_service_refuses_is_refused_by_name(
    node: Any, name: str, parameters: dict[str, Any], code: str
) -> None:
    answer = await node.scheduler.perform(name, parameters)

    assert answer.error.code == code


async def test_a_frozen_cleanup_stays_so_when_it_is_run_by_name(node: Any) -> None:
    await node.scheduler.freeze_cleanups("an audit")

    answer = await node.scheduler.perform("scheduler.run_cleanup", {})

    assert answer.error.code == "CLEANUPS_FROZEN"


async def test_an_operation_is_a_function_that_a_task_may_run(node: Any) -> None:
    later = {"module_id": "core.scheduler", "function_name": "scheduler.schedule_task", "delay": 60}
    task_id = await node.add(**later, name="later", parameters=TASK)

    await node.pass_time(60)

    assert await node.states(task_id) == ["succeeded"]
    (row,) = await node.history(task_id)
    assert (await node.task(row["result"]["task_id"]))["name"] == "hourly"
