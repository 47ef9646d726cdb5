"""Waking: whatever makes something due wakes the loop, and nothing that cannot run stands in the way."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from nodes import Stuck, ended, until
from processes import ROOT

from framework.clock import SystemClock
from modules.core.scheduler import runner
from modules.core.scheduler.firing import fire_due

LONG = "1 hour"  # a poll that never comes within a test: whatever runs, runs because the loop was woken


@pytest.fixture
def clock() -> SystemClock:
    """The real time."""
    return SystemClock()


@pytest.fixture
async def looping(start_node: Any) -> Any:
    """A scheduler whose loop runs."""
    return await start_node(enabled=True, poll_interval=LONG)


async def test_creating_wakes_the_loop(looping: Any) -> None:
    await ended(looping, await looping.add())


async def test_enabling_wakes_the_loop(looping: Any) -> None:
    task_id = await looping.add(paused=True)
    (await looping.scheduler.resume_task(task_id)).unwrap()

    await ended(looping, task_id)


async def test_updating_wakes_the_loop(looping: Any) -> None:
    task_id = await looping.add(delay="1 day")
    (await looping.scheduler.update_task(task_id, {"schedule_time": "now"})).unwrap()

    await ended(looping, task_id)


async def test_running_now_wakes_the_loop(looping: Any) -> None:
    task_id = await looping.add(delay="1 day")
    (await looping.scheduler.execute_task(task_id)).unwrap()

    await ended(looping, task_id)


async def test_an_event_wakes_the_loop(looping: Any) -> None:
    task_id = await looping.add(trigger={"type": "event", "event": "arrived"})
    (await looping.scheduler.emit("arrived")).unwrap()

    await ended(looping, task_id)


@pytest.mark.parametrize("way", ["task", "execution"])
async def test_cancelling_what_runs_lets_what_waits_for_it_start_at_once(looping: Any, way: str) -> None:
    stuck, shared = Stuck(), {"concurrency_key": "printer"}
    looping.register("work", stuck.run)
    running = await looping.add("work", **shared)
    await stuck.started.wait()
    waiting = await looping.add(**shared)

    async def is_held() -> bool:
        return await looping.reasons(waiting) == ["LIMIT"]

    await until(is_held)
    if way == "task":
        (await looping.scheduler.cancel_task(running, cancel_running=True)).unwrap()
    else:
        (await looping.scheduler.cancel_execution((await looping.history(running))[0]["id"])).unwrap()

    await ended(looping, waiting)
    assert await looping.states(running) == ["cancelled"]


async def test_a_short_delay_is_not_rounded_up_to_the_poll(looping: Any) -> None:
    task_id = await looping.add(delay=0.3)
    await ended(looping, task_id)

    (row,) = await looping.history(task_id)
    assert timedelta(0) <= row["start_time"] - row["scheduled_for"] < timedelta(seconds=5)


async def test_an_interval_below_a_second_runs(looping: Any) -> None:
    task_id = await looping.add_every(0.2, max_executions=5)
    await ended(looping, task_id, runs=5)

    rows = await looping.history(task_id)
    assert [row["state"] for row in rows] == ["succeeded"] * 5
    assert len({row["scheduled_for"] for row in rows}) == 5


INSERT = """
import asyncio
from framework import Application

async def main():
    tables = {"framework": {"database_url": %r, "data_dir": %r}, "core.scheduler": {"enabled": False}}
    async with Application(modules=["core.scheduler"], settings=tables) as app_context:
        scheduler = app_context.get_service("core.scheduler.service")
        scheduler.register_function("acme.test", "note", lambda: None)
        config = {"name": "from afar", "module_id": "acme.test", "function_name": "note", "schedule_time": "now"}
        print((await scheduler.schedule_task(config)).unwrap()["task_id"])

