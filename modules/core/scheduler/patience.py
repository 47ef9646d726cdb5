"""Waiting for a database that is locked, and telling what keeps it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from sqlalchemy.exc import DBAPIError

from framework.clock import SystemClock
from framework.database import explain_lock, is_transient
from framework.repeat import until_it_passes

PATIENCE = 30.0  # real seconds that a caller waits for a database that is locked
T = TypeVar("T")


async def patiently(write: Callable[[], Awaitable[T]], *, passes: Callable[[BaseException], bool]) -> T:
    """Write, again while it fails for what `passes`; an error that comes of a lock says whose it may be."""
    try:
        return await until_it_passes(write, clock=SystemClock(), passes=passes, patience=PATIENCE)
    except DBAPIError as error:
        explain_lock(error)
        raise


def was_undone(error: BaseException) -> bool:
    """Whether a transaction failed for a passing reason and left nothing; a lost connection may have committed."""
    return is_transient(error) and not getattr(error, "connection_invalidated", False)
