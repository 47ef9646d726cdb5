"""What the database allows at most, in the same run: our tables, the raw driver, nothing around."""

from __future__ import annotations

from benchmarks.children import Child
from benchmarks.environments import OURS, RAW
from benchmarks.errors import BrokenError
from benchmarks.measures.drain import run_all
from benchmarks.measures.measuring import Figures, fill, order
from benchmarks.scale import Scale
from benchmarks.stores import Store

NAMES = {
    "commits": "rows committed one by one",
    "batched": "rows in batches of 1,000",
    "cycles": "claimed and ended, 100 each",
}


def raw(_peer: str, store: Store, scale: Scale) -> Figures:
    """Copy a task and an execution of ours, then write such rows as fast as the driver can."""
    fill(OURS, store, count=1)
    run_all(OURS, store, 1, scale.seconds, width=1)
    child = Child(RAW, order(store, "raw", count=scale.raw, seconds=scale.seconds))
    try:
        child.tell("go")
        told = child.hear(4 * scale.seconds)
    finally:
        child.close()
    if not all(told.values()):
        raise BrokenError("the database did nothing")
    return {name: told[key] for key, name in NAMES.items()}
