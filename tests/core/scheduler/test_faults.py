"""Faults: whichever statement on the road of an execution fails, nothing is lost and nothing is done twice."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from framework.testing.faults import Faults, locked

MINUTE = 60.0


@pytest.fixture(autouse=True)
def _quick_commits(monkeypatch: pytest.MonkeyPatch) -> None:
    """No power is lost here, and there are hundreds of commits."""
    monkeypatch.setenv("FRAMEWORK_SQLITE_SYNCHRONOUS", "normal")


class BrokenError(Exception):
    """A fault of no known kind."""


async def do_what_is_due(node: Any, fault: Faults) -> None:
    """Do what is due, with the fault; then do what it has left undone."""
    with fault.striking(node.app_context.database):
        try:
            await node.scheduler.run_due()
        except (OperationalError, BrokenError):
            assert fault.struck
    await node.scheduler.run_due()


async def once_for_every_step(error: Callable[[], Exception], story: Callable[[Faults], Awaitable[None]]) -> int:
    """Tell the story with a fault at step 1, 2, 3, … until none is reached; return how many steps there were."""
    at = 0
    while True:
        at += 1
        fault = Faults.once(at, error())
        await story(fault)
        if not fault.struck:
            return at - 1


@pytest.mark.parametrize("error", [locked, BrokenError])
async def test_a_one_time_task_runs_exactly_once_whatever_statement_fails(node: Any, error: Any) -> None:
    async def story(fault: Faults) -> None:
        node.runs.clear()
        task_id = await node.add()

        await do_what_is_due(node, fault)

        task = await node.task(task_id)
        assert [(row["state"], row["attempt"]) for row in await node.history(task_id)] == [("succeeded", 1)]
        assert (task["status"], task["execution_count"], task["next_execution"]) == ("completed", 1, None)
        assert len(node.runs) == 1

    steps = await once_for_every_step(error, story)

    assert steps > 10


@pytest.mark.parametrize("error", [locked, BrokenError])
async def test_a_recurring_task_moves_on_exactly_once_whatever_statement_fails(node: Any, error: Any) -> None:
    task_id = await node.add_every(MINUTE)
    rounds = 0

    async def story(fault: Faults) -> None:
        nonlocal rounds
        rounds += 1
        due = (await node.task(task_id))["next_execution"]
        node.clock.move_to(due)

        await do_what_is_due(node, fault)

        task = await node.task(task_id)
        assert (await node.history(task_id))[-1]["scheduled_for"] == due
        assert task["next_execution"] == due + timedelta(seconds=MINUTE)
        assert task["execution_count"] == len(node.runs) == rounds

    steps = await once_for_every_step(error, story)

    rows = await node.history(task_id)
    assert steps > 10
    assert [(row["state"], row["attempt"]) for row in rows] == [("succeeded", 1)] * rounds


@pytest.mark.slow
@pytest.mark.parametrize("error", [locked, BrokenError])
async def test_a_failed_run_is_repeated_exactly_once_whatever_statement_fails(node: Any, error: Any) -> None:
    calls: list[str] = []

    async def fail_at_first(parameters: dict[str, Any]) -> None:
        calls.append("call")
        if len(calls) == 1:
            raise LookupError("not yet")

    node.register("fail_at_first", fail_at_first)

    async def story(fault: Faults) -> None:
        calls.clear()
        task_id = await node.add("fail_at_first", max_retries=1, retry_delay=0)

        await do_what_is_due(node, fault)

        rows = await node.history(task_id)
        assert [(row["state"], row["attempt"]) for row in rows] == [("failed", 1), ("succeeded", 2)]
        assert (await node.task(task_id))["status"] == "completed"
        assert len(calls) == 2

    steps = await once_for_every_step(error, story)

    assert steps > 10


@pytest.mark.slow
@pytest.mark.parametrize("error", [locked, BrokenError])
async def test_what_comes_after_is_set_off_exactly_once_whatever_statement_fails(node: Any, error: Any) -> None:
    first = await node.add_every(MINUTE)
    follower = await node.add(trigger={"type": "after", "task": first})
    rounds = 0

    async def story(fault: Faults) -> None:
        nonlocal rounds
        rounds += 1
        node.clock.move_to((await node.task(first))["next_execution"])

        await do_what_is_due(node, fault)

        assert await node.states(follower) == await node.states(first) == ["succeeded"] * rounds

    steps = await once_for_every_step(error, story)

    assert steps > 15


@pytest.mark.parametrize("error", [locked, BrokenError])
async def test_a_pause_after_each_run_begins_exactly_once_whatever_statement_fails(node: Any, error: Any) -> None:
    task_id = await node.add_every(MINUTE, after_end=True)
    rounds = 0

    async def story(fault: Faults) -> None:
        nonlocal rounds
        rounds += 1
        node.clock.move_to((await node.task(task_id))["next_execution"])

        await do_what_is_due(node, fault)

        assert await node.states(task_id) == ["succeeded"] * rounds
        assert (await node.task(task_id))["next_execution"] == node.clock.now() + timedelta(seconds=MINUTE)

    steps = await once_for_every_step(error, story)

    assert steps > 10


@pytest.mark.slow
@pytest.mark.parametrize("error", [locked, BrokenError])
async def test_an_event_that_is_gathered_counts_exactly_once_whatever_statement_fails(node: Any, error: Any) -> None:
    task_id = await node.add(trigger={"type": "event", "event": "saved", "debounce": 10}, overlap="allow")
    rounds = 0

    async def story(fault: Faults) -> None:
        nonlocal rounds
        rounds += 1
        with fault.striking(node.app_context.database):
            for _ in range(2):
                try:
                    (await node.scheduler.emit("saved")).unwrap()
                except BrokenError:
                    (await node.scheduler.emit("saved")).unwrap()
        await node.pass_time(10)

        rows = await node.history(task_id)
        assert [(row["state"], row["missed_count"]) for row in rows] == [("succeeded", 1)] * rounds

    steps = await once_for_every_step(error, story)

    assert steps > 5
