"""Pruning: the retention deletes a history of millions of executions, while a node goes on and others write."""

from __future__ import annotations

import asyncio
import math
import time
from collections import defaultdict
from datetime import datetime
from itertools import pairwise
from typing import Any

from benchmarks.torture.arena import Arena, Verdict
from benchmarks.torture.evidence import query
from benchmarks.torture.torments.history import FIRST, multiply
from benchmarks.torture.worker import LONG_LEASE, ask, every, make, one_time

TICKING = 5  # tasks that are due every second
PACE = 0.05  # seconds between two writes
GIVE_UP = 1_800.0  # seconds
AGED = "UPDATE scheduler_executions SET end_time = '2020-01-01 00:00:00.000000'"
LEFT = "SELECT count(*) AS old FROM scheduler_executions WHERE end_time < '2021-01-01 00:00:00.000000'"


def prune_millions(arena: Arena, *, rows: int) -> Verdict:
    """Store so many executions of long ago at least, let a node prune them, and write and tick meanwhile.

    The rows are copies that no task explains, so the checker is not asked: the facts are all. `left_over`: executions
    of long ago that are still there. `longest_write`: seconds until a task of another process was stored. `latest`:
    seconds from a nominal time to its start, and `longest_gap` between two starts of a task of every second.
    """
    arena.schedule([one_time(f"old {number}") for number in range(FIRST)])
    with arena.herd(settings={"lease": LONG_LEASE}) as herd:
        herd.start()
        if not arena.until_settled():
            raise TimeoutError("the executions that are to be copied have not ended")
        herd.stop()
    make(arena.asking_life(), AGED)
    stored = multiply(arena, rows)
    ticking = arena.schedule([every(f"each second {number}", 1, None) for number in range(TICKING)])
    with arena.herd(settings={"lease": LONG_LEASE}) as herd:
        herd.start()
        writes, took = ask(arena.asking_life(), _write_until_pruned)
        unclean = sum(code != 0 for code in herd.stop())
    writes.sort()
    ((left,),) = query(arena.url, LEFT)
    return Verdict(
        [],
        {
            "stored": stored,
            "left_over": left["old"],
            "seconds_of_pruning": round(took, 1),
            "writes": len(writes),
            "typical_write": round(writes[len(writes) // 2], 3),
            "longest_write": round(writes[-1], 3),
            **_starts(arena, set(ticking)),
            "unclean_exits": unclean,
        },
    )


async def _write_until_pruned(scheduler: Any) -> tuple[list[float], float]:
    """Have the node prune the history, and store tasks until that has ended; return how long each of them took."""
    (cleanup,) = (await scheduler.list_cleanups(module_id="core.scheduler")).unwrap()
    (await scheduler.execute_task(cleanup["task_id"])).unwrap()
    writes: list[float] = []
    began = time.monotonic()
    while time.monotonic() < began + GIVE_UP:
        await asyncio.sleep(PACE)
        asked = time.monotonic()
        (await scheduler.schedule_task(one_time(f"meanwhile {len(writes)}"))).unwrap()
        writes.append(time.monotonic() - asked)
        if len(writes) % 10 == 0 and await _has_ended(scheduler, cleanup["task_id"]):
            break
    return writes, time.monotonic() - began


async def _has_ended(scheduler: Any, task_id: str) -> bool:
    found = (await scheduler.get_executions(task_id, limit=1)).unwrap()["executions"]
    return bool(found) and found[0]["end_time"] is not None


def _starts(arena: Arena, tasks: set[str]) -> dict[str, float]:
    """Return how late the tasks began at the latest, and the longest time between two starts of one of them."""
    began = defaultdict(list)
    latest = 0.0
    for entry in arena.ledger.entries():
        if entry.what == "start" and entry.task in tasks:
            began[entry.task].append(entry.wall)
            latest = max(latest, entry.wall - datetime.fromisoformat(entry.scheduled_for).timestamp())
    gaps = (after - before for starts in began.values() for before, after in pairwise(starts))
    return {
        "ticks": sum(map(len, began.values())),
        "latest": round(latest, 3),
        "longest_gap": round(max(gaps, default=math.inf), 3),
    }
