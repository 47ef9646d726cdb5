"""Soak: nodes that work for long hold no more in the end than before: memory, threads, open files, asyncio tasks."""

from __future__ import annotations

import json
from collections import defaultdict

from benchmarks.torture.arena import Arena, Verdict
from benchmarks.torture.evidence import Evidence
from benchmarks.torture.explained import HANDED_BACK, OVERLAPPED
from benchmarks.torture.worker import LONG_LEASE, ask, every, one_time

BATCH = 500
OFTEN = 0.25  # seconds between two samples
HELD = ("memory", "threads", "files", "tasks")


def soak(arena: Arena, *, executions: int, restarts: int) -> Verdict:
    """Let one node live all the time, and restart another one beside it, while so many executions come and go."""
    (sampling,) = arena.schedule([every("sample", OFTEN, None, function_name="sample")])
    batches = max(executions // BATCH, 3)
    unclean = 0
    with arena.herd(settings={"max_concurrent_tasks": 10, "lease": LONG_LEASE}) as herd:
        veteran = herd.start()
        other = herd.start()
        for number in range(batches):
            arena.schedule([one_time(f"task {number}.{each}") for each in range(BATCH)])
            if (number + 1) * restarts // batches > number * restarts // batches:
                herd.terminate(other)
                unclean += herd.buried(other) != 0
                other = herd.start()
            arena.until_begun((number + 1) * BATCH)
        ask(arena.asking_life(), lambda scheduler: scheduler.cancel_task(sampling))
        arena.until_settled()
        pid = veteran.pid
        unclean += sum(code != 0 for code in herd.stop())
    facts = {f"{what}_grown": grown for what, grown in _growth(arena.evidence(), pid).items()}
    return arena.verdict(
        allowed={HANDED_BACK, OVERLAPPED, "cancelled TASK_CANCELLED"}, restarts=restarts, unclean_exits=unclean, **facts
    )


def _growth(found: Evidence, pid: int | None) -> dict[str, int]:
    """Return how much more the process held at least in the last third of its samples than in the second."""
    values = defaultdict(list)
    for row in found.by_task[next(task["id"] for task in found.tasks if task["function_name"] == "sample")]:
        if row["state"] == "succeeded" and found.starts[row["id"]][0].pid == pid:
            for what, value in json.loads(row["result"]).items():
                values[what].append(value)
    third = len(values["memory"]) // 3
    return {what: min(values[what][-third:]) - min(values[what][third:-third]) for what in HELD if third}
