"""So many cleanups at once, a cleanup once at a time, and those with a window within it."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest
from expiring_sessions import OVER, fill, register, reports

from framework.testing.statements import watched

HOUR = 3600.0
NIGHTLY = {"function_name": "tidy", "cleanup_interval": "1 hour", "window": "22:00-05:00"}


class Gauge:
    """A cleaner that remembers who ran, in which order, and how many of them at once; each waits for `let_go`."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.most = 0
        self.let_go = asyncio.Event()
        self._now = 0

    async def __call__(self, *, name: str) -> None:
        self.names.append(name)
        self._now += 1
        self.most = max(self.most, self._now)
        await self.let_go.wait()
        self._now -= 1


async def three_at_once(node: Any) -> Gauge:
    """Let three cleanups be due at once, the later registered with the higher priority."""
    gauge = Gauge()
    node.register("gauge", gauge)
    for priority, name in enumerate("abc"):
        config = {"function_name": "gauge", "parameters": {"name": name}, "cleanup_interval": "1 hour"}
        await register(node, name, {**config, "priority": priority})
    node.clock.advance(HOUR)
    return gauge


async def test_cleanups_run_one_after_the_other_those_of_higher_priority_first(node: Any) -> None:
    gauge = await three_at_once(node)
    gauge.let_go.set()

    await node.scheduler.run_due()

    assert (gauge.names, gauge.most) == (["c", "b", "a"], 1)


@pytest.mark.parametrize("most", [1, 2])
async def test_the_settings_say_how_many_cleanups_run_at_once(start_node: Any, most: int) -> None:
    node = await start_node(housekeeper_max_at_once=most)
    gauge = await three_at_once(node)

    running = asyncio.ensure_future(node.scheduler.run_due())
    while (await node.states()).count("running") < most or gauge.most < most:
        await asyncio.to_thread(int)
    waiting = (await node.states()).count("pending")
    gauge.let_go.set()
    await running

    assert (sorted(gauge.names), gauge.most, waiting) == (["a", "b", "c"], most, 3 - most)


async def test_a_cleanup_never_runs_twice_at_once(start_node: Any) -> None:
    node = await start_node(housekeeper_max_at_once=5)
    gauge = Gauge()
    node.register("gauge", gauge)
    config = {"function_name": "gauge", "parameters": {"name": "a"}, "cleanup_interval": "1 hour"}
    registered = await register(node, "a", config)
    task_id = registered["task_id"]
    node.clock.advance(HOUR)
    await node.scheduler.execute_task(task_id)

    running = asyncio.ensure_future(node.scheduler.run_due())
    while gauge.most < 2 and "succeeded" not in await node.states(task_id):
        await asyncio.to_thread(int)
    gauge.let_go.set()
    await running

    assert (gauge.names, gauge.most) == (["a"], 1)
    assert await node.states(task_id) == ["succeeded", "succeeded"]
    assert len(await reports(node, registered["cleanup_id"])) == 1


async def test_of_runs_that_have_piled_up_only_the_last_does_the_work(node: Any) -> None:
    await fill(node.app_context.database, node.clock.now(), old=2, new=0)
    registered = await register(node, "sessions", {**OVER, "cleanup_interval": "1 hour"})
    for _ in range(4):
        await node.scheduler.execute_task(registered["task_id"])
        node.clock.advance(1)

    await node.scheduler.run_due()

    results = [row["result"].get("note") for row in await node.history(registered["task_id"])]
    assert results == [*["a later run of this cleanup waits already"] * 3, None]
    assert [report["deleted"] for report in await reports(node, registered["cleanup_id"])] == [2]


async def next_run(node: Any) -> datetime:
    (cleanup,) = (await node.scheduler.list_cleanups(module_id="acme.test")).unwrap()
    return cleanup["next_run"]


async def test_what_is_due_outside_the_window_waits_until_it_opens(node: Any) -> None:
    runs: list[datetime] = []
    node.register("tidy", lambda: runs.append(node.clock.now()))
    await register(node, "night", NIGHTLY)

    for _ in range(24):
        await node.pass_time(HOUR)

    assert [moment.hour for moment in runs] == [22, 23, 0, 1, 2, 3, 4]
    assert (await next_run(node)).hour == 22


async def test_a_run_ends_with_its_window_and_the_next_one_goes_on(node: Any) -> None:
    await fill(node.app_context.database, node.clock.now(), old=40, new=0)
    config = {**OVER, "cleanup_interval": "1 hour", "window": "22:00-22:30", "batch_size": 10}
    registered = await register(node, "sessions", config)
    batches: list[str] = []

    def take_long(statement: str, _parameters: Any) -> None:
        if statement.startswith('DELETE FROM "sessions"'):
            batches.append(statement)
            node.clock.step(timedelta(minutes=20))

    with watched(node.app_context.database, take_long):
        await node.pass_time(10 * HOUR)
    first = len(batches)
    with watched(node.app_context.database, take_long):
        await node.scheduler.run_cleanup("sessions")

    assert first == 2
    shown = [(report["success"], report["deleted"]) for report in await reports(node, registered["cleanup_id"])]
    assert shown == [(True, 20), (True, 20)]


async def test_registering_a_cleanup_with_a_window_again_moves_nothing(node: Any) -> None:
    node.register("tidy", lambda: None)
    await register(node, "night", NIGHTLY)
    planned = await next_run(node)
    node.clock.advance(300)

    again = await register(node, "night", NIGHTLY)

    assert (again["created"], await next_run(node)) == (False, planned)


async def test_a_cron_has_its_window_too(node: Any) -> None:
    node.register("tidy", lambda: None)
    await register(node, "night", {"function_name": "tidy", "cron": "30 13 * * *", "window": "23:15-23:45"})

    moment = await next_run(node)

    assert (moment.hour, moment.minute) == (23, 15)


@pytest.mark.parametrize("window", ["22-05", "24:00-05:00", "22:00", "22:00-05:60", ""])
async def test_what_is_no_window_is_refused(node: Any, window: str) -> None:
    node.register("tidy", lambda: None)

    answer = await node.scheduler.register_cleanup_task("acme.test", "night", {**NIGHTLY, "window": window})

    assert [problem["field"] for problem in answer.error.details["problems"]] == ["window"]


async def test_a_cron_that_is_wrong_is_refused_with_a_window_too(node: Any) -> None:
    node.register("tidy", lambda: None)
    config = {"function_name": "tidy", "cron": "at night", "window": "22:00-05:00"}

    answer = await node.scheduler.register_cleanup_task("acme.test", "night", config)

    assert answer.error.code == "INVALID_CONFIG"
