"""States: every one that a task or an execution can have is reached, means what it says, and is moved by no reading."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from nodes import Stuck, freeze, kill, release_all
from sqlalchemy import Connection, text

from modules.core.scheduler.execution import State
from modules.core.scheduler.tables import Base
from modules.core.scheduler.task import Status

MINUTE = 60.0
LEASE = 60.0
READS = 60

Story = Callable[[Any], Awaitable[str]]


async def fails(parameters: dict[str, Any]) -> None:
    raise LookupError("no such thing")


async def waits(node: Any) -> str:
    """A task asked for, that no turn has taken up."""
    task_id = str(await node.add(delay="1 day"))
    (await node.scheduler.execute_task(task_id)).unwrap()
    return task_id


async def runs(node: Any) -> str:
    """A task whose function does not end."""
    stuck = Stuck()
    node.register("stuck", stuck.run)
    task_id = str(await node.add("stuck", timeout=MINUTE))
    await node.scheduler.turn()
    await stuck.started.wait()
    return task_id


async def works(node: Any) -> str:
    """A task whose function returns."""
    task_id = str(await node.add())
    await node.scheduler.run_due()
    return task_id


async def breaks(node: Any) -> str:
    """A task whose function raises."""
    node.register("fails", fails)
    task_id = str(await node.add("fails"))
    await node.scheduler.run_due()
    return task_id


async def takes_too_long(node: Any) -> str:
    """A task whose function does not end in time."""
    task_id = await runs(node)
    await node.pass_time(MINUTE)
    return task_id


async def is_stopped(node: Any) -> str:
    """A task whose execution somebody cancels."""
    task_id = await runs(node)
    (row,) = await node.history(task_id)
    (await node.scheduler.cancel_execution(row["id"])).unwrap()
    await node.scheduler.run_due()
    return task_id


async def loses_its_node(node: Any) -> str:
    """A task that may run only once, and whose node dies meanwhile."""
    stuck = Stuck()
    node.register("stuck", stuck.run)
    task_id = str(await node.add("stuck", delivery="at_most_once"))
    await node.scheduler.turn()
    await stuck.started.wait()
    kill(node)
    await node.pass_time(LEASE + 1)
    return task_id


async def overlaps(node: Any) -> str:
    """A task that becomes due while it was asked for already."""
    task_id = str(await node.add(delay=MINUTE))
    node.register("stuck", Stuck().run)
    (await node.scheduler.update_task(task_id, {"function_name": "stuck"})).unwrap()
    asked = (await node.scheduler.execute_task(task_id)).unwrap()["execution_id"]
    await node.scheduler.turn()
    node.clock.advance(MINUTE)
    await node.scheduler.turn()
    (await node.scheduler.cancel_execution(asked)).unwrap()
    release_all()
    await node.scheduler.run_due()
    return task_id


async def comes_too_late(node: Any) -> str:
    """A task that nobody was there for until its grace time was over."""
    task_id = str(await node.add(delay=MINUTE, misfire_grace_time=MINUTE))
    await node.pass_time(3 * MINUTE)
    return task_id


async def rests(node: Any) -> str:
    """A task that is paused."""
    task_id = str(await node.add(delay=MINUTE))
    (await node.scheduler.pause_task(task_id)).unwrap()
    return task_id


async def is_not_wanted(node: Any) -> str:
    """A task that is cancelled before its time."""
    task_id = str(await node.add(delay=MINUTE))
    (await node.scheduler.cancel_task(task_id)).unwrap()
    return task_id


async def is_to_come(node: Any) -> str:
    """A task whose time has not come."""
    return str(await node.add(delay=MINUTE))


EXECUTIONS: dict[State, tuple[Story, bool | None]] = {
    State.PENDING: (waits, None),
    State.RUNNING: (runs, None),
    State.SUCCEEDED: (works, True),
    State.FAILED: (breaks, False),
    State.TIMED_OUT: (takes_too_long, False),
    State.CANCELLED: (is_stopped, None),
    State.LOST: (loses_its_node, False),
    State.SKIPPED: (overlaps, None),
    State.MISSED: (comes_too_late, None),
}
TASKS: list[tuple[Story, Status]] = [
    (is_to_come, Status.PENDING),
    (waits, Status.RUNNING),
    (runs, Status.RUNNING),
    (rests, Status.PAUSED),
    (works, Status.COMPLETED),
    (comes_too_late, Status.COMPLETED),
    (breaks, Status.FAILED),
    (takes_too_long, Status.FAILED),
    (loses_its_node, Status.FAILED),
    (is_stopped, Status.CANCELLED),
    (is_not_wanted, Status.CANCELLED),
]


def test_the_stories_below_reach_every_state_and_every_status() -> None:
    assert set(EXECUTIONS) == set(State)
    assert {status for _, status in TASKS} == set(Status)


@pytest.mark.parametrize("state", State)
async def test_every_state_of_an_execution_is_reached_and_success_says_what_it_came_to(node: Any, state: State) -> None:
    story, success = EXECUTIONS[state]

    task_id = await story(node)

    (row,) = [row for row in await node.history(task_id) if row["state"] == state]
    ended = state not in (State.PENDING, State.RUNNING)
    assert (row["success"], row["end_time"] is not None) == (success, ended)


@pytest.mark.parametrize(("story", "status"), TASKS)
async def test_every_status_of_a_task_is_reached(node: Any, story: Story, status: Status) -> None:
    task_id = await story(node)

    listed = (await node.scheduler.list_tasks(status=status.value)).unwrap()["tasks"]
    assert (await node.task(task_id))["status"] == status
    assert task_id in [task["id"] for task in listed]


def everything(c: Connection) -> dict[str, list[str]]:
    """Return every row of every table as it is stored."""
    names = [table.name for table in Base.metadata.sorted_tables]
    return {name: sorted(repr(tuple(row)) for row in c.execute(text(f"SELECT * FROM {name}"))) for name in names}


def reads(node: Any, task_id: str, execution_id: str) -> list[Callable[[], Awaitable[Any]]]:
    """Return all that can be asked without changing anything, in variations."""
    s = node.scheduler
    return [
        s.list_tasks,
        lambda: s.list_tasks(status="pending", limit=1),
        lambda: s.list_tasks(search="note", recurring=True),
        lambda: s.get_task(task_id),
        lambda: s.get_task("there is none"),
        lambda: s.get_executions(limit=2),
        lambda: s.get_executions(task_id, state="pending"),
        lambda: s.get_execution(execution_id),
        lambda: s.preview("*/5 * * * *", 3),
        lambda: s.preview({"type": "interval", "minutes": 15}),
        lambda: s.preview_task(task_id),
        s.list_nodes,
        s.list_queues,
        s.list_cleanups,
        s.status,
        s.health,
        node.app_context.health,
    ]


async def test_no_sequence_of_reads_changes_a_byte_of_any_table(node: Any, tmp_path: Path) -> None:
    chance = random.Random(13)
    stories = [breaks, comes_too_late, rests, is_not_wanted, is_to_come, runs, waits]
    ids = [await story(node) for story in stories]
    await node.add_every(MINUTE)
    (await node.scheduler.register_cleanup(tmp_path / "data" / "old", "*.tmp", module_id="acme.test")).unwrap()
    freeze(node)  # the heartbeat writes by itself
    node.clock.advance(10 * MINUTE)  # much is due, some has no time left
    await node.scheduler.live.roll_up()  # or a task of a turn does it meanwhile
    before = await node.app_context.database.read(everything)
    (asked,) = await node.history(ids[-1])

    for _ in range(READS):
        read = chance.choice(reads(node, chance.choice(ids), asked["id"]))
        await read()
        await asyncio.gather(*[each() for each in chance.sample(reads(node, ids[-1], asked["id"]), 2)])

    assert await node.app_context.database.read(everything) == before
    assert all(before[name] for name in ("scheduler_events", "scheduler_executions", "scheduler_cleanup_config"))
