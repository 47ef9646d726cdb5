"""How much is measured: counts are upper bounds, seconds end what would take too long."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Scale:
    """Everything that a quick run does smaller."""

    rounds: int
    at_once: int  # cases beside each other: more than one finds out that they work, and measures nothing
    enqueue: int  # tasks, one by one or from concurrent callers
    bulk: int
    drain: int
    seconds: float  # a producer or a drain that takes longer is measured by what it did until then
    lead: float  # seconds within which a store is filled and a worker is up, before anything is due
    lateness: int
    lateness_seconds: float
    burst: int
    idle: tuple[int, ...]
    idle_seconds: float
    add: int
    recurring: int
    overdue: int
    overdue_seconds: float
    cron: float  # seconds for one expression
    raw: int
    rows: int  # of a table that is cleaned
    files: int
    shown_tasks: int  # behind the pages of the dashboard
    shown_executions: int

    def changed(self, wishes: Sequence[str]) -> Scale:
        """Return this scale with some numbers replaced: `drain=100000`, `idle=0,10000`; raise `ValueError`."""
        values: dict[str, Any] = {}
        for wish in wishes:
            name, _, text = wish.partition("=")
            before = getattr(self, name, None)
            if before is None or not text:
                raise ValueError(f"{wish!r} is no number of the scale: {', '.join(self.__slots__)}")
            values[name] = tuple(int(part) for part in text.split(",")) if name == "idle" else type(before)(text)
        return replace(self, **values)


FULL = Scale(
    rounds=3,
    at_once=1,
    enqueue=20_000,
    bulk=100_000,
    drain=40_000,
    seconds=8,
    lead=6,
    lateness=200,
    lateness_seconds=20,
    burst=1_000,
    idle=(0, 10_000, 100_000, 1_000_000),
    idle_seconds=30,
    add=5,
    recurring=20_000,
    overdue=100_000,
    overdue_seconds=60,
    cron=0.5,
    raw=50_000,
    rows=1_000_000,
    files=1_000_000,
    shown_tasks=1_000_000,
    shown_executions=10_000_000,
)
QUICK = Scale(
    rounds=1,
    at_once=4,
    enqueue=500,
    bulk=2_000,
    drain=1_000,
    seconds=2,
    lead=10,
    lateness=30,
    lateness_seconds=2,
    burst=200,
    idle=(10_000,),
    idle_seconds=1,
    add=1,
    recurring=300,
    overdue=1_000,
    overdue_seconds=4,
    cron=0.05,
    raw=2_000,
    rows=5_000,
    files=2_000,
    shown_tasks=1_000,
    shown_executions=10_000,
)
