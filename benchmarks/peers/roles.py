"""The producers: a process that only adds tasks, in one of several ways."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import Any

from benchmarks.peers.peer import Order, Peer

CALLERS = 100
BATCH = 1_000


async def produce(peer: Peer) -> dict[str, Any]:
    """Open the peer, add what the order says, and tell how many in how many seconds."""
    ways = {"enqueue": _one_by_one, "gather": _at_once, "bulk": _in_bulk, "recurring": _recurring, "trickle": _trickle}
    await peer.open()
    began, cpu = time.perf_counter(), time.process_time()
    told = await ways[peer.order.role](peer, peer.order)
    took = {"seconds": time.perf_counter() - began, "cpu": time.process_time() - cpu}
    await peer.close()
    return took | told


def _numbers(order: Order) -> Iterator[int]:
    """Yield numbers until there are enough of them or the time is over."""
    ends = time.perf_counter() + order.seconds
    for number in range(order.first, order.first + order.count):
        if time.perf_counter() > ends:
            return
        yield number


async def _one_by_one(peer: Peer, order: Order) -> dict[str, Any]:
    added = 0
    for number in _numbers(order):
        await peer.add(number, order.due(number))
        added += 1
    return {"count": added}


async def _at_once(peer: Peer, order: Order) -> dict[str, Any]:
    numbers, added = _numbers(order), 0

    async def call() -> None:
        nonlocal added
        for number in numbers:
            await peer.add(number, order.due(number))
            added += 1

    await asyncio.gather(*(call() for _ in range(CALLERS)))
    return {"count": added}


async def _in_bulk(peer: Peer, order: Order) -> dict[str, Any]:
    ends, added = time.perf_counter() + order.seconds, 0
    while added < order.count and time.perf_counter() < ends:
        first = order.first + added
        numbers = range(first, min(first + BATCH, order.first + order.count))
        await peer.add_many(numbers, [order.due(number) for number in numbers])
        added += len(numbers)
    return {"count": added}


async def _recurring(peer: Peer, order: Order) -> dict[str, Any]:
    ends, added = time.perf_counter() + order.seconds, 0
    while added < order.count and time.perf_counter() < ends:
        first = order.first + added
        numbers = range(first, min(first + BATCH, order.first + order.count))
        await peer.add_recurring(numbers, order.due_from or time.time())
        added += len(numbers)
    return {"count": added}


async def _trickle(peer: Peer, order: Order) -> dict[str, Any]:
    """Add a task that is due now, again and again; tell when each call began."""
    dues = []
    for number in _numbers(order):
        due = time.time()
        await peer.add(number, None)
        dues.append((number, due))
        await asyncio.sleep(order.every)
    return {"count": len(dues), "dues": dues}
