"""The function that every peer carries out: it does nothing but note that, and when, it was started."""

from __future__ import annotations

import time

starts: list[tuple[int, float]] = []


def record(number: int) -> None:
    """Note the start of this number, in seconds of the wall clock."""
    starts.append((number, time.time()))


async def record_async(number: int) -> None:
    """Do the same as a coroutine."""
    starts.append((number, time.time()))
