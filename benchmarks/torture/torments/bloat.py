"""Bloat: old versions of rows that PostgreSQL must keep for a long snapshot slow the work down only so far."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

from benchmarks.torture.arena import Arena, Verdict
from benchmarks.torture.worker import LONG_LEASE, one_time

BATCH = 500


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
        with _snapshot(arena.url):
            _drain(arena, batches)
            held = _drain(arena, measured)
        unclean = arena.finish(herd)
    return arena.verdict(unclean_exits=unclean, rate_kept=round(before / held, 2))


def _drain(arena: Arena, batches: int) -> float:
    """Carry so many batches out, one after another; return how long the typical one took, from first to last end."""
    spans = []
    for number in range(batches):
        done = arena.ledger.count("end")
        arena.schedule([one_time(f"task {time.monotonic_ns()} {number}.{each}") for each in range(BATCH)])
        arena.until_settled(step=0.05)
        ticks = [entry.tick for entry in arena.ledger.entries() if entry.what == "end"][done:]
        spans.append((max(ticks) - min(ticks)) / 1e9)
    return sorted(spans)[len(spans) // 2]


@contextmanager
def _snapshot(url: str) -> Iterator[None]:
    held, release = Event(), Event()
    holder = Thread(target=lambda: asyncio.run(_hold(url.replace("+asyncpg", ""), held, release)), daemon=True)
    holder.start()
    held.wait(30)
    try:
        yield
    finally:
        release.set()
        holder.join()


async def _hold(url: str, held: Event, release: Event) -> None:
    import asyncpg

    connection = await asyncpg.connect(url, timeout=30)
    async with connection.transaction(isolation="repeatable_read"):
        await connection.fetch("SELECT count(*) FROM scheduler_events")
        held.set()
        await asyncio.to_thread(release.wait)
    await connection.close()
