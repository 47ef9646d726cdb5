"""A task that is run now by force asks no overlap policy, and counts as open for everything after it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest


@pytest.mark.parametrize("overlap", ["skip", "queue"])
async def test_what_is_forced_runs_beside_what_runs_already(node: Any, overlap: str) -> None:
    running, both, go = 0, asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        nonlocal running
        running += 1
        if running == 2:
            both.set()
        await go.wait()

    node.register("hold", hold)
    task_id = await node.add_every(60, "hold", overlap=overlap)
    first = (await node.scheduler.execute_task(task_id)).unwrap()
    await node.scheduler.turn()

    forced = (await node.scheduler.execute_task(task_id, force=True)).unwrap()
    await node.scheduler.turn()
    await both.wait()

    assert await node.states(task_id) == ["running", "running"]
    go.set()
    await node.scheduler.run_due()
    assert {row["id"]: row["state"] for row in await node.history(task_id)} == dict.fromkeys(
        (first["execution_id"], forced["execution_id"]), "succeeded"
    )


async def test_while_it_runs_the_next_occurrence_is_skipped(node: Any) -> None:
    task_id = await node.add_every(60)
    (await node.scheduler.execute_task(task_id, force=True)).unwrap()

    unforced = await node.scheduler.execute_task(task_id)

    assert unforced.error.code == "OVERLAP"


async def test_what_has_ended_cannot_be_forced(node: Any) -> None:
    task_id = await node.add_every(60)
    await node.scheduler.cancel_task(task_id)

    refused = await node.scheduler.execute_task(task_id, force=True)

    assert refused.error.code == "INVALID_STATE"
