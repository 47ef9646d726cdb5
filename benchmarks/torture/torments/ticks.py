"""Ticks: no process stays; many short ones, as cron starts them, some of them killed, obey the same invariants."""

from __future__ import annotations

import time
from multiprocessing.process import BaseProcess

from benchmarks.torture.arena import Arena, Verdict
from benchmarks.torture.explained import KILLED, OVERLAPPED
from benchmarks.torture.worker import every, one_time

START_SECONDS = 5.0


def tick_and_kill(arena: Arena, *, ticks: int, kills: int, together: int = 2) -> Verdict:
    """Start so many ticks, two at a time, and kill some in the midst of their work; a last one finds nothing left."""
    tasks = [one_time(f"task {number}", parameters={"seconds": 0.02}) for number in range(5 * ticks)]
    tasks += [one_time(f"once {number}", delivery="at_most_once") for number in range(ticks)]
    arena.schedule([*tasks, *[every(f"recurring {number}", 0.2, 10) for number in range(3)]])
    doomed = set(arena.chance.sample(range(ticks), kills))
    unclean = 0
    with arena.herd(mode="tick", settings={"max_concurrent_tasks": 3}) as herd:
        for number in range(ticks):
            while len(herd.living) >= together:
                unclean += herd.buried(herd.living[0]) != 0
            begun = arena.ledger.count("start")
            process = herd.start()
            if number in doomed:
                _until_it_works(arena, begun, process)
                herd.kill(process)
        while herd.living:
            unclean += herd.buried(herd.living[0]) != 0

        def tick() -> None:
            if not herd.living:
                herd.start()
            elif not herd.living[0].is_alive():
                herd.buried(herd.living[0])

        arena.until_settled(meanwhile=tick)
        while herd.living:
            herd.buried(herd.living[0])
    return arena.verdict(allowed=KILLED | {OVERLAPPED}, ticks=ticks, kills=kills, unclean_exits=unclean)


def _until_it_works(arena: Arena, begun: int, process: BaseProcess) -> None:
    """Wait until something new has begun, or until the process has ended without finding anything to do."""
    give_up = time.monotonic() + START_SECONDS
    while arena.ledger.count("start") <= begun and process.is_alive() and time.monotonic() < give_up:
        time.sleep(0.005)
