"""How late what is due begins."""

from __future__ import annotations

import time

from benchmarks.children import produce, start, stop, wait, workers
from benchmarks.environments import OURS
from benchmarks.errors import BrokenError, SkippedError
from benchmarks.measures.measuring import Figures, fill, order, quantiles, starts_of, until_started
from benchmarks.scale import Scale
from benchmarks.stores import Store

MARGIN = 0.3  # seconds that an idle worker has had before the first is due
TOLERANCE = 0.000_01  # a moment is stored in microseconds
SLOWEST = 100  # tasks that any peer stores in a second
TRICKLE_EVERY = 0.05


def lateness(peer: str, store: Store, scale: Scale) -> Figures:
    """An idle scheduler, and tasks at distinct instants; from the due moment to the start."""
    first = _first_due(scale, scale.lateness)
    dues = {"due_from": first, "due_until": first + scale.lateness_seconds}
    late, _ = _run(peer, store, scale.lateness, width=100, **dues)
    return {f"{name} ms": value for name, value in quantiles(late).items()}


def burst(peer: str, store: Store, scale: Scale) -> Figures:
    """Many tasks due at one instant, stored beforehand, with slots for all of them."""
    late, block = _run(peer, store, scale.burst, width=scale.burst, due_from=_first_due(scale, scale.burst))
    return {"first start ms": min(late), "last start ms": max(late), "longest block of the loop ms": block}


def crossing(peer: str, store: Store, scale: Scale) -> Figures:
    """One process stores what is due now, another one starts it; from the beginning of the call to the start."""
    with workers(peer, order(store, "work", width=100)) as children:
        fill(peer, store, count=0)
        start(children)
        wait(1.0)
        told = produce(peer, order(store, "trickle", count=scale.lateness, every=TRICKLE_EVERY, seconds=30))
        if not until_started(children, told["count"], seconds=20):
            raise BrokenError(f"not all of {told['count']} tasks were started")
        starts = starts_of(stop(children))
    late = [(starts[number] - due) * 1_000 for number, due in told["dues"]]
    return {f"{name} ms": value for name, value in quantiles(late).items()}


def _first_due(scale: Scale, count: int) -> float:
    """Return a moment by which even the slowest peer has stored so many and its worker is up."""
    return time.time() + scale.lead + count / SLOWEST


def _run(
    peer: str, store: Store, count: int, width: int, due_from: float, due_until: float | None = None
) -> tuple[list[float], float]:
    """Return how late each started and how long the loop was blocked at most, in milliseconds."""
    work = order(store, "work", width=width, due_from=due_from, due_until=due_until, count=count)
    with workers(peer, work) as children:
        stored = fill(peer, store, count=count, due_from=due_from, due_until=due_until)
        start(children)
        if stored != count:
            raise BrokenError(f"{stored} of {count} tasks were stored")
        if time.time() > due_from - MARGIN:
            raise SkippedError("it took too long to fill the store and to start")
        wait(due_from - time.time() - MARGIN)
        if due_until is None:
            children[0].ask("watch")
        wait((due_until or due_from) - time.time())
        if not until_started(children, count, seconds=20):
            raise BrokenError(f"not all of {count} tasks were started")
        (words,) = stop(children)
    starts = starts_of([words])
    late = [(starts[number] - (work.due(number) or 0.0)) * 1_000 for number in range(count)]
    if peer == OURS and min(late) < -TOLERANCE * 1_000:
        raise BrokenError(f"a task was started {-min(late):.3f} ms before it was due")
    return late, words["longest_block"] * 1_000
