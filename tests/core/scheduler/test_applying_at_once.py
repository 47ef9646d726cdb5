"""What is declared is stored at once: all of it or, where the start is cut off, nothing; by many nodes, once."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from declaring import Declaring, Started, tasks_of

from framework import AppContext
from framework.testing import FakeClock
from modules.core.scheduler import creating, declare_function, declare_task

NAMES = ["a", "b", "c"]


async def work() -> None: ...


def declaring(cron: str) -> Declaring:
    def declare(app_context: AppContext) -> None:
        declare_function(app_context, "work", work)
        for name in NAMES:
            declare_task(app_context, {"name": name, "function_name": "work", "cron": cron})

    return Declaring(declare)


async def crons(app_context: AppContext) -> list[str]:
    return [task["trigger"]["expression"] for task in await tasks_of(app_context, "acme.declaring")]


async def test_a_start_that_is_cut_off_leaves_nothing_half_declared(
    started: Started, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = creating.put

    def cut_off(c: Any, plan: Any, *rest: Any) -> Any:
        if plan.config.name == "c":
            raise RuntimeError("the power is gone")
        return put(c, plan, *rest)

    async with started(declaring("0 1 * * *")) as app_context:
        before = await crons(app_context)
    with monkeypatch.context() as patched:
        patched.setattr(creating, "put", cut_off)
        async with started(declaring("0 2 * * *")) as app_context:
            during = await crons(app_context)
    async with started(declaring("0 2 * * *")) as app_context:
        after = await crons(app_context)

    assert (before, during, after) == (["0 1 * * *"] * 3, ["0 1 * * *"] * 3, ["0 2 * * *"] * 3)


async def test_nodes_that_start_at_once_declare_each_task_once(started: Started) -> None:
    clock = FakeClock()

    async def start() -> list[str]:
        async with started(declaring("0 1 * * *"), clock=clock) as app_context:
            return await crons(app_context)

    found = await asyncio.gather(start(), start(), start())

    assert found == [["0 1 * * *"] * 3] * 3
