"""Replacing: the few lines that give a protection are put aside."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection

MANY = 1_000


def swap(owner: Any, name: str, new: Callable[[Any], Any]) -> None:
    """Put what `new` makes of it in place of what has this name; raises where the name is gone or nothing changes."""
    before = getattr(owner, name)
    after = new(before)
    if after == before:
        raise LookupError(f"{name} is not what it was: the protection cannot be taken out like this any more")
    setattr(owner, name, after)


def commit(c: Connection) -> None:
    """Commit in the midst of a transaction of SQLite, and begin another."""
    raw: Any = c.connection.driver_connection
    raw.execute("COMMIT")
    raw.execute("BEGIN IMMEDIATE")
