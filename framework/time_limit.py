"""Waiting for a task only so long, measured on a Clock."""

from __future__ import annotations

import asyncio
from typing import Any

from framework.clock import Clock


async def finishes_within(task: asyncio.Task[Any], clock: Clock, seconds: float) -> bool:
    """Wait until the task is done, at most so many seconds; True when it is done. The task is not cancelled."""
    done = asyncio.Event()
    task.add_done_callback(lambda _: done.set())
    if not task.done():
        await clock.wait(done, seconds)
    return task.done()
