"""What the tortured processes carry out: functions that tell the ledger, some of them deadly."""

from __future__ import annotations

import asyncio
import ctypes
import os
import resource
import threading
import time
from pathlib import Path

from sqlalchemy import text

from benchmarks.torture.ledger import Ledger
from framework import AppContext, Module
from modules.core.scheduler import ExecutionContext, declare_function

MEMORY = 4 << 30
EFFECT = text("INSERT INTO torture_effects (execution, task) VALUES (:execution, :task)")


def _memory() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1])


def _open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


class Torture(Module):
    """Registers the functions, each of which writes its start and its end into the ledger."""

    id = "torture"
    requires = ("core.scheduler",)

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def register(self, app_context: AppContext) -> None:
        """Declare every function of this file."""
        deadly = (self.segfault, self.leave, self.leave_at_first, self.hog, self.deaf)
        for function in (self.work, self.sample, self.effect, self.work_in_thread, self.block, *deadly):
            declare_function(app_context, function.__name__, function)

    def _tell(self, what: str, context: ExecutionContext) -> None:
        self._ledger.tell(
            what,
            task=context.task_id,
            execution=context.execution_id,
            scheduled_for=context.scheduled_for.isoformat(),
            attempt=context.attempt,
        )

    async def work(self, context: ExecutionContext, *, seconds: float = 0) -> int:
        """Take so long."""
        self._tell("start", context)
        await asyncio.sleep(seconds)
        self._tell("end", context)
        return context.attempt

    async def sample(self, context: ExecutionContext) -> dict[str, int]:
        """Tell what this process holds: memory in KiB, threads, open files, asyncio tasks."""
        self._tell("start", context)
        self._tell("end", context)
        return {
            "memory": _memory(),
            "threads": threading.active_count(),
            "files": _open_files(),
            "tasks": len(asyncio.all_tasks()),
        }

    async def effect(self, context: ExecutionContext, *, seconds: float = 0) -> None:
        """Take so long, write a row and the ending of this execution in one transaction, and take so long again."""
        self._tell("start", context)
        await asyncio.sleep(seconds)
        row = {"execution": context.execution_id, "task": context.task_id}
        async with context.app_context.database.begin() as connection:
            await connection.execute(EFFECT, row)
            await context.complete_in(connection)
            self._tell("end", context)
        await asyncio.sleep(seconds)

    def work_in_thread(self, context: ExecutionContext, *, seconds: float = 0) -> int:
        """Take so long in a thread."""
        self._tell("start", context)
        time.sleep(seconds)
        self._tell("end", context)
        return context.attempt

    async def block(self, context: ExecutionContext, *, seconds: float = 0) -> int:
        """Hold up the event loop for so long."""
        self._tell("start", context)
        time.sleep(seconds)  # noqa: ASYNC251  # the torment itself
        self._tell("end", context)
        return context.attempt

    async def segfault(self, context: ExecutionContext) -> None:
        """Read where there is nothing."""
        self._tell("start", context)
        ctypes.string_at(0)

    def leave(self, context: ExecutionContext) -> None:
        """End the process, as a C library does that is in despair."""
        self._tell("start", context)
        os._exit(17)

    def leave_at_first(self, context: ExecutionContext) -> int:
        """End the process at the first attempt; later, just work."""
        self._tell("start", context)
        if context.attempt == 1:
            os._exit(17)
        self._tell("end", context)
        return context.attempt

    def hog(self, context: ExecutionContext) -> int:
        """Take more memory than there is."""
        self._tell("start", context)
        before = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, before[1]))
        try:
            taken = [bytearray(MEMORY) for _ in range(2)]
        finally:
            resource.setrlimit(resource.RLIMIT_AS, before)
        return len(taken)

    async def deaf(self, context: ExecutionContext, *, seconds: float) -> None:
        """Swallow every cancellation for so long."""
        self._tell("start", context)
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            try:
                await asyncio.sleep(until - time.monotonic())
            except asyncio.CancelledError:
                continue
        self._tell("end", context)
