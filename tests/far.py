"""Words for tests of functions that are carried out in other processes, which take real time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from nodes import until

from framework.testing import START
from modules.core.scheduler import ExecutionContext
from modules.core.scheduler.functions import FunctionRegistry
from modules.core.scheduler.process import started

GRACE = 2.0  # the default of process_grace


class Far:
    """A node that has its functions carried out elsewhere."""

    def __init__(self, node: Any, folder: Path, executor: str = "process") -> None:
        self.node = node
        self._executor = executor
        self.mark = folder / "started"

    async def start(self, function: Callable[..., Any], **config: Any) -> str:
        """Register the function, schedule it once for now, begin its execution; return the id of the task."""
        name = function.__name__
        self.node.register(name, function)
        task_id: str = await self.node.add(name, **{"executor": self._executor, "delay": 1, **config})
        self.node.clock.advance(1)
        await self.node.scheduler.turn()
        return task_id

    async def run(self, function: Callable[..., Any], **config: Any) -> dict[str, Any]:
        """Carry the function out and return its execution."""
        task_id = await self.start(function, **config)
        await self.node.scheduler.run_due()
        return await self.row(task_id)

    async def row(self, task_id: str) -> dict[str, Any]:
        """Return the first execution of the task."""
        return dict((await self.node.history(task_id))[0])

    async def begun(self, mark: Path | None = None) -> list[int]:
        """Wait until the function has left its mark; return the ids of processes that stand there."""
        path = mark or self.mark
        await until(lambda: _is(path.exists()))
        return [int(word) for word in path.read_text().split()]

    async def ended(self, task_id: str, *, step: float = 0.0) -> dict[str, Any]:
        """Take turns, each after so many seconds of the test's clock, until its first execution has ended."""

        async def has() -> bool:
            self.node.clock.advance(step)
            await self.node.scheduler.turn()
            return (await self.row(task_id))["end_time"] is not None

        await until(has)
        return await self.row(task_id)

    def executor(self, name: str) -> Any:
        """Return an executor of the node."""
        return self.node.scheduler._runner._crew._executors.remote(name)

    def carry_out(
        self,
        function: Callable[..., Any],
        parameters: dict[str, Any],
        executor: str = "process",
        execution_id: str = "e-1",
    ) -> tuple[asyncio.Future[Any], asyncio.Event]:
        """Have the function carried out beside any task; return what becomes its outcome, and what asks it to stop."""
        registry, asked = FunctionRegistry(), asyncio.Event()
        registry.register("acme.test", function.__name__, function)
        run = self.executor(executor).run(next(iter(registry)), parameters, a_context(execution_id), asked)
        return asyncio.ensure_future(run), asked

    async def outcome(self, function: Callable[..., Any], parameters: dict[str, Any], executor: str = "process") -> Any:
        """Return the outcome that the executor itself gives, beside any task."""
        running, _ = self.carry_out(function, parameters, executor)
        return await running


def a_context(execution_id: str = "e-1") -> Any:
    """A context for a call beside any task."""
    app_context: Any = None
    return ExecutionContext(
        execution_id=execution_id,
        task_id="t-1",
        task_name="it",
        module_id="acme.test",
        function_name="it",
        attempt=1,
        retries_used=0,
        scheduled_for=START,
        started_at=START,
        origin="schedule",
        app_context=app_context,
        session_id="s-1",
    )


def _is(value: bool) -> Awaitable[bool]:
    done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
    done.set_result(value)
    return done


async def gone(*pids: int) -> None:
    """Wait until these processes are no more."""
    await until(lambda: _is(all(started(pid) is None for pid in pids)))
