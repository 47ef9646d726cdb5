"""What the measures have in common: orders for a store, waiting until it is empty, and checking what was run."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from benchmarks.children import Child, produce, wait
from benchmarks.emptiness import is_work_left, look
from benchmarks.errors import BrokenError
from benchmarks.peers.peer import Order
from benchmarks.scale import Scale
from benchmarks.stores import Store

LOOK_EVERY = 0.02  # seconds between two looks; a look that takes long is repeated less often
SHARE, LOOK_AT_LEAST_EVERY = 10, 0.1
GRACE = 10.0  # seconds within which what is taken from the store must have been started

Figures = dict[str, float]
Measure = Callable[[str, Store, Scale], Figures]


def order(store: Store, role: str, **wanted: Any) -> Order:
    """Return an order for this store."""
    return Order(role=role, path=store.path, dsn=store.dsn, synchronous=store.synchronous, **wanted)


def fill(peer: str, store: Store, role: str = "bulk", **wanted: Any) -> int:
    """Let a process of its own store tasks; return how many there are, as the store says."""
    told = produce(peer, order(store, role, **wanted))
    stored = int(store.value(look(peer, store).stored))
    if stored != told["count"]:
        raise BrokenError(f"{told['count']} tasks were acknowledged and {stored} are stored")
    return stored


def per_second(told: dict[str, Any]) -> Figures:
    """Return the figures of a producer."""
    if not told["count"]:
        raise BrokenError("nothing was stored within the time")
    return {"per second": told["count"] / told["seconds"], "us CPU": told["cpu"] / told["count"] * 1e6}


@dataclass(frozen=True, slots=True)
class Drained:
    """How a drain ended: the moment, and whether anything was left."""

    at: float
    complete: bool


def until_drained(
    peer: str, store: Store, children: Sequence[Child], count: int, seconds: float, each: Callable[[], None] = int
) -> Drained:
    """Wait until nothing is left and all were started, or the time is over; call `each` between two looks."""
    ends = time.time() + seconds
    while (looked := time.time()) < ends:
        if not is_work_left(peer, store):
            at = time.time()
            if until_started(children, count):
                return Drained(at, complete=True)
            raise BrokenError(f"the store is empty, but only {started(children)} of {count} tasks were started")
        took = time.time() - looked
        each()
        wait(min(max(LOOK_EVERY, SHARE * took), LOOK_AT_LEAST_EVERY))
    return Drained(time.time(), complete=False)


def started(children: Sequence[Child]) -> int:
    """Return how many executions were started so far."""
    return sum(child.ask("sample")["ran"] for child in children)


def until_started(children: Sequence[Child], count: int, seconds: float = GRACE) -> bool:
    """Wait until so many executions were started; say whether they were."""
    ends = time.time() + seconds
    while started(children) < count:
        if time.time() > ends:
            return False
        wait(LOOK_EVERY)
    return True


def starts_of(last_words: Sequence[dict[str, Any]]) -> dict[int, float]:
    """Return when each number was started; raise `BrokenError` when one was started twice."""
    starts = [(number, at) for words in last_words for number, at in words["starts"]]
    twice = [number for number, times in Counter(number for number, _ in starts).items() if times > 1]
    if twice:
        raise BrokenError(f"{len(twice)} tasks were run more than once, the first of them {twice[0]}")
    return dict(starts)


def check_done(peer: str, store: Store, count: int) -> None:
    """Raise `BrokenError` unless the store records the end of so many runs."""
    done = look(peer, store).done
    if done is not None and (recorded := store.value(done)) != count:
        raise BrokenError(f"{count} tasks were run, and the store records the end of {recorded}")


def quantiles(values: Sequence[float]) -> Figures:
    """Return p50, p99 and the maximum."""
    ordered = sorted(values)
    return {"p50": median(ordered), "p99": ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))], "max": ordered[-1]}
