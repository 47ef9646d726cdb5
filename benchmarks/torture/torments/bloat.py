"""Bloat: old versions of rows that PostgreSQL must keep for a long snapshot slow the work down only so far."""

from __future__ import annotations

import time

from benchmarks.torture.arena import Arena, Verdict
from benchmarks.torture.herd import until
from benchmarks.torture.holding import held_open
from benchmarks.torture.worker import LONG_LEASE, one_time

BATCH = 500
SNAPSHOT = "SELECT count(*) FROM scheduler_events"


def hold_a_snapshot(arena: Arena, *, batches: int) -> Verdict:
    """Drain batches before, and many more while another session holds a snapshot; compare the first with the last.

    The facts hold `rate_kept`: the last tenth's rate as a part of that before the snapshot.
    """
    measured = max(batches // 10, 3)
    arena.schedule([one_time("first")])
    with arena.herd(settings={"max_concurrent_tasks": 20, "lease": LONG_LEASE}) as herd:
        herd.start(2)
        _drain(arena, 2)  # what is opened and prepared once
        before = _drain(arena, measured)
        with held_open(arena.url, SNAPSHOT, isolation="repeatable_read"):
            _drain(arena, batches)
            held = _drain(arena, measured)
        unclean = arena.finish(herd)
    return arena.verdict(unclean_exits=unclean, rate_kept=round(before / held, 2))


def _drain(arena: Arena, batches: int) -> float:
    """Carry so many batches out, one after another; return how long the typical one took, from first to last end.

    Whether one is over the ledger says: who counted in the tables would walk past all dead rows, again and again.
    """
    spans = []
    for number in range(batches):
        done = arena.ledger.count("end")
        arena.schedule([one_time(f"task {time.monotonic_ns()} {number}.{each}") for each in range(BATCH)])
        until(
            lambda end=done + BATCH: arena.ledger.count("end") >= end, arena.patience, what="a batch to end", step=0.05
        )
        ticks = [entry.tick for entry in arena.ledger.entries() if entry.what == "end"][done:]
        spans.append((max(ticks) - min(ticks)) / 1e9)
    return sorted(spans)[len(spans) // 2]
