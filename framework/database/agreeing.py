"""Agreeing on the time: the clocks of all nodes go by the server's, whatever their machines show."""

from __future__ import annotations

from framework.clock import Clock, SystemClock
from framework.database.database import Database
from framework.database.location import SQLITE


async def agree_on_time(database: Database, clock: Clock) -> None:
    """Correct the clock by the server's; on SQLite all share one machine's, and a test's is its own to move."""
    if database.dialect != SQLITE and isinstance(clock, SystemClock):
        clock.correct(await database.clock_offset(clock))
