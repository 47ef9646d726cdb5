"""A loop that sleeps is there when something is due: within a tenth of a second, and no more often than it must."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from nodes import settled

from framework.testing.statements import seen_by

STEP = 0.05  # of the test's clock: what begins with the step in which it is due is on time
Pass = Callable[..., Awaitable[None]]

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # the loop is the same on both


@pytest.fixture
def let_pass() -> Pass:
    """`await let_pass(node, seconds)`: small steps, each until the loops sleep again."""

    async def pass_them(node: Any, seconds: float, step: float = STEP) -> None:
        await settled(node)
        for _ in range(round(seconds / step)):
            node.clock.advance(step)
            await settled(node)

    return pass_them


async def test_what_is_due_starts_less_than_a_tenth_of_a_second_late(start_node: Any, let_pass: Pass) -> None:
    node = await start_node(enabled=True)
    await let_pass(node, 1)
    delays = [0.3, 0.77, 1.0, 1.55, 2.45]
    tasks = [await node.add(name=f"after {delay}", delay=delay) for delay in delays]

    await let_pass(node, 3)

    rows = [row for task_id in tasks for row in await node.history(task_id)]
    late = [row["start_time"] - row["scheduled_for"] for row in rows]
    assert len(rows) == len(delays)
    assert timedelta(0) <= min(late) <= max(late) < timedelta(seconds=0.1)


async def test_what_nobody_was_woken_for_starts_on_time_all_the_same(start_node: Any, let_pass: Pass) -> None:
    node = await start_node(enabled=True, poll_interval="1 hour", lease="1 hour")
    await let_pass(node, 1)
    task_id = await node.add(delay=75.5)

    await let_pass(node, 75, step=1)
    before = await node.history(task_id)
    await let_pass(node, 1)

    (row,) = await node.history(task_id)
    assert before == []
    assert timedelta(0) <= row["start_time"] - row["scheduled_for"] < timedelta(seconds=0.1)


async def test_an_interval_of_three_tenths_runs_thirteen_times_in_four_seconds(start_node: Any, let_pass: Pass) -> None:
    node = await start_node(enabled=True)
    await let_pass(node, 1)
    task_id = await node.add_every(0.3)

    await let_pass(node, 4)

    rows = await node.history(task_id)
    assert len(rows) == 13
    gaps = {later["scheduled_for"] - earlier["scheduled_for"] for earlier, later in itertools.pairwise(rows)}
    assert gaps == {timedelta(seconds=0.3)}
    assert max(row["start_time"] - row["scheduled_for"] for row in rows) < timedelta(seconds=0.1)


async def test_between_two_times_a_loop_asks_the_database_nothing(start_node: Any, let_pass: Pass) -> None:
    node = await start_node(enabled=True)
    await node.add(delay=13)
    await let_pass(node, 3)  # until it has looked at what its own start has written

    with seen_by(node.app_context.database) as seen:
        await let_pass(node, 6)

    assert [statement for statement, _ in seen.statements if "data_version" not in statement] == []
