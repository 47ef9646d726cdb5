"""The bridge to Dask, on a real cluster: what comes back, what a wish to stop does, and a lost worker."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import far_functions
import pytest
from far import Far, a_context
from nodes import until

from framework.clock import SystemClock
from modules.core.scheduler.executors import on_dask
from modules.core.scheduler.executors.call import Call
from modules.core.scheduler.functions import FunctionRegistry

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Two workers, each a process with one thread; Dask replaces one that dies."""
    from distributed import LocalCluster

    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0") as cluster:
        yield cluster


@pytest.fixture
async def far(start_node: Any, cluster: Any, tmp_path: Path) -> AsyncIterator[Far]:
    """A node whose functions run on the cluster."""
    node = await start_node(dask_address=cluster.scheduler_address)
    yield Far(node, tmp_path, executor="dask")
    for name in ("release", "release-2"):
        (tmp_path / name).touch()  # so that a test that fails leaves no worker busy


def held(far: Far, mark: str = "started", release: str = "release") -> dict[str, Any]:
    """Parameters of `counts_starts`, which waits to be released."""
    folder = far.mark.parent
    return {"folder": str(folder), "started": str(folder / mark), "release": str(folder / release)}


def starts(far: Far) -> int:
    return len(list(far.mark.parent.glob("start-*")))


async def idle(cluster: Any) -> None:
    """Wait until the cluster has nothing to do and both its workers."""

    async def is_idle() -> bool:
        scheduler = cluster.scheduler
        return not scheduler.tasks and len(scheduler.workers) == 2

    await until(is_idle)


async def test_a_plain_function_runs_on_a_worker_and_its_value_comes_back(far: Far, cluster: Any) -> None:
    row = await far.run(far_functions.pid)

    assert row["state"] == "succeeded"
    assert row["result"] in {worker.process.pid for worker in cluster.workers.values()}


async def test_a_coroutine_runs_there_on_a_loop_of_its_own(far: Far) -> None:
    row = await far.run(far_functions.add_async, parameters={"one": 4})

    assert (row["state"], row["result"]) == ("succeeded", 6)


async def test_the_context_says_there_what_it_says_here_and_has_no_app_context(far: Far) -> None:
    told = await far.run(far_functions.about)
    refused = await far.run(far_functions.uses_app_context)

    assert (told["result"]["execution_id"], told["result"]["attempt"]) == (told["id"], 1)
    assert "app_context.get_service is not available" in refused["error"]


async def test_progress_arrives_while_the_function_runs(far: Far) -> None:
    release = far.mark.with_name("release")
    task_id = await far.start(far_functions.tells_and_waits, parameters={"release": str(release)})

    async def has_progress() -> bool:
        far.node.clock.advance(1)
        await far.node.scheduler.turn()
        return bool((await far.row(task_id))["progress"])

    await until(has_progress)
    release.touch()
    row = await far.ended(task_id)

    assert row["progress"] == {"fraction": 0.25, "done": 1, "total": 4, "message": "a quarter"}


@pytest.mark.parametrize(("what", "attempts"), [("final", 1), ("plain", 2)])
async def test_what_a_function_raises_there_means_what_it_means_here(far: Far, what: str, attempts: int) -> None:
    row = await far.run(far_functions.raises, parameters={"what": what}, max_retries=1)

    assert row["state"] == "failed"
    assert "far_functions.py" in row["traceback"]
    assert len(await far.node.history(row["task_id"])) == attempts


async def test_what_waits_there_is_taken_back_and_never_runs(far: Far, cluster: Any) -> None:
    busy = [far.carry_out(far_functions.counts_starts, held(far, f"busy-{n}"), "dask", f"b-{n}")[0] for n in (1, 2)]
    for number in (1, 2):
        await far.begun(far.mark.with_name(f"busy-{number}"))
    waiting, asked = far.carry_out(far_functions.counts_starts, held(far), "dask", "waits")
    await until(lambda: known(cluster, "chamberlain-waits"))

    asked.set()
    outcome = await waiting
    far.mark.with_name("release").touch()

    assert (outcome.state, outcome.error) == ("cancelled", "stopped when asked to")
    assert [each.state for each in await asyncio.gather(*busy)] == ["succeeded", "succeeded"]
    await idle(cluster)
    assert (starts(far), far.mark.exists()) == (2, False)


async def known(cluster: Any, key: str) -> bool:
    return key in cluster.scheduler.tasks


def test_what_was_told_to_stop_before_it_began_does_not_begin_when_it_arrives_late() -> None:
    registry = FunctionRegistry()
    registry.register("acme.test", "exits", far_functions.exits)
    call = Call.of(next(iter(registry)), {}, a_context("late"))

    has_begun = on_dask.stop_call("late")
    reply = json.loads(on_dask.run_call(json.dumps(call.to_dict())))

    assert (has_begun, reply["outcome"]["state"]) == (False, "cancelled")


@pytest.mark.parametrize("function", [far_functions.patient, far_functions.patient_async])
async def test_what_runs_there_and_listens_is_told_to_stop(far: Far, function: Any) -> None:
    task_id = await far.start(function, parameters={"started": str(far.mark)})
    await far.begun()

    await far.node.scheduler.cancel_execution((await far.row(task_id))["id"])
    row = await far.ended(task_id)

    assert (row["state"], row["reason"]) == ("cancelled", "CANCELLED_BY_REQUEST")
    assert far.mark.with_name("started.cleaned").read_text() == "yes"


async def test_what_runs_there_beyond_its_time_keeps_its_place_until_it_ends(far: Far) -> None:
    task_id = await far.start(far_functions.counts_starts, parameters=held(far), timeout=5, max_retries=1)
    await far.begun()

    far.node.clock.advance(5)
    for _ in range(20):
        await far.node.scheduler.turn()
        await SystemClock().sleep(0.01)
    still = await far.row(task_id)
    refused = await far.node.scheduler.execute_task(task_id)
    far.mark.with_name("release").touch()
    row = await far.ended(task_id)

    assert (still["state"], still["reason"], refused.error.code) == ("running", "TIMEOUT", "OVERLAP")
    assert (row["state"], row["error"]) == ("timed_out", "timed out after 5 s")
    assert await far.node.states(task_id) == ["timed_out", "pending"]


@pytest.mark.parametrize("allowed_failures", [3, 0])
async def test_a_worker_that_is_lost_is_a_failed_attempt_and_nothing_begins_twice_in_one(
    far: Far, cluster: Any, allowed_failures: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster.scheduler, "allowed_failures", allowed_failures)
    task_id = await far.start(far_functions.counts_starts, parameters=held(far), max_retries=1)
    (pid,) = await far.begun()

    os.kill(pid, signal.SIGKILL)
    row = await far.ended(task_id)

    assert (row["state"], row["error"]) == ("failed", "the Dask worker that ran it was lost")
    assert starts(far) == 1
    assert await far.node.states(task_id) == ["failed", "pending"]
    await idle(cluster)


async def test_the_cluster_remembers_nothing_of_what_has_ended(far: Far, cluster: Any) -> None:
    await far.run(far_functions.pid)

    await idle(cluster)

    assert dict(cluster.scheduler.extensions["events"]._events) == {}


async def test_a_node_that_stops_lets_go_and_what_runs_goes_on_unheard(far: Far, cluster: Any) -> None:
    await far.start(far_functions.counts_starts, parameters=held(far))
    (pid,) = await far.begun()

    far.node.scheduler._runner._crew.abandon_all()
    await far.executor("dask").close()
    far.mark.with_name("release").touch()

    await idle(cluster)
    os.kill(pid, 0)  # the worker lives
