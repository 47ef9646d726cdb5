"""How fast tasks are stored durably."""

from __future__ import annotations

from benchmarks.children import produce
from benchmarks.emptiness import look
from benchmarks.errors import BrokenError
from benchmarks.measures.measuring import Figures, order, per_second
from benchmarks.scale import Scale
from benchmarks.stores import Store


def one_by_one(peer: str, store: Store, scale: Scale) -> Figures:
    """One caller, one awaited call and one commit for each task."""
    return _stored("enqueue", scale.enqueue, peer, store, scale)


def from_many_callers(peer: str, store: Store, scale: Scale) -> Figures:
    """A hundred concurrent callers in one process, each awaiting its own calls."""
    return _stored("gather", scale.enqueue, peer, store, scale)


def in_bulk(peer: str, store: Store, scale: Scale) -> Figures:
    """The bulk call, a thousand tasks in each."""
    return _stored("bulk", scale.bulk, peer, store, scale)


def _stored(role: str, count: int, peer: str, store: Store, scale: Scale) -> Figures:
    told = produce(peer, order(store, role, count=count, seconds=scale.seconds))
    stored = store.value(look(peer, store).stored)
    if stored != told["count"]:
        raise BrokenError(f"{told['count']} tasks were acknowledged and {stored} are stored")
    return per_second(told)
