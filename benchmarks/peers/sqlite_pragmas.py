"""The same durability for everyone: WAL and the same `synchronous`, by what sqlite3 and SQLAlchemy offer anybody."""

from __future__ import annotations

import sqlite3
from typing import Any


def connection_factory(synchronous: str) -> type[sqlite3.Connection]:
    """Return a class for `sqlite3.connect(factory=…)` whose connections are set up so."""

    class Durable(sqlite3.Connection):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            set_pragmas(self, synchronous)

    return Durable


def set_pragmas(connection: Any, synchronous: str) -> None:
    """Set a plain or SQLAlchemy-wrapped connection up."""
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute(f"PRAGMA synchronous = {synchronous}")
    cursor.close()
