"""Priority: a head start of one minute for each point, so that the urgent goes first and nobody waits for ever."""

from __future__ import annotations

from typing import Any

import pytest

MINUTE = 60.0


@pytest.fixture
async def one_at_a_time(start_node: Any) -> Any:
    """A node with one slot, so that the order in which tasks start is to be seen."""
    return await start_node(max_concurrent_tasks=1)


def order(node: Any) -> list[str]:
    return [run["who"] for run in node.runs]


async def wait_in_line(node: Any, who: str, priority: int) -> None:
    await node.add(name=who, priority=priority, parameters={"who": who})


async def test_of_those_due_at_once_the_higher_number_goes_first(one_at_a_time: Any) -> None:
    for priority in (0, 5, -3, 9):
        await wait_in_line(one_at_a_time, str(priority), priority)

    await one_at_a_time.scheduler.run_due()

    assert order(one_at_a_time) == ["9", "5", "0", "-3"]


async def test_of_one_priority_the_first_that_was_due_goes_first(one_at_a_time: Any) -> None:
    for number in range(5):
        await wait_in_line(one_at_a_time, str(number), 3)
        one_at_a_time.clock.advance(1)

    await one_at_a_time.scheduler.run_due()

    assert order(one_at_a_time) == ["0", "1", "2", "3", "4"]


async def test_a_point_of_priority_is_worth_a_minute_of_waiting(one_at_a_time: Any) -> None:
    await wait_in_line(one_at_a_time, "patient", 0)
    one_at_a_time.clock.advance(3 * MINUTE - 1)
    await wait_in_line(one_at_a_time, "within its head start", 3)
    one_at_a_time.clock.advance(2)
    await wait_in_line(one_at_a_time, "too late", 3)

    await one_at_a_time.scheduler.run_due()

    assert order(one_at_a_time) == ["within its head start", "patient", "too late"]


async def test_however_many_urgent_tasks_come_a_low_one_waits_only_so_long(one_at_a_time: Any) -> None:
    node, difference = one_at_a_time, 2
    await wait_in_line(node, "low", 0)

    waited = 0.0
    while "low" not in order(node):
        await wait_in_line(node, "urgent", difference)
        await node.scheduler.turn()
        while node.scheduler._runner.running:
            await node.clock.sleep(0)
        node.clock.advance(10)
        waited += 10

    assert 0 < waited - 10 <= difference * MINUTE + 10


async def test_a_retry_keeps_the_priority_of_its_task(one_at_a_time: Any) -> None:
    node, calls = one_at_a_time, []

    async def fail_at_first(parameters: dict[str, Any]) -> None:
        calls.append(1)
        if len(calls) == 1:
            raise LookupError("not yet")
        node.runs.append(parameters)

    node.register("fail_at_first", fail_at_first)
    retried = {"max_retries": 1, "retry_delay": 1, "retry_jitter": 0, "parameters": {"who": "retry"}}
    await node.add("fail_at_first", priority=5, **retried)
    await node.scheduler.run_due()
    await wait_in_line(node, "waits longer", 0)
    node.clock.advance(1)

    await node.scheduler.run_due()

    assert order(node) == ["retry", "waits longer"]
