"""Outages: PostgreSQL cuts every connection, or crashes and comes back, while processes are killed as well."""

from __future__ import annotations

import time
from collections.abc import Callable

from benchmarks.torture.arena import Arena, Verdict
from benchmarks.torture.explained import KILLED, LOST, OVERLAPPED
from benchmarks.torture.worker import every, one_time


def cut_and_kill(
    arena: Arena, *, executions: int, blows: int, blow: Callable[[], object], kill: bool = True, nodes: int = 2
) -> Verdict:
    """Strike the server so many times in the midst of the work (`blow`), and kill a process after every other time."""
    tasks = [one_time(f"task {number}", parameters={"seconds": 0.01}) for number in range(executions)]
    tasks += [one_time(f"once {number}", delivery="at_most_once") for number in range(executions // 20)]
    tasks += [every(f"recurring {number}", 0.2, 10) for number in range(3)]
    arena.schedule(arena.chance.sample(tasks, len(tasks)))
    between = max(len(tasks) // (blows + 1), 1)
    with arena.herd(settings={"max_concurrent_tasks": 20}, produce=2) as herd:
        herd.start(nodes)
        for number in range(blows):
            arena.until_begun(arena.ledger.count("start") + arena.chance.randint(1, between))
            blow()
            if kill and number % 2:
                herd.kill(herd.pick())
                herd.start()
        unclean = arena.finish(herd, meanwhile=herd.replace_dead)
    allowed = KILLED if kill else {LOST}  # a claim is lost whose answer never came
    return arena.verdict(allowed={*allowed, OVERLAPPED}, blows=blows, unclean_exits=unclean)


def restart_again_and_again(
    arena: Arena, *, seconds: float, restart: Callable[[], object], pauses: tuple[float, float] = (5, 40)
) -> Verdict:
    """Restart the server every 5 to 40 s, while tasks are due every second and others come one by one."""
    recurring = [every(f"each second {number}", 1, max(round(seconds), 5)) for number in range(5)]
    arena.schedule(recurring)
    restarts, until = 0, time.monotonic() + seconds
    with arena.herd(produce=round(seconds * 5)) as herd:
        herd.start(2)
        while not restarts or time.monotonic() < until:
            time.sleep(arena.chance.uniform(*pauses))
            restart()
            restarts += 1
        unclean = arena.finish(herd)
    return arena.verdict(allowed={LOST, OVERLAPPED}, restarts=restarts, unclean_exits=unclean)
