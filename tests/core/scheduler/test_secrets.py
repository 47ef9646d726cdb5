"""Secret parameters are masked wherever their task is shown, and reach the function as they are."""

from __future__ import annotations

import logging
from typing import Any

import pytest

MODULE = "acme.test"
SECRET = "hunter2"


async def test_a_secret_is_masked_wherever_its_task_is_shown(node: Any, caplog: pytest.LogCaptureFixture) -> None:
    async def call(*, url: str, token: str) -> None:
        raise RuntimeError(f"cannot reach {url} with {token}")

    caplog.set_level(logging.DEBUG, "modules")
    node.register("call", call, secret=["token"])
    scheduler, parameters = node.scheduler, {"url": "here", "token": SECRET}
    scheduled = await scheduler.schedule_interval(call, every=60, parameters=parameters)
    task_id = scheduled.unwrap()["task_id"]

    tasks = [
        await scheduler.get_task(task_id),
        await scheduler.update_task(task_id, {"priority": 3}),
        await scheduler.pause_task(task_id),
        await scheduler.resume_task(task_id),
        await node.app_context.get_service("core.scheduler.job_manager").update_job_status(task_id, "paused"),
    ]
    listed = (await scheduler.list_tasks(module_id=MODULE)).unwrap()["tasks"]
    await scheduler.execute_task(task_id)
    await node.scheduler.run_due()
    others = [
        scheduled,
        await scheduler.get_executions(task_id),
        await scheduler.status(),
        await scheduler.health(),
        await scheduler.schedule_interval(call, every=60, parameters={"url": 1, "token": SECRET}),
        await scheduler.cancel_task(task_id),
    ]

    shown = [task.unwrap() for task in tasks] + listed
    assert [task["parameters"] for task in shown] == [{"url": "here", "token": "***"}] * 6
    assert SECRET not in repr([answer.to_dict() for answer in others]) + caplog.text


async def test_where_its_function_is_unknown_no_parameter_is_shown(start_node: Any) -> None:
    async def call(*, url: str, token: str) -> None: ...

    first, second = await start_node(), await start_node()
    first.register("call", call, secret=["token"])
    task_id = await first.add("call", delay=1, parameters={"url": "here", "token": SECRET})

    shown = await second.task(task_id)

    assert shown["parameters"] == {"url": "***", "token": "***"}


async def test_a_hidden_parameter_is_what_it_was_when_the_function_runs(node: Any) -> None:
    seen: list[str] = []

    async def call(*, token: str) -> None:
        seen.append(token)

    node.register("call", call, secret=["token"])
    task_id = await node.add("call", delay=1, parameters={"token": SECRET})
    await node.scheduler.update_task(task_id, {"priority": 3})

    await node.pass_time(1)

    assert seen == [SECRET]
