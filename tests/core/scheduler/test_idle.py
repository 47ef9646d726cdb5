"""What a loop costs that has nothing to do: few looks at the database, and none for rows that cannot run."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from nodes import ended, settled

from framework.testing.statements import seen_by

Pass = Callable[[Any, int], Awaitable[None]]


@pytest.fixture
def pass_seconds() -> Pass:
    """`await pass_seconds(node, n)`: let n seconds pass one by one, each time until the loops sleep again."""

    async def pass_them(node: Any, seconds: int) -> None:
        await settled(node)
        for _ in range(seconds):
            node.clock.advance(1)
            await settled(node)

    return pass_them


async def test_an_idle_loop_takes_few_turns(start_node: Any, pass_seconds: Pass) -> None:
    node = await start_node(enabled=True)
    await pass_seconds(node, 1)

    with seen_by(node.app_context.database) as seen:
        await pass_seconds(node, 120)

    assert 0 < seen.commits <= 40
    assert len(seen.statements) <= 12 * seen.commits


async def test_a_row_whose_function_is_unknown_costs_no_turns(start_node: Any, pass_seconds: Pass) -> None:
    node, richer = await start_node(enabled=True), await start_node()
    richer.register("elsewhere", lambda: None)
    task_id = await richer.add("elsewhere")
    await pass_seconds(node, 20)

    with seen_by(node.app_context.database) as seen:
        await pass_seconds(node, 60)

    assert await node.reasons(task_id) == ["FUNCTION_NOT_REGISTERED"]
    assert seen.commits <= 20


async def test_a_task_in_the_far_future_costs_no_turns(start_node: Any, pass_seconds: Pass) -> None:
    node = await start_node(enabled=True)
    await node.add(delay="10 days")
    await node.add_every(30 * 24 * 3600)
    await pass_seconds(node, 1)

    with seen_by(node.app_context.database) as seen:
        await pass_seconds(node, 60)

    assert seen.commits <= 20


async def test_a_paused_task_that_is_due_costs_no_turns(start_node: Any, pass_seconds: Pass) -> None:
    node = await start_node(enabled=True)
    task_id = await node.add_every(1)
    (await node.scheduler.pause_task(task_id)).unwrap()
    await pass_seconds(node, 5)

    with seen_by(node.app_context.database) as seen:
        await pass_seconds(node, 60)

    assert seen.commits <= 20
    assert node.runs == []


async def test_a_suspend_is_noticed_when_the_loop_wakes(start_node: Any, pass_seconds: Pass) -> None:
    node = await start_node(enabled=True, poll_interval="1 hour")
    task_id = await node.add(delay="2 hours")
    await pass_seconds(node, 1)

    node.clock.step(timedelta(hours=3))
    await pass_seconds(node, 31)
    await ended(node, task_id)

    assert await node.states(task_id) == ["succeeded"]
