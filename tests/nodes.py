"""What befalls nodes: words for tests that need more than a scheduler that works."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar

from framework.clock import SystemClock
from modules.core.scheduler import ExecutionContext
from modules.core.scheduler.testing.ending import die


class Machine(SystemClock):
    """The clock of a process on a machine whose own clock a test sets."""

    ahead = timedelta(0)

    def machine_now(self) -> datetime:
        """Return what the machine's clock shows."""
        return super().machine_now() + self.ahead


class Stuck:
    """A function that does not end before `release` is set; it remembers what it was given."""

    everyone: ClassVar[list[Stuck]] = []

    def __init__(self) -> None:
        self.everyone.append(self)
        self.contexts: list[ExecutionContext] = []
        self.started = asyncio.Event()
        self.release = asyncio.Event()
        self.ended = asyncio.Event()

    async def run(self, context: ExecutionContext) -> str:
        """Wait to be released."""
        self.contexts.append(context)
        self.started.set()
        try:
            await self.release.wait()
        finally:
            self.ended.set()
        return "released"


def release_all() -> None:
    """Let everything end that is stuck, so that a test that fails does not hang as well."""
    while Stuck.everyone:
        Stuck.everyone.pop().release.set()


def freeze(node: Any) -> None:
    """As SIGSTOP does: nothing renews the lease of this node any more, and it does not know."""
    node.scheduler._runner._node._heartbeat.stop()


def kill(node: Any) -> None:
    """As kill -9 does: no ending is written and no row released. Driven again, it is a new process on this database."""
    die(node.scheduler)


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    """Wait until it holds; the time limit of the test is the limit."""
    clock = SystemClock()
    while not await holds():
        await clock.sleep(0.01)


async def ended(node: Any, task_id: str, *, runs: int = 1) -> None:
    """Wait until so many executions of the task have ended."""

    async def have() -> bool:
        rows = await node.history(task_id)
        return sum(row["end_time"] is not None for row in rows) >= runs

    await until(have)


async def settled(node: Any) -> None:
    """Wait until nothing runs on this node, nothing is to be written, and all its loops sleep on the test's clock."""
    clock, runner = SystemClock(), node.scheduler._runner
    loops = len(runner._loops) + 1  # the lookout

    def is_busy() -> bool:
        asleep = sum(not future.done() for _, _, future in node.clock._sleepers)
        turns = runner._turning.locked() or runner._wake.is_set()
        return turns or runner.running or runner._crew.has_endings or asleep < loops

    for _ in range(3):  # what has been woken begins
        await clock.sleep(0)
        while is_busy():
            await clock.sleep(0.0005)


async def begun(node: Any, stuck: Stuck) -> None:
    """Take a turn that starts the function."""
    stuck.started.clear()
    await node.scheduler.turn()
    await stuck.started.wait()


async def let_end(node: Any, stuck: Stuck) -> datetime:
    """Let what runs end, and return the moment of its end."""
    stuck.release.set()
    await stuck.ended.wait()
    await node.scheduler.run_due()
    return node.clock.now()  # type: ignore[no-any-return]


async def next_of(node: Any, task_id: str) -> datetime | None:
    """Return the next time of a task."""
    return (await node.task(task_id))["next_execution"]  # type: ignore[no-any-return]


async def running(node: Any) -> int:
    """Return how many executions run, on all nodes."""
    return list(await node.states()).count("running")


async def most_at_once(nodes: Sequence[Any], stuck: Sequence[Stuck]) -> int:
    """Let nodes take turns, one after the other, then let all end; return how many ran at once at the most."""
    at_once = []
    for node in [*nodes] * 3:
        await node.scheduler.turn()
        at_once.append(await running(node))
    for function in stuck:
        function.release.set()
    for node in nodes:
        await node.scheduler.run_due()
    return max(at_once)
