"""The seam: between the product and SQLite's driver, where each statement and each commit can be struck.

For PostgreSQL the seam is the wire itself: see `wire.py`.
"""

from __future__ import annotations

import os
import signal
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

LARGEST = 1_000_000_000  # pages

Step = Callable[[sqlite3.Connection, str], None]


def strike_at(number: int, how: str, armed: Path) -> None:
    """Let the n-th call of SQLite kill this process, or fail once; calls are counted once the file `armed` is there."""
    left = number

    def step(_connection: sqlite3.Connection, _statement: str) -> None:
        nonlocal left
        if left <= 0 or not armed.exists():
            return
        left -= 1
        if left > 0:
            return
        armed.with_suffix(".struck").touch()
        if how == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        error = sqlite3.OperationalError("database is locked" if how == "busy" else "disk I/O error")
        error.sqlite_errorcode = sqlite3.SQLITE_BUSY if how == "busy" else sqlite3.SQLITE_IOERR
        raise error

    _before_every_call(step)


def fill_disk_while(there: Path) -> None:
    """Leave the database not one page to grow while the file is there."""

    def step(connection: sqlite3.Connection, statement: str) -> None:
        if not statement.lstrip().upper().startswith("BEGIN IMMEDIATE"):
            return
        limit = 1 if there.exists() else LARGEST  # less than there are means: as many as there are
        sqlite3.Connection.cursor(connection).execute(f"PRAGMA max_page_count = {limit}").fetchone()

    _before_every_call(step)


def _before_every_call(step: Step) -> None:
    """Let every connection that is opened from now on take this step before each statement and commit."""
    connect: Any = sqlite3.connect

    class Cursor(sqlite3.Cursor):
        def execute(self, statement: str, *arguments: Any) -> Any:
            step(self.connection, statement)
            return super().execute(statement, *arguments)

        def executemany(self, statement: str, *arguments: Any) -> Any:
            step(self.connection, statement)
            return super().executemany(statement, *arguments)

    class Connection(sqlite3.Connection):
        def cursor(self, factory: Any = Cursor) -> Any:
            return super().cursor(factory)

        def execute(self, *arguments: Any) -> Any:
            return self.cursor().execute(*arguments)

        def executemany(self, *arguments: Any) -> Any:
            return self.cursor().executemany(*arguments)

        def commit(self) -> None:
            step(self, "COMMIT")
            super().commit()

    def opened(*arguments: Any, **options: Any) -> Any:
        return connect(*arguments, **{**options, "factory": Connection})

    for module in (sqlite3, sqlite3.dbapi2):  # one for each layer above
        vars(module)["connect"] = opened
