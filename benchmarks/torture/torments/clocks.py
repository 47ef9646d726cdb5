"""Clocks: the machine's clock is set while tasks fire, or each node's clock is wrong by another amount."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from benchmarks.torture.arena import Arena, Verdict
from benchmarks.torture.explained import LOST, OVERLAPPED
from benchmarks.torture.skewed import set_clock
from benchmarks.torture.worker import every, one_time

PACE = 0.4  # seconds between two steps
OFTEN = 0.25  # seconds between two nominal times
MINUTES, DAY = 120.0, 86_400.0  # by which one clock is set
DEFAULT_LEASE = {"lease": 60.0}  # so that a heartbeat every 15 s does not help


def step_the_clock(arena: Arena, *, steps: int, largest: float = 20.0, recurring: int = 5) -> Verdict:
    """Set the clock of all nodes forward and back at random, then right again."""
    file = arena.folder / "clock"
    set_clock(file, 0)
    arena.schedule([every(f"recurring {number}", OFTEN, 2 * steps) for number in range(recurring)])
    with arena.herd(clock_file=file) as herd:
        herd.start(2)
        arena.until_begun(recurring)
        for number in range(steps):
            set_clock(file, arena.chance.uniform(-largest, largest))
            if number % 5 == 0:
                arena.schedule([one_time(f"beside the clock, {number}")])
            time.sleep(PACE)
        set_clock(file, 0)
        arena.until_settled(2 * largest + steps + 60)
        codes = herd.stop()
    unclean = sum(code != 0 for code in codes)  # a step forward is past every lease: runs are taken over
    return arena.verdict(allowed={LOST, OVERLAPPED}, earliest=None, steps=steps, unclean_exits=unclean)


def set_one_clock(arena: Arena, *, steps: int) -> Verdict:
    """Set the clock of one of two nodes of PostgreSQL, by minutes or a day, between two heartbeats."""
    file = arena.folder / "clock"
    set_clock(file, 0)
    soon = datetime.now(UTC) + timedelta(seconds=steps * PACE)
    arena.schedule([every(f"recurring {number}", OFTEN, 2 * steps) for number in range(5)])
    arena.schedule([one_time(f"later {number}", schedule_time=soon.isoformat()) for number in range(5)])
    with arena.herd(settings=DEFAULT_LEASE) as herd:
        herd.start()
        herd.start(clock_file=file)
        arena.until_begun(5)
        for number in range(steps):
            set_clock(file, (MINUTES, -MINUTES, DAY, -DAY)[number % 4])
            time.sleep(PACE)
        set_clock(file, 0)
        arena.until_settled(steps + 60)
        codes = herd.stop()
    return arena.verdict(allowed={OVERLAPPED}, unclean_exits=sum(code != 0 for code in codes))


def skew_the_nodes(arena: Arena, *, seconds: float, skew: float = 90.0, tasks: int = 50) -> Verdict:
    """Two nodes of PostgreSQL, one fast and one slow by so much: nothing starts early, and no lease is taken away."""
    recurring = [every(f"recurring {number}", OFTEN, round(seconds / OFTEN)) for number in range(5)]
    long_ones = [one_time(f"long {number}", parameters={"seconds": seconds / 2}) for number in range(4)]
    arena.schedule([*recurring, *long_ones, *[one_time(f"task {number}") for number in range(tasks)]])
    with arena.herd() as herd:
        herd.start(skew=skew)
        herd.start(skew=-skew)
        arena.until_settled(seconds + 60)
        codes = herd.stop()
    return arena.verdict(allowed={OVERLAPPED}, unclean_exits=sum(code != 0 for code in codes))
