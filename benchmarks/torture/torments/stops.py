"""Stops: SIGTERM under load, again and again; what is cut off is handed back, and nothing counts as a crash."""

from __future__ import annotations

import time

from benchmarks.torture.arena import Arena, Verdict
from benchmarks.torture.explained import HANDED_BACK
from benchmarks.torture.worker import one_time

GRACE = 0.2  # seconds that a stop lets its runs finish: some do, some are cut off
STUBBORN = 4.0  # seconds that some heed no cancellation


def terminate_under_load(arena: Arena, *, times: int, tasks_each: int = 20) -> Verdict:
    """SIGTERM one of two nodes while it works; a new one takes its place."""
    configs = [
        one_time(f"task {number}", parameters={"seconds": arena.chance.choice([0.01, 0.05, 2 * GRACE])})
        for number in range(times * tasks_each)
    ]
    few = max(times // 3, 2)
    for stubborn in ("work_in_thread", "deaf"):
        parameters = {"seconds": STUBBORN}
        configs += [one_time(f"{stubborn} {number}", stubborn, parameters=parameters) for number in range(few)]
    configs += [one_time(f"once {number}", delivery="at_most_once") for number in range(times)]
    arena.schedule(arena.chance.sample(configs, len(configs)))
    longest, unclean = 0.0, 0
    with arena.herd(settings={"shutdown_grace": GRACE, "max_concurrent_tasks": 8}) as herd:
        herd.start(2)
        for _ in range(times):
            arena.until_begun(arena.ledger.count("start") + arena.chance.randint(1, 5))
            victim = herd.pick()
            began = time.monotonic()
            herd.terminate(victim)
            herd.start()
            unclean += herd.buried(victim) != 0
            longest = max(longest, time.monotonic() - began)
            if arena.ledger.count("start") > len(configs) * 0.9:
                more = [one_time(f"more {time.monotonic_ns()} {number}") for number in range(tasks_each)]
                configs += more
                arena.schedule(more)
        arena.until_settled()
        unclean += sum(code != 0 for code in herd.stop())
    facts = {"stops": times, "unclean_exits": unclean, "longest_stop": round(longest, 2)}
    return arena.verdict(allowed={HANDED_BACK}, **facts)