asyncio.run(main())
"""


async def test_what_another_process_inserts_is_noticed_without_a_poll(
    start_node: Any, sqlite_url: str, tmp_path: Path, database_url: str
) -> None:
    if database_url != sqlite_url:
        pytest.skip("a look at the file's version is for SQLite; on PostgreSQL the poll notices it")
    node = await start_node(enabled=True, poll_interval=LONG, lease=LONG)
    program = INSERT % (database_url, str(tmp_path / "elsewhere"))

    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, stdout=subprocess.PIPE, env={"PYTHONPATH": str(ROOT), "PATH": ""}
    )
    printed, _ = await child.communicate()

    await ended(node, printed.decode().strip())
    assert len(node.runs) == 1


async def test_a_node_hears_at_once_of_what_another_does(start_node: Any) -> None:
    node, other = await start_node(enabled=True, poll_interval=LONG, lease=LONG), await start_node(enabled=False)
    task_id = await other.add(paused=True)

    (await other.scheduler.resume_task(task_id)).unwrap()

    await ended(node, task_id)


async def test_what_was_paused_everywhere_goes_on_at_once_on_every_node(start_node: Any) -> None:
    node, other = await start_node(enabled=True, poll_interval=LONG, lease=LONG), await start_node(enabled=False)
    await other.scheduler.pause_all(module_id="acme.test")
    task_id = await other.add()

    async def is_held() -> bool:
        return await other.reasons(task_id) == ["PAUSED"]

    await until(is_held)
    await other.scheduler.resume_all(module_id="acme.test")

    await ended(node, task_id)


async def test_a_poll_notices_what_nothing_else_tells(start_node: Any) -> None:
    quiet = {"poll_interval": 0.2, "notify": False}
    node, other = await start_node(enabled=True, **quiet), await start_node(enabled=False, notify=False)

    task_id = await other.add()

    await ended(node, task_id)
    assert len(node.runs) == 1


@pytest.fixture
async def richer(start_node: Any) -> Any:
    """A peer that does not run anything and has functions that the other does not have."""
    node = await start_node(enabled=False)
    node.register("elsewhere", lambda: "elsewhere")
    return node


async def test_a_function_is_claimed_as_soon_as_it_is_registered(start_node: Any, richer: Any) -> None:
    node = await start_node(enabled=True, poll_interval=0.2, lease=1.2)
    task_id = await richer.add("elsewhere")

    await until(lambda: waits_for_its_function(node, task_id))
    node.register("elsewhere", lambda: "here now")
    await ended(node, task_id)

    (row,) = await node.history(task_id)
    assert (row["state"], row["reason"], row["result"]) == ("succeeded", None, "here now")


@pytest.mark.parametrize(
    "database_url", ["sqlite"], indirect=True
)  # what is tested is the order of two things in memory
async def test_a_function_that_is_registered_while_the_node_tells_which_it_has_is_told_next(
    node: Any, richer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    task_id = await richer.add("elsewhere")
    tell = runner.upkeep

    def told(*args: Any, **of: Any) -> Any:
        kept = tell(*args, **of)
        node.register("elsewhere", lambda: "here now")
        monkeypatch.undo()
        return kept

    monkeypatch.setattr(runner, "upkeep", told)
    await node.scheduler.turn()
    await node.scheduler.turn()

    assert await node.states(task_id) == ["running"]


async def waits_for_its_function(node: Any, task_id: str) -> bool:
    rows = await node.history(task_id)
    return [(row["state"], row["reason"]) for row in rows] == [("pending", "FUNCTION_NOT_REGISTERED")]


async def test_five_hundred_rows_that_cannot_run_and_thousands_of_schedules_do_not_stop_a_fresh_one(
    start_node: Any, richer: Any
) -> None:
    config = {"module_id": "acme.test", "function_name": "elsewhere", "schedule_time": "now", "priority": 9}
    configs = [{"name": f"task {number}", **config} for number in range(500)]
    (await richer.scheduler.schedule_tasks(configs)).unwrap()
    later = [{**config, "name": f"later {number}", "schedule_time": "2100-01-01T00:00:00Z"} for number in range(5_000)]
    (await richer.scheduler.schedule_tasks(later)).unwrap()
    await richer.app_context.database.write(lambda c: [fire_due(c, richer.clock.now(), 256) for _ in range(2)])
    node = await start_node(enabled=True, poll_interval=LONG)

    fresh = await node.add()
    await ended(node, fresh)

    (row,) = await node.history(fresh)
    assert row["start_time"] - row["created_at"] < timedelta(seconds=2)
    assert await richer.states() == ["pending"] * 499 + ["succeeded"]
