"""Protections of the storage: how transactions begin and are undone, and what only the tables can keep."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete

from benchmarks.torture.without.replacing import swap
from framework.database import file
from framework.database.file import _Thread as SqliteThread
from modules.core.scheduler.history import _Pruning
from modules.core.scheduler.tables import Base, executions

STATEMENTS: dict[str, tuple[str, ...]] = {
    "uniqueness of occurrences": (
        "ALTER TABLE scheduler_executions DROP CONSTRAINT uq_scheduler_executions_occurrence",
        "DROP INDEX uq_scheduler_executions_open_key",
    ),
    "indexes of what is open": tuple(
        f"DROP INDEX ix_scheduler_executions_{name}" for name in ("ready", "ready_of", "open")
    ),
    "executions found by their id": ("ALTER TABLE scheduler_executions DROP CONSTRAINT scheduler_executions_pkey",),
}


def must_be_there(name: str) -> None:
    """Raise where the tables have no index and no constraint of this name."""
    tables = Base.metadata.tables
    known = {each.name for table in tables.values() for each in (*table.indexes, *table.constraints)}
    if name not in known | {f"{table}_pkey" for table in tables}:  # as PostgreSQL calls a primary key without a name
        raise LookupError(f"the tables have no {name}: the protection cannot be taken out like this any more")


def undoing() -> None:
    """What a failed transaction has written so far is committed, on SQLite."""

    def kept(_: Any, raw: Any) -> None:
        if raw.in_transaction:
            raw.execute("COMMIT")

    swap(SqliteThread, "_undo", lambda _: kept)


def write_lock_from_the_beginning() -> None:
    """A transaction of SQLite that writes begins as one that reads, and asks for the lock at its first write."""
    swap(file, "take_write_lock", lambda _: lambda raw: raw.execute("BEGIN"))


def indexes_of_what_is_open() -> None:
    """What is open is looked for among all executions; the tables alone keep this protection."""


def executions_found_by_their_id() -> None:
    """An execution is looked for among all; the tables alone keep this protection, too."""


def small_batches_of_retention() -> None:
    """What is too old goes in one statement."""

    async def at_once(self: Any) -> int:
        too_old = delete(executions).where(executions.c.end_time < self._before)
        gone: int = await self._database.write(lambda c: c.execute(too_old).rowcount)
        return gone

    swap(_Pruning, "by_age", lambda _: at_once)
