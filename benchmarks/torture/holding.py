"""Holding: another session of PostgreSQL keeps a transaction open while the torment goes on."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Literal

PATIENCE = 30.0  # seconds for the transaction to begin


@contextmanager
def held_open(
    url: str, statement: str, *, isolation: Literal["read_committed", "repeatable_read"] = "read_committed"
) -> Iterator[None]:
    """Let a thread with a connection of its own execute the statement, and keep what that takes until the end.

    Raises `TimeoutError` where the transaction does not come to be.
    """
    held, release = Event(), Event()
    holding = _hold(url.replace("+asyncpg", ""), statement, isolation, held, release)
    holder = Thread(target=lambda: asyncio.run(holding), daemon=True)
    holder.start()
    if not held.wait(PATIENCE):
        release.set()
        raise TimeoutError(f"after {PATIENCE:g} s: {statement}")
    try:
        yield
    finally:
        release.set()
        holder.join()


async def _hold(url: str, statement: str, isolation: str, held: Event, release: Event) -> None:
    import asyncpg

    connection = await asyncpg.connect(url, timeout=PATIENCE)
    while not held.is_set():
        with contextlib.suppress(asyncpg.DeadlockDetectedError):  # a turn has taken its locks in another order
            async with connection.transaction(isolation=isolation):
                await connection.execute(statement)
                held.set()
                await asyncio.to_thread(release.wait)
    await connection.close()
