"""Plans of the cleanup of sessions, for tests of cleanups."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from expiring_sessions import OVER, fill, register, sessions
from sqlalchemy import insert

DAY = timedelta(days=1)


async def planned(node: Any, old: int = 7, new: int = 3, **config: Any) -> dict[str, Any]:
    """Fill the table, register its cleanup, and return a plan of it."""
    await fill(node.app_context.database, node.clock.now(), old=old, new=new)
    registered = await register(node, "sessions", {**OVER, **config})
    return dict((await node.scheduler.preview_cleanup(registered["cleanup_id"])).unwrap())


async def add_old(node: Any, how_many: int, first: int = 1000) -> None:
    """Add rows that were over long before now."""
    rows = [{"id": first + number, "at": node.clock.now() - 30 * DAY} for number in range(how_many)]
    await node.app_context.database.write(lambda c: c.execute(insert(sessions), rows))
