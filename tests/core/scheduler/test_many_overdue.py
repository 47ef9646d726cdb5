"""Many overdue at once: a start after a long silence stays within the limit, and does everything once."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from typing import Any

import pytest
from nodes import Stuck
from shopping import Street
from sqlalchemy import Connection, select, update

from framework.web.assembling import open_paths, web_application
from framework.web.guard import guarded
from framework.web.rules import Rules
from modules.core.scheduler.tables import events, executions

MODULE = "acme.test"
MINUTE = 60.0
LIMIT = 5
EACH = 150
ASLEEP = 10


class Counting:
    """A function that knows how many of it run, and for which task each did."""

    def __init__(self, node: Any) -> None:
        self._clock = node.clock
        self._running = 0
        self.most = 0
        self.names: list[str] = []

    async def run(self, *, name: str) -> None:
        """Count, and let others run meanwhile."""
        self._running += 1
        self.most = max(self.most, self._running)
        self.names.append(name)
        for _ in range(5):
            await self._clock.sleep(0)
        self._running -= 1


def configs(**timing: Any) -> list[dict[str, Any]]:
    """Return many tasks with this timing."""
    named = [f"{next(iter(timing))} {number}" for number in range(EACH)]
    function = {"module_id": MODULE, "function_name": "count"}
    return [{"name": name, "parameters": {"name": name}, **function, **timing} for name in named]


@pytest.fixture
async def overdue(node: Any) -> list[str]:
    """Many tasks, one-time and recurring, that became due while nobody was there; returns their names."""
    node.register("count", Counting(node).run)
    wanted = configs(delay=MINUTE) + configs(interval_value=1, interval_type="minutes", recurring=True)
    (await node.scheduler.schedule_tasks(wanted)).unwrap()
    node.clock.advance(ASLEEP * MINUTE)
    return [config["name"] for config in wanted]


async def test_many_overdue_tasks_run_once_each_and_never_more_than_the_limit_at_once(
    start_node: Any, overdue: list[str]
) -> None:
    fresh = await start_node(max_concurrent_tasks=LIMIT)
    counting = Counting(fresh)
    fresh.register("count", counting.run)

    await fresh.scheduler.run_due()

    assert counting.most == LIMIT
    assert Counter(counting.names) == Counter(overdue)
    rows = await fresh.history()
    assert [row["state"] for row in rows] == ["succeeded"] * len(overdue)
    assert Counter(row["missed_count"] for row in rows) == {0: EACH, ASLEEP - 1: EACH}


@pytest.mark.slow
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_after_ten_thousand_runs_of_which_half_failed_there_is_as_much_room_as_before(start_node: Any) -> None:
    node = await start_node(max_concurrent_tasks=100)
    counting = Counting(node)

    async def count_and_fail(*, name: str) -> None:
        await counting.run(name=name)
        if name.endswith(("1", "3", "5", "7", "9")):
            raise RuntimeError(name)

    node.register("count", count_and_fail)
    config = {"module_id": MODULE, "function_name": "count", "recurring": True, "interval_type": "days"}
    names = [f"task {number}" for number in range(10_000)]
    wanted = [{"name": name, "parameters": {"name": name}, "interval_value": 1, **config} for name in names]
    (await node.scheduler.schedule_tasks(wanted)).unwrap()
    node.clock.advance(30 * 24 * 60 * MINUTE)

    await node.scheduler.run_due()
    states = Counter(await every_state(node))
    together = [Stuck() for _ in range(100)]
    for number, stuck in enumerate(together):
        node.register(f"together_{number}", stuck.run)
        await node.add(f"together_{number}")
    for _ in range(2):
        await node.scheduler.turn()
    for stuck in together:
        await stuck.started.wait()

    for stuck in together:
        stuck.release.set()

    assert sorted(counting.names) == sorted(names)
    assert states == {"succeeded": 5_000, "failed": 5_000}
    assert counting.most <= len(together)


async def every_state(node: Any) -> list[str]:
    """Return the state of each execution of those tasks."""
    mine = select(executions.c.state).where(executions.c.function_key == f"{MODULE}:count")
    return list(await node.app_context.database.read(lambda c: c.execute(mine).scalars().all()))


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # where one writer could hold up everybody
async def test_lists_are_answered_over_http_while_many_overdue_tasks_run_and_somebody_writes(
    start_node: Any, overdue: list[str]
) -> None:
    fresh = await start_node(max_concurrent_tasks=LIMIT)
    counting = Counting(fresh)
    fresh.register("count", counting.run)
    app = web_application(fresh.app_context)
    street = Street(fresh.app_context, guarded(app, Rules(fresh.app_context, open_paths(app))))
    writing, go_on, loop = asyncio.Event(), threading.Event(), asyncio.get_running_loop()

    def write(c: Connection) -> None:
        c.execute(update(events).values(last_error="written"))
        loop.call_soon_threadsafe(writing.set)
        go_on.wait()

    await fresh.scheduler.turn()
    holding = asyncio.create_task(fresh.app_context.database.write(write))
    await writing.wait()
    paths = ("tasks?limit=5", "executions?limit=5", "status", "info")
    try:
        answers = [await street.ask("GET", f"/api/v1/scheduler/{path}") for path in paths]
    finally:
        go_on.set()
    await holding
    await fresh.scheduler.run_due()

    assert [answer.status_code for answer in answers] == [200] * len(paths)
    assert Counter(counting.names) == Counter(overdue)


async def test_lists_are_answered_while_many_overdue_tasks_run(start_node: Any, overdue: list[str]) -> None:
    fresh = await start_node(max_concurrent_tasks=LIMIT)
    counting = Counting(fresh)
    fresh.register("count", counting.run)

    await fresh.scheduler.turn()
    page = (await fresh.scheduler.list_tasks(status="running", limit=1)).unwrap()
    status = (await fresh.scheduler.status()).unwrap()

    assert len(page["tasks"]) == 1
    assert status["running_everywhere"] == LIMIT
