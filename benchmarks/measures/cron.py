"""How many next times of a cron expression are found in a second of the processor, in a zone with daylight saving."""

from __future__ import annotations

from benchmarks.children import Child
from benchmarks.errors import BrokenError
from benchmarks.measures.measuring import Figures
from benchmarks.peers.peer import Order
from benchmarks.scale import Scale
from benchmarks.stores import Store

DENSE = {"* * * * *": "every minute", "*/5 9-17 * * mon-fri": "dense"}
SPARSE = {
    "30 3 * * *": "30 3 * * *",
    "0 0 13 * *": "the 13th",
    "0 0 1 * *": "monthly",
    "0 12 1 1 *": "yearly",
    "0 0 29 2 *": "29 Feb",
}
EXPRESSIONS = DENSE | SPARSE  # all that every library reads alike


def evaluations(peer: str, _store: Store, scale: Scale) -> Figures:
    """Each library goes from fire to fire, as its scheduler does."""
    figures = {}
    for expression, name in EXPRESSIONS.items():
        child = Child(peer, Order(role=f"{peer}|{expression}", seconds=scale.cron), program="cron")
        try:
            child.tell("go")
            told = child.hear(scale.cron)
        finally:
            child.close()
        if told["count"] < 1:
            raise BrokenError(f"no next time of {expression!r}")
        figures[name] = told["count"] / told["seconds"]
    return figures
