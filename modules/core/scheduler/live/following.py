"""Following the log of one execution, to its end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from modules.core.scheduler.execution import OPEN
from modules.core.scheduler.live.live_event import Kind
from modules.core.scheduler.live.viewer import Viewer

if TYPE_CHECKING:
    from modules.core.scheduler.live.live import Live

FOLLOWED = (Kind.LOG, Kind.EXECUTION)
PATIENCE = 15.0  # seconds without an event after which it is looked all the same


async def follow(live: Live, viewer: Viewer, execution_id: str, after: int) -> AsyncIterator[dict[str, Any]]:
    """Yield lines as they come, until the execution has ended; events only say when to look."""
    async with viewer:
        while True:
            page = (await live.execution_logs(execution_id, after=after)).unwrap()
            for line in page["lines"]:
                yield line
                after = line["number"]
            if page["next_after"] is not None:
                continue
            if page["state"] not in OPEN or viewer.is_closed:
                return
            await viewer.next(PATIENCE)
            while await viewer.next(0) is not None:
                pass
