"""How a process ends in a test: from one step to the next, or in good order while the test's clock stands still."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from framework.application import Application
from framework.clock import SystemClock
from framework.testing import FakeClock
from modules.core.scheduler.service import SchedulerService

GLANCE = 0.01  # real seconds between two looks at whether it has stopped
STRIDE = timedelta(seconds=1)


def die(scheduler: SchedulerService) -> None:
    """End as kill -9 does: nobody renews the lease of this node, no ending is written, nothing is handed back."""
    runner = scheduler._runner
    if runner._node._heartbeat is not None:
        runner._node._heartbeat.stop()
    runner._crew.abandon_all()
    runner._node.id = None


async def stop(application: Application, clock: FakeClock) -> None:
    """Stop the application; time passes for what waits for it, such as for a thread that does not end."""
    stopping = asyncio.ensure_future(application.stop())
    real = SystemClock()
    while not stopping.done():
        await real.sleep(GLANCE)
        if not stopping.done():
            clock.advance(STRIDE)
    await stopping
