"""A stop that waits for longer than the lease: its node is alive, and nobody takes its runs over."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from nodes import Stuck, until
from sqlalchemy import select

from modules.core.scheduler.tables import nodes

LEASE = 1.2
GRACE = 5.0


async def are_renewed(node: Any) -> bool:
    """Whether every node's lease reaches from now to its full length."""
    leases = await node.app_context.database.read(lambda c: c.execute(select(nodes.c.lease_until)).scalars().all())
    return min(leases) == node.clock.now() + timedelta(seconds=LEASE)


async def test_a_run_that_a_stop_waits_for_is_not_taken_over(start_node: Any) -> None:
    node, peer, stuck = await start_node(enabled=True, lease=LEASE, shutdown_grace=GRACE), None, Stuck()
    node.register("work", stuck.run)
    task_id = await node.add("work")
    await stuck.started.wait()
    peer = await start_node(lease=LEASE)
    peer.register("work", lambda: "done by the peer")
    await peer.scheduler.run_due()

    stopping = asyncio.ensure_future(node.scheduler.stop_background_processing())
    try:
        for _ in range(4):
            node.clock.advance(1)
            await until(lambda: are_renewed(peer))
            await peer.scheduler.run_due()
    finally:
        stuck.release.set()
        await stopping

    assert [(row["state"], row["result"]) for row in await peer.history(task_id)] == [("succeeded", "released")]


class Deaf(Stuck):
    """A coroutine that heeds no cancellation."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = asyncio.Event()

    async def run(self, context: Any) -> str:
        """Wait to be released, whatever happens."""
        self.started.set()
        while not self.release.is_set():
            try:
                await self.release.wait()
            except asyncio.CancelledError:
                self.asked.set()
        return "released"


async def test_what_heeds_no_cancellation_is_abandoned_within_two_seconds_after_the_grace(start_node: Any) -> None:
    grace = 7.0
    node, deaf = await start_node(enabled=True, shutdown_grace=grace), Deaf()
    node.register("work", deaf.run)
    task_id = await node.add("work")
    await deaf.started.wait()

    async def waits() -> bool:
        return any(when - node.clock.monotonic() == grace for when, _, _ in node.clock._sleepers)

    stopping = asyncio.ensure_future(node.scheduler.stop_background_processing())
    await until(waits)
    node.clock.advance(grace)
    await deaf.asked.wait()
    node.clock.advance(2)
    await stopping

    assert await node.states(task_id) == ["cancelled", "pending"]
