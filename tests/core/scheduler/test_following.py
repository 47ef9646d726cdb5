"""What executions do is seen while they do it: their progress, their log lines, which of them begin and end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest

from modules.core.scheduler import ExecutionContext
from modules.core.scheduler.asking import wait_for
from modules.core.scheduler.following import followed, log_lines_to_the_end, stream

log = logging.getLogger("acme.test")


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """SQLite: what is asked for is asked of the service."""
    return sqlite_url


@pytest.fixture
async def talking(node: Any) -> AsyncIterator[Any]:
    """A scheduler with a function that logs, and goes on until it is let go."""
    node.go = asyncio.Event()

    async def talk(context: ExecutionContext) -> str:
        log.warning("begun\x1b[2J")
        context.progress(1, 4, "reads")
        await node.go.wait()
        log.warning("ended")
        return "done"

    node.register("talk", talk)
    yield node
    node.go.set()


async def test_a_command_that_waits_tells_what_the_execution_logs(
    talking: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    task_id = await talking.add("talk")
    talking.go.set()
    await talking.scheduler.run_due()
    (execution,) = await talking.history(task_id)

    with followed(talking.scheduler, "talk") as look:
        ended = await wait_for(talking.scheduler, talking.clock, execution["id"], None, print, look)

    assert ended.unwrap()["result"] == "done"
    lines = [line.split("  ")[1:] for line in capsys.readouterr().err.splitlines()]
    assert lines == [["warning", "begun\\x1b[2J"], ["warning", "ended"]]


async def test_log_lines_are_followed_to_the_end(talking: Any) -> None:
    task_id = await talking.add("talk")
    talking.go.set()
    await talking.scheduler.run_due()
    (execution,) = await talking.history(task_id)

    lines = [line async for line in log_lines_to_the_end(talking.scheduler, talking.clock, execution["id"])]

    assert [line["message"] for line in lines] == ["begun\x1b[2J", "ended"]


class OverError(Exception):
    """The test is over."""


class Steps:
    """A clock: where somebody waits, it does the next step of a test instead."""

    def __init__(self, *steps: Callable[[], Awaitable[Any]]) -> None:
        self.steps = [*steps]

    async def sleep(self, _seconds: float) -> None:
        """Do the next step."""
        if not self.steps:
            raise OverError
        await self.steps.pop(0)()


async def told_of(node: Any, task_id: str | None, *steps: Callable[[], Awaitable[Any]]) -> list[str]:
    told: list[str] = []
    asked: Any = Steps(*steps)
    with suppress(OverError):
        async for each in stream(node.scheduler, asked, task_id):
            told.append(f"{each['task_name']} {each['state']}")  # noqa: PERF401  # kept where the test is over
    return told


async def test_a_stream_begins_with_the_last_few_and_tells_of_each_change_once(talking: Any) -> None:
    for number in range(12):
        await talking.add(name=f"{number:02}")
    await talking.scheduler.run_due()
    task_id = await talking.add("talk", name="talk", delay=3600)

    async def begin() -> None:
        await talking.scheduler.execute_task(task_id)

    async def end() -> None:
        talking.go.set()
        await talking.scheduler.run_due()

    told = await told_of(talking, None, begin, talking.scheduler.turn, talking.scheduler.turn, end, end)

    assert told == [*(f"{number:02} succeeded" for number in range(2, 12)), *told[10:]]
    assert told[10:] == ["talk pending", "talk running", "talk succeeded"]


async def test_no_ending_is_missed_however_many_come_between_two_looks(node: Any) -> None:
    one = {
        "module_id": "acme.test",
        "function_name": "note",
        "schedule_time": "now",
    }  # too many for the looks at new ones
    await node.scheduler.schedule_tasks([one | {"name": f"{number}"} for number in range(300)])

    told = await told_of(node, None, node.scheduler.run_due)

    ended = [each for each in told if each.endswith(" succeeded")]
    assert (len(ended), len(set(ended))) == (300, 300)


async def test_a_stream_of_one_task_tells_of_no_other(node: Any) -> None:
    task_id = await node.add(name="mine")
    await node.add(name="other")

    assert await told_of(node, task_id, node.scheduler.run_due) == ["mine pending", "mine succeeded"]
