"""A copy of a SQLite database that is in use, taken through the online backup API and verified before it counts."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

PAGES = 1_000  # copied between two looks at whether to stop

OnProgress = Callable[[int, int], None]


class BackupDamaged(Exception):  # noqa: N818  # named after what is the case
    """The copy did not pass SQLite's integrity check; it is not kept."""


def copy_verified(source: Path, target: Path, on_progress: OnProgress) -> None:
    """Copy the database to a file that appears whole and verified, or not at all.

    `on_progress` gets how many pages are done, and of how many; what it raises ends the copying.
    Raises `BackupDamaged`.
    """
    partial = target.with_name(f"{source.stem}.partial")
    _remove(partial)  # what a killed process may have left
    try:
        _create(partial)
        _copy(source, partial, on_progress)
        _flush(partial)
        partial.replace(target)
        _flush(target.parent)
    finally:
        _remove(partial)


def _copy(source: Path, partial: Path, on_progress: OnProgress) -> None:
    def tell(_status: int, remaining: int, total: int) -> None:
        on_progress(total - remaining, total)

    with closing(sqlite3.connect(f"{source.as_uri()}?mode=ro", uri=True, isolation_level=None)) as original:
        # One snapshot for the whole copy: without it, every commit of another connection would start it anew.
        original.execute("BEGIN")
        original.execute("SELECT count(*) FROM sqlite_master").fetchone()
        with closing(sqlite3.connect(partial, isolation_level=None)) as copy:
            original.backup(copy, pages=PAGES, progress=tell)
            copy.execute("PRAGMA journal_mode = DELETE")  # one file, complete without a -wal beside it
            verify(copy)


def verify(database: sqlite3.Connection) -> None:
    """Raise `BackupDamaged` where SQLite finds the database broken."""
    (verdict,) = database.execute("PRAGMA integrity_check(1)").fetchone()
    if verdict != "ok":
        raise BackupDamaged(f"the copy is damaged: {verdict}")


def _create(path: Path) -> None:
    """Make it readable for its owner only, before anything is in it."""
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))


def _flush(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _remove(path: Path) -> None:
    for suffix in ("", "-journal", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
