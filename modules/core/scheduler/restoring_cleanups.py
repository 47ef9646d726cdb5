"""What cleanups have archived, put into the trash, or moved: listed, and brought back."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row
from sqlalchemy.exc import SQLAlchemyError

from framework import strict_json
from framework.context import AppContext
from framework.database import Database
from framework.result import Error, Result, ResultError
from modules.core.scheduler.bounded_text import MAX_ID, storable
from modules.core.scheduler.cleaner import Cleaner
from modules.core.scheduler.cleanup import ActionError, PolicyError, RowsPolicy, archives, restore
from modules.core.scheduler.cleanup_runs import CleanupRuns
from modules.core.scheduler.refusing import refuse
from modules.core.scheduler.store import cleanups

Answer = Result[dict[str, Any]]

MAX_NAMED = 50  # archives that a refusal names, the latest
MAX_CAUSE = 500  # characters


class CleanupRestorer:
    """Knows what can be brought back. Methods are async and return a Result."""

    def __init__(self, app_context: AppContext, cleaner: Cleaner, runs: CleanupRuns) -> None:
        self._database = app_context.database
        self._cleaner = cleaner
        self._runs = runs

    async def archives(self, cleanup_id: str) -> Result[list[dict[str, Any]]]:
        """Return what a cleanup of rows has kept, oldest first: `{"archive", "rows", "bytes"}`, None where unknown.

        `archive` names a file, the archive table, or the moment of a run that put rows into the trash.
        `CLEANUP_NOT_FOUND`; `RESTORE_FAILED` where it cannot be read.
        """
        try:
            _, policy = await self._found(cleanup_id)
            return Result.success(await self._archives(policy))
        except ResultError as refusal:
            return Result(error=refusal.error)

    async def restore(self, cleanup_id: str, archive: str | None = None, *, dry_run: bool = False) -> Answer:
        """Bring back what an archive holds, or in a dry run count it.

        `{"cleanup_id", "archive", "dry_run", "restored", "existing"}`: rows that came back, and rows that were left
        alone because the table has rows with their keys. `archive` may be left out where there is only one;
        `ARCHIVE_NOT_FOUND` names those there are. A restore that fails or is cut off can be done again:
        `RESTORE_FAILED`.
        """
        try:
            row, policy = await self._found(cleanup_id)
            if problems := await self._cleaner.problems(row.module_id, policy):
                refuse("RESTORE_FAILED", "; ".join(f"{each['field']}: {each['message']}" for each in problems))
            chosen = _chosen(archive, await self._archives(policy))
            done = await restore(
                policy, chosen, database=self._place(policy), means=self._cleaner.means, dry_run=dry_run
            )
        except ResultError as refusal:
            return Result(error=refusal.error)
        except (ActionError, OSError, SQLAlchemyError) as error:
            return Result(error=_failed(error))
        told = {"cleanup_id": row.id, "archive": chosen, "dry_run": dry_run}
        return Result.success(told | {"restored": done.rows, "existing": done.existing})

    async def _found(self, cleanup_id: str) -> tuple[Row[Any], RowsPolicy]:
        row = await self._database.read(lambda c: cleanups.find(c, storable(cleanup_id, MAX_ID)))
        if row is None:
            refuse("CLEANUP_NOT_FOUND", f"there is no cleanup {storable(cleanup_id, MAX_ID)!r}")
        try:
            policy = self._runs.parse_stored(row.config)
        except (PolicyError, strict_json.JsonError) as error:
            refuse("RESTORE_FAILED", f"its config cannot be read: {error}")
        if not isinstance(policy, RowsPolicy):
            refuse("ARCHIVE_NOT_FOUND", "only what was done with rows is brought back this way", archives=[])
        return row, policy

    async def _archives(self, policy: RowsPolicy) -> list[dict[str, Any]]:
        try:
            return await archives(policy, self._place(policy), self._cleaner.means)
        except (ActionError, OSError, SQLAlchemyError) as error:
            raise ResultError(_failed(error)) from error

    def _place(self, policy: RowsPolicy) -> Database:
        database = self._cleaner.database(policy.database)
        return database or refuse("RESTORE_FAILED", f"no database {policy.database!r} is configured")


def _chosen(archive: str | None, there: list[dict[str, Any]]) -> str:
    names = [each["archive"] for each in there]
    if archive is None and len(names) == 1:
        return str(names[0])
    if archive is None or archive not in names:
        what = "name one of its archives" if archive is None and names else "there is no such archive"
        refuse("ARCHIVE_NOT_FOUND", what, archives=names[-MAX_NAMED:])
    return archive


def _failed(error: Exception) -> Error:
    cause = str(getattr(error, "orig", None) or error).strip().split("\n", 1)[0]
    return Error("RESTORE_FAILED", cause[:MAX_CAUSE])
