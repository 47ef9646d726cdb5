"""Calculations of seconds, in a thread of their own beside an event loop: they let it have the interpreter often."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

from framework.clock import rest

T = TypeVar("T")
AT_ONCE = 20  # items between two rests: a millisecond or two of work


def at_leisure(items: Iterable[T]) -> Iterator[T]:
    """Yield the items, with a rest now and then; never on the event loop itself.

    A thread that calculates without a rest lets the loop wait 5 ms each time that it wants to go on, which is dozens of
    times for one page.
    """
    for number, item in enumerate(items, 1):
        if number % AT_ONCE == 0:
            rest()
        yield item
