"""Killed at random: kill -9 falls on whoever works, as often as there is work left."""

from __future__ import annotations

import time
from typing import Any

from benchmarks.torture.arena import Arena, Verdict
from benchmarks.torture.explained import KILLED, OVERLAPPED
from benchmarks.torture.worker import every, one_time


def kill_at_random(
    arena: Arena, *, executions: int, kills: int, nodes: int = 2, produce: int = 3, seconds: float = 0.02
) -> Verdict:
    """Kill one process after another, spread over so many executions; a new one takes each one's place.

    The facts say how many `seconds_of_killing` it took, until nothing was open any more.
    """
    tasks = [one_time(f"task {number}", parameters={"seconds": seconds}) for number in range(executions)]
    once: dict[str, Any] = {"delivery": "at_most_once", "parameters": {"seconds": 0.05}}
    tasks += [one_time(f"once {number}", **once) for number in range(executions // 20)]
    tasks += [every(f"recurring {number}", 0.2, 10) for number in range(3)]
    tasks += [one_time(f"thread {number}", "work_in_thread") for number in range(executions // 20)]
    arena.schedule(arena.chance.sample(tasks, len(tasks)))
    between = max(len(tasks) // (kills + 1), 1)
    with arena.herd(settings={"max_concurrent_tasks": 20}, produce=produce) as herd:
        herd.start(nodes)
        began = time.monotonic()
        for _ in range(kills):
            arena.until_begun(arena.ledger.count("start") + arena.chance.randint(1, between))
            herd.kill(herd.pick())
            herd.start()
        arena.until_settled()
        took = round(time.monotonic() - began, 1)
        unclean = arena.finish(herd)
    facts = {"kills": kills, "seconds_of_killing": took, "unclean_exits": unclean}
    return arena.verdict(allowed=KILLED | {OVERLAPPED}, **facts)
