"""What executions do is seen while they do it: their progress, their log lines, which of them begin and end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest

from framework.result import Result
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
    task_id = await talking.add("talk", delay=0)
    talking.go.set()
    await talking.scheduler.run_due()
    (execution,) = await talking.history(task_id)

    with followed(talking.scheduler, "talk") as look:
        ended = await wait_for(talking.scheduler, talking.clock, execution["id"], None, print, look)

    assert ended.unwrap()["result"] == "done"
    lines = [line.split("  ")[1:] for line in capsys.readouterr().err.splitlines()]
    assert lines == [["warning", "begun\\x1b[2J"], ["warning", "ended"]]


async def test_log_lines_are_followed_to_the_end(talking: Any) -> None:
    task_id = await talking.add("talk", delay=0)
    talking.go.set()
    await talking.scheduler.run_due()
    (execution,) = await talking.history(task_id)

    lines = [line async for line in log_lines_to_the_end(talking.scheduler, talking.clock, execution["id"])]

    assert [line["message"] for line in lines] == ["begun\x1b[2J", "ended"]


class OverError(Exception):
    """The test is over."""


class Told:
    """A scheduler and a clock that answer with the histories that a test writes, one look after the other."""

    def __init__(self, *looks: list[dict[str, Any]]) -> None:
        self.looks = [*looks]

    async def sleep(self, _seconds: float) -> None:
        """Wait no time at all."""

    async def get_executions(self, task_id: str | None, *, limit: int) -> Result[dict[str, Any]]:
        """Return the next history, newest first."""
        if not self.looks:
            raise OverError
        return Result.success({"executions": self.looks.pop(0)[:limit]})

    async def get_execution(self, execution_id: str) -> Result[dict[str, Any]]:
        """Return one that is not in the history any more, ended meanwhile."""
        return Result.success(row(execution_id, "succeeded"))


def row(number: str, state: str) -> dict[str, Any]:
    return {"id": number, "state": state, "end_time": None if state in ("pending", "running") else 1}


async def test_a_stream_begins_with_the_last_few_and_tells_of_each_change_once() -> None:
    old = [row(f"{number:03}", "succeeded") for number in range(99, 0, -1)]
    first, second = [row("200", "running"), *old], [row("201", "pending"), row("200", "running"), *old]
    crowd = [row(f"3{number:02}", "missed") for number in range(99, -1, -1)]
    asked: Any = Told(first, second, [*crowd, *second])

    told = [f"{each['id']} {each['state']}" async for each in _until_it_is_over(stream(asked, asked, None))]

    assert told[:12] == [
        *(f"0{number} succeeded" for number in range(91, 100)),
        "200 running",
        "201 pending",
        "300 missed",
    ]
    assert sorted(told[-2:]) == ["200 succeeded", "201 succeeded"]
    assert len(told) == len(set(told)) == 113


async def _until_it_is_over(stream: AsyncIterator[Any]) -> AsyncIterator[Any]:
    with suppress(OverError):
        async for each in stream:
            yield each
