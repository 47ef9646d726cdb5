"""What lies in a trash that no cleanup looks after any more: told while that is being decided, and deleted in time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Row
from sqlalchemy.exc import SQLAlchemyError

from framework import strict_json
from framework.clock import Clock
from framework.database import Database
from modules.core.scheduler.cleaner import Cleaner
from modules.core.scheduler.cleanup import (
    ActionError,
    AnyPolicy,
    FilesPolicy,
    PolicyError,
    Report,
    RowsPolicy,
    purge_roots,
    trash_root,
    trashed_runs,
)
from modules.core.scheduler.cleanup_runs import CleanupRuns
from modules.core.scheduler.store import cleanups

Warnings = list[dict[str, str]]


class TrashLeftBehind:
    """Knows the trash of cleanups that were changed or removed."""

    def __init__(self, database: Database, clock: Clock, cleaner: Cleaner, runs: CleanupRuns) -> None:
        self._database, self._clock = database, clock
        self._cleaner, self._runs = cleaner, runs

    async def left_by_change(self, names: tuple[str, str], policy: AnyPolicy) -> Warnings:
        """Return what nobody looks after once a policy takes the place of the one that a cleanup has now.

        Rows that lie in the trash are neither listed nor deleted then: `{"field", "message", "severity"}`.
        """
        return await self._left(await self._database.read(lambda c: cleanups.find_type(c, *names)), policy)

    async def left_by_removal(self, cleanup_id: str) -> Warnings:
        """Return the same for a cleanup that is removed."""
        return await self._left(await self._database.read(lambda c: cleanups.find(c, cleanup_id)), None)

    async def _left(self, row: Row[Any] | None, policy: AnyPolicy | None) -> Warnings:
        old = None if row is None else self._stored(row)
        if not isinstance(old, RowsPolicy) or old.trash_column is None:
            return []
        if isinstance(policy, RowsPolicy) and _trash_of(policy) == _trash_of(old):
            return []
        count = await self._count(old, old.trash_column)
        if not count:
            return []
        lie = "1 row of {} lies" if count == 1 else f"{count} rows of {{}} lie"
        told = f"{lie.format(repr(old.table_name))} in the trash by {old.trash_column}; a cleanup lists, restores and"
        message = (
            f"{told} deletes what is there only while it has this trash_column and trash_for, beside whatever action"
        )
        return [{"field": "trash_column", "message": message, "severity": "warning"}]

    async def purge(self, *, dry_run: bool, should_stop: Callable[[], bool]) -> Report:
        """Delete files whose time in the trash is over, below roots where no cleanup puts any into it."""
        rows = await self._database.read(lambda c: cleanups.chosen(c, module_id=None, cleanup_type=None))
        roots = set(self._cleaner.roots) - {self._looked_after(self._stored(row)) for row in rows}
        work = partial(purge_roots, sorted(roots), self._clock.now(), dry_run=dry_run, should_stop=should_stop)
        return await asyncio.to_thread(work)

    def _looked_after(self, policy: AnyPolicy | None) -> Path | None:
        """Return the root whose trash a cleanup empties under its own guards, if it does."""
        if not isinstance(policy, FilesPolicy) or policy.action != "trash":
            return None
        return trash_root(policy, self._cleaner.roots)

    def _stored(self, row: Row[Any]) -> AnyPolicy | None:
        try:
            return self._runs.parse_stored(row.config)
        except (PolicyError, strict_json.JsonError):
            return None

    async def _count(self, policy: RowsPolicy, trash_column: str) -> int:
        database = self._cleaner.database(policy.database)
        if database is None:
            return 0
        try:
            runs = await database.read(partial(trashed_runs, policy.table_name, trash_column))
        except (ActionError, SQLAlchemyError, KeyError):
            return 0  # the table, or its column, is gone
        return sum(count for _, count in runs)


def _trash_of(policy: RowsPolicy) -> tuple[str | None, str, str | None]:
    return policy.database, policy.table_name, policy.trash_column
