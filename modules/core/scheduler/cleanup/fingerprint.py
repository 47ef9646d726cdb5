"""What a dry run has condemned, kept in little room: by it a later one tells whether that is still the same."""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

SAMPLE = 1_000

_taken: ContextVar[Fingerprint | None] = ContextVar("fingerprint", default=None)


class Fingerprint:
    """The sum of the hashes of everything, and the smallest of them: a sample that is the same each time."""

    def __init__(self) -> None:
        self._sum = 0
        self._smallest: list[int] = []  # negated: a heap whose first is the largest

    def add(self, thing: str) -> None:
        """Take in what identifies one thing, in any order."""
        number = int.from_bytes(hashlib.blake2b(thing.encode(errors="surrogatepass"), digest_size=8).digest())
        self._sum = (self._sum + number) % 2**64
        if len(self._smallest) < SAMPLE:
            heapq.heappush(self._smallest, -number)
        elif number < -self._smallest[0]:
            heapq.heapreplace(self._smallest, -number)

    def to_json(self) -> dict[str, Any]:
        """Return `{"sum", "smallest"}` as plain JSON."""
        return {"sum": self._sum, "smallest": sorted(-each for each in self._smallest)}


@contextmanager
def fingerprinting() -> Iterator[Fingerprint]:
    """Take the fingerprint of the dry run inside."""
    token = _taken.set(taken := Fingerprint())
    try:
        yield taken
    finally:
        _taken.reset(token)


def wanted() -> Fingerprint | None:
    """Return the fingerprint that is being taken here, if any is."""
    return _taken.get()


def difference(planned: Mapping[str, Any], now: Mapping[str, Any]) -> float:
    """Return which part of what was planned has been replaced: 0.0 only where both are the same.

    Exact up to `SAMPLE` things, an estimate beyond; what has come or gone counts, whichever is more.
    """
    if planned["sum"] == now["sum"]:
        return 0.0
    before, after = set(planned["smallest"]), set(now["smallest"])
    sample = set(sorted(before | after)[:SAMPLE])
    gone, come = len(sample & before - after), len(sample & after - before)
    return max(gone, come, 1) / max(len(sample & before), 1)
