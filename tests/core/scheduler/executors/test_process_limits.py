"""The process executor: time limits and wishes to stop, and that nothing outlives them."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path
from typing import Any

import far_functions
import pytest
from far import GRACE, gone

from framework.clock import SystemClock
from modules.core.scheduler.process import started


def marked(far: Any) -> dict[str, Any]:
    return {"parameters": {"started": str(far.mark)}}


async def test_what_is_deaf_is_killed_after_the_grace_with_all_it_has_started_and_ends_timed_out(far: Any) -> None:
    task_id = await far.start(far_functions.stuck, timeout=5, **marked(far))
    pids = await far.begun()

    far.node.clock.advance(5)
    await far.node.scheduler.turn()
    still = await far.row(task_id)
    row = await far.ended(task_id, step=GRACE)

    assert (still["state"], still["reason"]) == ("running", "TIMEOUT")
    assert (row["state"], row["reason"], row["error"]) == ("timed_out", "TIMEOUT", "timed out after 5 s")
    await gone(*pids)


async def test_a_stop_waits_for_processes_for_as_long_as_they_have_before_they_are_killed(far: Any) -> None:
    executors = far.node.scheduler._runner._executors
    without = executors.grace

    task_id = await far.start(far_functions.stuck, timeout=5, **marked(far))
    await far.begun()
    with_one = executors.grace
    await far.ended(task_id, step=5)

    assert (without, with_one) == (0, GRACE)


async def test_what_timed_out_is_tried_again_by_the_tasks_policy(far: Any) -> None:
    task_id = await far.start(far_functions.stuck, timeout=5, max_retries=1, retry_delay=60, **marked(far))
    await far.begun()

    await far.ended(task_id, step=5)

    assert await far.node.states(task_id) == ["timed_out", "pending"]


async def test_a_coroutine_in_this_process_that_timed_out_is_tried_again_as_well(far: Any) -> None:
    far.node.register("hang", asyncio.Event().wait)
    task_id = await far.node.add("hang", delay=1, timeout=5, max_retries=1, retry_delay=60)
    far.node.clock.advance(1)
    await far.node.scheduler.turn()

    await far.node.pass_time(5)

    assert await far.node.states(task_id) == ["timed_out", "pending"]


@pytest.mark.parametrize("function", [far_functions.patient, far_functions.patient_async])
async def test_who_listens_cleans_up_and_is_not_killed(far: Any, function: Any) -> None:
    task_id = await far.start(function, **marked(far))
    await far.begun()

    await far.node.scheduler.cancel_execution((await far.row(task_id))["id"])
    row = await far.ended(task_id)

    assert (row["state"], row["reason"]) == ("cancelled", "CANCELLED_BY_REQUEST")
    assert far.mark.with_name("started.cleaned").read_text() == "yes"


async def test_what_is_cancelled_and_deaf_is_killed(far: Any) -> None:
    task_id = await far.start(far_functions.stuck, **marked(far))
    pids = await far.begun()

    await far.node.scheduler.cancel_execution((await far.row(task_id))["id"])
    await far.node.scheduler.turn()
    row = await far.ended(task_id, step=GRACE)

    assert (row["state"], row["reason"]) == ("cancelled", "CANCELLED_BY_REQUEST")
    assert row["error"] == "it did not stop within 2 s and was killed"
    await gone(*pids)


async def test_what_finishes_although_it_was_cancelled_has_succeeded(far: Any) -> None:
    task_id = await far.start(far_functions.finishes_when_asked, **marked(far))
    await far.begun()

    await far.node.scheduler.cancel_execution((await far.row(task_id))["id"])
    row = await far.ended(task_id)

    assert (row["state"], row["result"]) == ("succeeded", "done all the same")


async def test_what_a_killed_run_had_used_is_known(far: Any) -> None:
    running, asked = far.carry_out(far_functions.stuck, {"started": str(far.mark)})
    await far.begun()

    asked.set()
    while not running.done():
        far.node.clock.advance(GRACE)
        await SystemClock().sleep(0.01)

    assert running.result().error_type == "ProcessKilled"
    assert running.result().cpu_seconds >= 0
    assert running.result().memory_bytes > 10_000_000


async def test_a_stopping_scheduler_leaves_no_process_behind(far: Any) -> None:
    await far.start(far_functions.stuck, **marked(far))
    pids = await far.begun()
    workers = far.executor("process")._workers
    (worker,) = workers

    far.node.scheduler._runner._crew.abandon_all()
    await far.node.scheduler._runner._crew._executors.close()

    assert workers == set()
    assert started(worker._process.pid) is None
    await gone(*pids)


async def test_a_fork_that_outlives_its_process_is_killed_and_holds_nothing_up(far: Any) -> None:
    row = await far.run(far_functions.forks_and_exits, **marked(far))

    assert row["error"] == "the process ended with exit code 5 before the function returned"
    await gone(*await far.begun())


NODE = """
import asyncio, sys
from pathlib import Path
import far_functions
from far import a_context
from framework.clock import SystemClock
from modules.core.scheduler.executors import Executors
from modules.core.scheduler.functions import FunctionRegistry
from modules.core.scheduler.settings import SchedulerSettings

async def main():
    registry = FunctionRegistry()
    registry.register("acme.test", "stuck", far_functions.stuck)
    executor = Executors(SystemClock(), SchedulerSettings()).remote("process")
    await executor.run(next(iter(registry)), {"started": sys.argv[1]}, a_context(), asyncio.Event())

asyncio.run(main())
"""


async def test_the_processes_of_a_node_that_is_killed_die_with_it(far: Any) -> None:
    path = [str(Path(far_functions.__file__).parent), str(Path(__file__).parents[4])]
    program = f"import sys; sys.path[:0] = {path!r}\n{NODE}"
    node = await asyncio.create_subprocess_exec(sys.executable, "-c", program, str(far.mark))
    pids = await far.begun()
    assert all(started(pid) is not None for pid in pids)

    node.send_signal(signal.SIGKILL)
    await node.wait()

    await gone(*pids)
