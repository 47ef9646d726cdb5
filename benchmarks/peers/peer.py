"""What a peer must be able to do to be measured."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Order:
    """What a measured process is asked to do; `dues` are moments of the wall clock, in seconds."""

    role: str
    path: str = ""  # the SQLite file, else
    dsn: str = ""  # postgresql://…
    synchronous: str = "normal"
    width: int = 10  # how many executions may run at once
    first: int = 0  # number of the first task
    count: int = 0
    seconds: float = 60.0  # no longer than this
    due_from: float | None = None  # None: due at once
    due_until: float | None = None
    every: float = 0.0  # "trickle": seconds between two tasks
    port: int = 0  # "work": serve over HTTP here meanwhile

    def due(self, number: int) -> float | None:
        """When this number is due, spread evenly from `due_from` to `due_until`."""
        if self.due_from is None or self.due_until is None:
            return self.due_from
        return self.due_from + (number - self.first) * (self.due_until - self.due_from) / max(self.count, 1)


class Peer:
    """One library on one store. Each task carries a number and calls the recorder with it."""

    def __init__(self, order: Order) -> None:
        self.order = order

    async def open(self) -> None:
        """Get ready to add tasks; make the tables when they are not there."""

    async def close(self) -> None:
        """Let go of the store."""

    async def add(self, number: int, due: float | None) -> None:
        """Store one task durably, by the ordinary call."""
        raise NotImplementedError

    async def add_many(self, numbers: Sequence[int], dues: Sequence[float | None]) -> None:
        """Store many tasks, by the bulk call where there is one."""
        for number, due in zip(numbers, dues, strict=True):
            await self.add(number, due)

    async def add_recurring(self, numbers: Sequence[int], due: float) -> None:
        """Store tasks that recur daily from this moment on."""
        raise NotImplementedError

    async def look(self) -> None:
        """Let the running worker look once whether there is anything to do."""
        raise NotImplementedError

    async def work(self, stop: asyncio.Event, up: Callable[[], None]) -> None:
        """Carry out what is due until `stop`; call `up` once it works. `add` works meanwhile."""
        raise NotImplementedError
