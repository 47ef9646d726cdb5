"""Cuts: where a ranking must end so that its top fits, found exactly over any number of items in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable

MOST_BUCKETS = 50_000
STEP = 8  # bits by which buckets grow at once; each scan narrows the search, as 2**STEP is at most MOST_BUCKETS

Scan = Callable[[], Iterable[tuple[int, int]]]


def cut_of(scan: Scan, room: Callable[[int], float]) -> int | None:
    """Return the highest rank that fits no more when weights are summed from the highest rank down; None if all fit.

    `scan` yields pairs of rank and weight, in any order, the same ones each time it is called: once for up to
    `MOST_BUCKETS` ranks, and rarely more than twice beyond that. `room` says from the total weight how much fits.
    """
    buckets = _Buckets(scan())
    left = room(buckets.total)
    low = None
    while (over := buckets.first_over(left)) is not None:
        low, high, above = over
        if high == low + 1:
            return low
        left -= above
        buckets = _Buckets(pair for pair in scan() if low <= pair[0] < high)
    return None if low is None else low - 1


class _Buckets:
    """Weights by rank; where there are too many ranks, by ranges of them that are twice as long each, and so on."""

    def __init__(self, pairs: Iterable[tuple[int, int]]) -> None:
        self.total = 0
        self._shift = 0
        self._weights: dict[int, int] = {}
        for rank, weight in pairs:
            self.total += weight
            self._add(rank >> self._shift, weight)
            while len(self._weights) > MOST_BUCKETS:
                self._widen()

    def first_over(self, room: float) -> tuple[int, int, int] | None:
        """Return the first bucket from the top that does not fit: its lowest rank, the one beyond, the weight above."""
        above = 0
        for bucket in sorted(self._weights, reverse=True):
            weight = self._weights[bucket]
            if above + weight > room:
                return bucket << self._shift, (bucket + 1) << self._shift, above
            above += weight
        return None

    def _widen(self) -> None:
        weights, self._weights = self._weights, {}
        self._shift += STEP
        for bucket, weight in weights.items():
            self._add(bucket >> STEP, weight)

    def _add(self, bucket: int, weight: int) -> None:
        self._weights[bucket] = self._weights.get(bucket, 0) + weight
