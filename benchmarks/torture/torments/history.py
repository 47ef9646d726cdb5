"""History: with millions of executions stored, lists are as quick as ever, and what is due begins at once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from benchmarks.torture.arena import Arena, Verdict
from benchmarks.torture.evidence import query
from benchmarks.torture.worker import ask, make, one_time

FIRST = 1_000
LOOKS = 50
DOUBLE = """INSERT INTO scheduler_executions (id, attempt, {rest})
    SELECT id || '+{number}', attempt + {distance}, {rest} FROM scheduler_executions"""


def keep_millions(arena: Arena, *, rows: int) -> Verdict:
    """Store so many ended executions at least, then ask for lists and let fresh tasks run, one by one.

    The rows are copies that no task explains, so the checker is not asked: the facts are all. Typical milliseconds.
    """
    arena.schedule([one_time(f"old {number}") for number in range(FIRST - LOOKS)])
    with arena.herd() as herd:
        herd.start()
        arena.until_settled()
        herd.stop()
    few: dict[str, float] = ask(arena.life, lambda scheduler: _look(arena, scheduler))
    stored = multiply(arena, rows)
    many: dict[str, float] = ask(arena.life, lambda scheduler: _look(arena, scheduler))
    return Verdict([], {"stored": stored, **many, "beginning_slower_by": many["beginning"] - few["beginning"]})


def multiply(arena: Arena, rows: int) -> int:
    """Copy every execution as further attempts of its occurrence, until there are enough; return how many."""
    ((first, *_), *_) = query(arena.url, "SELECT * FROM scheduler_executions LIMIT 1")
    rest = ", ".join(name for name in first if name not in ("id", "attempt"))
    stored, number = FIRST, 0
    while stored < rows:
        make(arena.asking_life(), DOUBLE.format(rest=rest, number=number, distance=2**number))
        stored, number = 2 * stored, number + 1
    make(arena.asking_life(), "ANALYZE")
    return stored


async def _look(arena: Arena, scheduler: Any) -> dict[str, float]:
    known = next(iter(arena.acknowledged))
    beginnings = []
    for number in range(LOOKS):
        begun = arena.ledger.count("start")
        (await scheduler.schedule_task(one_time(f"fresh {number}"))).unwrap()
        stored = time.time()
        while arena.ledger.count("start") <= begun and time.time() < stored + 1:  # noqa: ASYNC110  # a file is asked
            await asyncio.sleep(0.001)
        beginnings.append(max(arena.ledger.entries()[-1].wall - stored, 0.0))
    return {
        "list_of_all": await _typical(lambda: scheduler.get_executions(limit=50)),
        "list_of_one": await _typical(lambda: scheduler.get_executions(known, limit=50)),
        "list_of_tasks": await _typical(lambda: scheduler.list_tasks(limit=50)),
        "beginning": _middle(beginnings),
    }


async def _typical(asked: Callable[[], Awaitable[Any]]) -> float:
    took = []
    for _ in range(LOOKS):
        began = time.monotonic()
        (await asked()).unwrap()
        took.append(time.monotonic() - began)
    return _middle(took)


def _middle(seconds: list[float]) -> float:
    return round(sorted(seconds)[len(seconds) // 2] * 1_000, 2)
