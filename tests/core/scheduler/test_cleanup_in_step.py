"""A cleanup's row says what its task says, whatever happens to the task: it is changed in the same transaction."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from modules.core.scheduler.cleanup_tables import cleanups
from modules.core.scheduler.execution import Reason

HOUR = 3600.0
Act = Callable[[Any, str], Awaitable[Any]]


@pytest.fixture
async def task_id(node: Any) -> str:
    """The task of a cleanup that runs every hour."""

    async def tidy() -> None: ...

    node.register("tidy", tidy)
    config = {"function_name": "tidy", "cleanup_interval": "1 hour"}
    answer = await node.scheduler.register_cleanup_task("acme.test", "own", config)
    return str(answer.unwrap()["task_id"])


async def shown(node: Any, task_id: str) -> tuple[bool, Any]:
    query = select(cleanups.c.enabled, cleanups.c.next_run).where(cleanups.c.task_id == task_id)
    return tuple(await node.app_context.database.read(lambda c: c.execute(query).one()))


async def firing(node: Any, task_id: str) -> None:
    await node.pass_time(HOUR)


async def pausing(node: Any, task_id: str) -> None:
    (await node.scheduler.pause_task(task_id)).unwrap()


async def resuming(node: Any, task_id: str) -> None:
    await pausing(node, task_id)
    node.clock.advance(10.5 * HOUR)
    (await node.scheduler.resume_task(task_id)).unwrap()


async def cancelling(node: Any, task_id: str) -> None:
    (await node.scheduler.cancel_task(task_id)).unwrap()


async def correcting(node: Any, task_id: str) -> None:
    jobs = node.app_context.get_service("core.scheduler.job_manager")
    (await jobs.update_job_status(task_id, "completed")).unwrap()


async def retiming(node: Any, task_id: str) -> None:
    (await node.scheduler.update_task(task_id, {"cron": "30 4 * * *"})).unwrap()


async def corrupting(node: Any, task_id: str) -> None:
    await node.damage(task_id, trigger="{not json")
    await node.pass_time(HOUR)


async def disabling(node: Any, task_id: str) -> None:
    (cleanup,) = (await node.scheduler.list_cleanups(module_id="acme.test")).unwrap()
    assert (await node.scheduler.update_cleanup(cleanup["id"], {"enabled": False})).unwrap()["enabled"] is False


async def crashing(node: Any, task_id: str) -> None:
    (await node.scheduler.execute_task(task_id)).unwrap()
    (row,) = await node.history(task_id)
    await node.damage_execution(row["id"], state="running", node_id="gone", start_time=node.clock.now(), crashes=2)
    await node.scheduler.run_due()
    assert (await node.task(task_id))["status_reason"] == Reason.CRASH_LIMIT


@pytest.mark.parametrize(
    ("act", "enabled"),
    [
        (firing, True),
        (pausing, False),
        (resuming, True),
        (cancelling, False),
        (correcting, False),
        (retiming, True),
        (corrupting, False),
        (disabling, False),
        (crashing, False),
    ],
)
async def test_a_cleanup_is_in_step_with_its_task(node: Any, task_id: str, act: Act, enabled: bool) -> None:
    await act(node, task_id)

    task = await node.task(task_id)
    assert await shown(node, task_id) == (enabled, task["next_execution"])


async def test_firing_moves_the_next_run_by_its_interval(node: Any, task_id: str) -> None:
    _, before = await shown(node, task_id)

    await firing(node, task_id)

    assert await shown(node, task_id) == (True, before + timedelta(hours=1))


async def test_an_edit_that_is_refused_moves_neither(node: Any, task_id: str) -> None:
    before = await shown(node, task_id)

    refused = await node.scheduler.update_task(task_id, {"cron": "0 0 30 2 *"})

    assert not refused
    assert await shown(node, task_id) == before


async def test_another_cleanups_row_is_left_alone(node: Any, task_id: str) -> None:
    answer = await node.scheduler.register_cleanup_task("acme.test", "other", {"function_name": "tidy"})

    await pausing(node, task_id)

    assert (await shown(node, answer.data["task_id"]))[0] is True
