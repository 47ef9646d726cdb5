"""The bridge to Dask where the cluster is not as it should be: gone, empty, out of reach, not installed."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

import far_functions
import pytest
from far import Far, gone
from nodes import until

from modules.core.scheduler.execution import Outcome, State
from modules.core.scheduler.executors import dask_cluster

pytestmark = pytest.mark.slow


async def test_a_cluster_that_goes_away_is_a_failed_attempt(start_node: Any, tmp_path: Path) -> None:
    from distributed import LocalCluster

    with LocalCluster(n_workers=1, threads_per_worker=1, processes=True, dashboard_address=":0") as cluster:
        far = Far(await start_node(dask_address=cluster.scheduler_address), tmp_path, executor="dask")
        task_id = await far.start(far_functions.stuck, parameters={"started": str(far.mark)})
        pids = await far.begun()
        await asyncio.to_thread(cluster.close)
        row = await far.ended(task_id)

    assert (row["state"], row["error"].partition(":")[0]) == ("failed", "the Dask scheduler has lost it")
    os.kill(pids[1], signal.SIGKILL)
    await gone(*pids)


async def test_what_no_worker_takes_is_taken_back_when_its_time_is_up(start_node: Any, tmp_path: Path) -> None:
    from distributed import LocalCluster

    with LocalCluster(n_workers=0, processes=True, dashboard_address=":0") as cluster:
        far = Far(await start_node(dask_address=cluster.scheduler_address), tmp_path, executor="dask")
        task_id = await far.start(far_functions.pid, timeout=5)
        row = await far.ended(task_id, step=1)
        await until(lambda: nothing_left(cluster))

    assert (row["state"], row["error"]) == ("timed_out", "timed out after 5 s")


async def nothing_left(cluster: Any) -> bool:
    return not cluster.scheduler.tasks


@pytest.mark.parametrize("delivery", ["at_least_once", "at_most_once"])
async def test_while_the_cluster_cannot_be_reached_nothing_is_used_up_and_it_is_tried_again(
    start_node: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, delivery: str
) -> None:
    monkeypatch.setattr(dask_cluster, "CONNECT_TIMEOUT", "200ms")
    far = Far(await start_node(dask_address="tcp://127.0.0.1:1"), tmp_path, executor="dask")

    first = await far.run(far_functions.pid, delivery=delivery)
    await far.node.pass_time(10)
    monkeypatch.setattr(far.executor("dask"), "run", comes_back)
    await far.node.pass_time(20)

    rows = await far.node.history(first["task_id"])
    assert first["error"].startswith("the Dask scheduler at tcp://127.0.0.1:1 cannot be reached: ")
    assert [(row["state"], row["reason"], row["retries_used"]) for row in rows] == [
        ("cancelled", "EXECUTOR_UNREACHABLE", 0),
        ("cancelled", "EXECUTOR_UNREACHABLE", 0),
        ("succeeded", None, 0),
    ]
    assert (await far.node.task(first["task_id"]))["status"] == "completed"


async def comes_back(*_: object) -> Outcome:
    return Outcome(State.SUCCEEDED, "1")


async def test_without_the_package_the_task_is_refused_with_what_to_install(
    start_node: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = await start_node(dask_address="tcp://127.0.0.1:1")

    def missing(name: str) -> str:
        raise dask_cluster.PackageNotFoundError(name)

    monkeypatch.setattr(dask_cluster, "version", missing)
    config = {"name": "it", "module_id": "acme.test", "function_name": "note", "delay": 1, "executor": "dask"}

    refused = await node.scheduler.schedule_task(config)

    assert "install chamberlain[dask]" in refused.error.details["problems"][0]["message"]
