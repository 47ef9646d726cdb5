"""What a scheduler costs that has nothing to do, with many schedules that are months away."""

from __future__ import annotations

import time
from statistics import median

from benchmarks.children import Child, start, stop, wait, workers
from benchmarks.environments import OURS
from benchmarks.errors import BrokenError, SkippedError
from benchmarks.measures.drain import copy_tasks
from benchmarks.measures.measuring import Figures, fill, order
from benchmarks.scale import Scale
from benchmarks.stores import Store

MONTHS = 8_000_000  # seconds
CALM = 0.5  # seconds between two looks whether a start has come to rest
BUSY = 0.1  # of a core
PATIENCE = 60.0
AFTER_ADDING = 2.0  # seconds in which what adding one has stirred up is counted
LOOKS = 50  # turns that find nothing, taken by hand
NORM = 30.0  # CPU is told for so many seconds


def idle(peer: str, store: Store, scale: Scale, *, count: int) -> Figures:
    """Start-up after import, then idle: CPU, wake-ups, memory, turns; then the cost of one more, and of a due one."""
    _store_far_away(peer, store, count, scale)
    with workers(peer, order(store, "work", width=10)) as children:
        (first,) = start(children)
        before = _calm(children[0])
        wait(scale.idle_seconds)
        after = children[0].ask("sample")
        busy = (after["cpu"] - before["cpu"]) / scale.idle_seconds
        looked = [children[0].ask("look")["seconds"] for _ in range(LOOKS)] if peer == OURS else []
        added = [_cost_of_one_more(children[0], busy, scale) for _ in range(scale.add)]
        claimed = [children[0].ask("claim")["seconds"] for _ in range(scale.add)]
        (words,) = stop(children)
    if len(words["starts"]) != scale.add:
        raise BrokenError(f"{scale.add} tasks were due and {len(words['starts'])} were run")
    turn = {"ms of a turn": median(looked) * 1_000} if looked else {}
    return turn | {
        "CPU s in 30 s": busy * NORM,
        "start-up ms": first["up"] * 1_000,
        "ms CPU until it is calm": (before["cpu"] - first["cpu"] + first["up_cpu"]) * 1_000,
        "wake-ups a second": (after["switches"] - before["switches"]) / scale.idle_seconds,
        "MiB": after["mib"],
        "ms CPU to add one": median(added) * 1_000,
        "ms from adding a due one to its start": median(claimed) * 1_000,
    }


def _store_far_away(peer: str, store: Store, count: int, scale: Scale) -> None:
    far = time.time() + MONTHS
    if peer == OURS:
        fill(peer, store, count=min(count, 1), due_from=far)
        copy_tasks(store, count - 1)
    elif fill(peer, store, count=count, due_from=far, seconds=4 * scale.seconds) < count:
        raise SkippedError(f"{count:,} could not be stored in time")


def _calm(child: Child) -> dict[str, float]:
    """Wait until what the start has stirred up has come to rest; return a sample."""
    wait(CALM)
    ends, sample = time.time() + PATIENCE, child.ask("sample")
    while time.time() < ends:
        wait(CALM)
        earlier, sample = sample, child.ask("sample")
        if sample["cpu"] - earlier["cpu"] < CALM * BUSY:
            break
    return sample


def _cost_of_one_more(child: Child, busy: float, scale: Scale) -> float:
    """Return the CPU seconds of adding one and of what follows, without what idling costs anyway."""
    seconds = min(AFTER_ADDING, scale.idle_seconds)
    before = child.ask("sample")
    child.ask("add")
    wait(seconds)
    after = child.ask("sample")
    return max(0.0, float(after["cpu"] - before["cpu"]) - busy * seconds)
