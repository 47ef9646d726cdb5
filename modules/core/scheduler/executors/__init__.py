"""Where functions are carried out: on the loop, in a thread, in a process, or on a Dask cluster."""

from __future__ import annotations

import asyncio
from typing import Protocol

from framework.clock import Clock
from modules.core.scheduler.execution import ExecutionContext, Outcome
from modules.core.scheduler.executors.dask_cluster import DaskExecutor
from modules.core.scheduler.executors.process import ProcessExecutor
from modules.core.scheduler.functions import RegisteredFunction
from modules.core.scheduler.settings import SchedulerSettings
from modules.core.scheduler.signature import named

__all__ = ["Executors", "RemoteExecutor"]


class RemoteExecutor(Protocol):
    """Carries out functions outside of this process."""

    def problem(self, function: RegisteredFunction) -> str | None:
        """Return why it cannot carry out this function, as a sentence; None when it can."""

    async def run(
        self, function: RegisteredFunction, parameters: object, context: ExecutionContext, asked: asyncio.Event
    ) -> Outcome:
        """Carry out the function and return how it came out; once `asked` is set, it should stop.

        Cancelling this is the last resort: nobody waits for the function any more.
        """

    async def close(self) -> None:
        """Let go of everything; nothing runs any more."""

    def stop_now(self) -> None:
        """Let go of what can be let go without an event loop."""


class Executors:
    """The executors that a task can choose by name, beside the ordinary one: None or "auto"."""

    def __init__(self, clock: Clock, settings: SchedulerSettings) -> None:
        self._process = ProcessExecutor(clock, settings)
        self._remote: dict[str, RemoteExecutor] = {
            "process": self._process,
            "dask": DaskExecutor(settings.dask_address),
        }

    @property
    def grace(self) -> float:
        """How many seconds what runs now may take to end once it was asked to: that of processes, 0 without any."""
        return self._process.grace if self._process.is_busy else 0

    def problem(self, name: str | None, function: RegisteredFunction) -> str | None:
        """Return why this function cannot be carried out there, as a sentence; None when it can."""
        match name:
            case None | "auto":
                return None
            case "asyncio" if not function.is_async:
                return f"{named(function.callable)} would block the event loop; write it as async def, or use 'thread'"
            case "thread" if function.is_async:
                return f"{named(function.callable)} is async def and runs on the event loop; use 'asyncio' or 'process'"
            case "asyncio" | "thread":
                return None
        remote = self.remote(name)
        return "this program knows no such executor" if remote is None else remote.problem(function)

    def remote(self, name: str | None) -> RemoteExecutor | None:
        """Return the executor of this name where it is outside of this process; None for those within."""
        return None if name is None else self._remote.get(name)

    async def close(self) -> None:
        """Let go of processes and connections."""
        for executor in self._remote.values():
            await executor.close()

    def stop_now(self) -> None:
        """Kill what can be killed, without an event loop."""
        for executor in self._remote.values():
            executor.stop_now()
