"""What cleanups have archived, put into the trash, or moved: listed, and brought back."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import Row
from sqlalchemy.exc import SQLAlchemyError

from framework import strict_json
from framework.audit import Deed, record
from framework.caller import Door, caller
from framework.context import AppContext
from framework.database import Database
from framework.result import Error, Result, ResultError
from modules.core.scheduler.bounded_text import MAX_ID, storable
from modules.core.scheduler.cleaner import Cleaner
from modules.core.scheduler.cleanup import (
    ActionError,
    FilesPolicy,
    FunctionPolicy,
    PolicyError,
    RefusedDirectoryError,
    Restored,
    RowsPolicy,
    archives,
    restorable_files,
    restore,
    restore_files,
)
from modules.core.scheduler.cleanup_runs import CleanupRuns
from modules.core.scheduler.refusing import refuse
from modules.core.scheduler.store import cleanups

Answer = Result[dict[str, Any]]

MAX_NAMED = 50  # archives that a refusal names, the latest
MAX_ERRORS = 20  # that a refusal tells
MAX_CAUSE = 500  # characters
REFUSALS = (ActionError, RefusedDirectoryError, OSError, SQLAlchemyError)


class CleanupRestorer:
    """Knows what can be brought back. Methods are async and return a Result."""

    def __init__(self, app_context: AppContext, cleaner: Cleaner, runs: CleanupRuns) -> None:
        self._app_context, self._database = app_context, app_context.database
        self._clock = app_context.clock
        self._cleaner = cleaner
        self._runs = runs

    async def archives(self, cleanup_id: str) -> Result[list[dict[str, Any]]]:
        """Return what a cleanup has kept, oldest first, None where something is unknown.

        Of rows `{"archive", "rows", "bytes"}`: `archive` names a file, the archive table, or the moment of a run that
        put rows into the trash. Of files `{"archive", "moved_at", "expires_at", "files", "bytes"}`, one for each run.
        `CLEANUP_NOT_FOUND`; `RESTORE_FAILED` where it cannot be read.
        """
        try:
            _, policy = await self._found(cleanup_id)
            return Result.success(await self._archives(policy))
        except ResultError as refusal:
            return Result(error=refusal.error)

    async def restore(
        self, cleanup_id: str, archive: str | None = None, *, dry_run: bool = False, path: str | None = None
    ) -> Answer:
        """Bring back what an archive holds, or in a dry run count it.

        `{"cleanup_id", "archive", "dry_run", "restored", "existing"}`: rows or files that came back, and those that
        were left alone because there is one with the same key or path. `archive` may be left out where there is only
        one; `ARCHIVE_NOT_FOUND` names those there are. `path`, an absolute one, chooses one file, the latest if no
        archive is named with it. A restore that fails, `RESTORE_FAILED`, or is cut off can be done again. While
        cleanups are frozen or read-only nothing is moved back either.
        """
        if not dry_run and (error := await self._runs.standstill()):
            return Result(error=error)
        try:
            row, policy = await self._found(cleanup_id)
            if problems := await self._cleaner.problems(row.module_id, policy):
                refuse("RESTORE_FAILED", "; ".join(f"{each['field']}: {each['message']}" for each in problems))
            there = await self._archives(policy)
            chosen = None if archive is None and path is not None else _chosen(archive, there)
            if not dry_run:
                await self._write_down("restore", row, {"archive": chosen, "path": path})
            if isinstance(policy, FilesPolicy):
                done = await self._restore_files(policy, chosen, path, dry_run=dry_run)
            elif chosen is None or path is not None:
                refuse("ARCHIVE_NOT_FOUND", "a path chooses a file, and this is a cleanup of rows", archives=[])
            else:
                done = await self._restore_rows(policy, chosen, dry_run=dry_run)
            if not dry_run:
                came = {"restored": done.rows, "existing": done.existing, "errors": len(done.errors)}
                await self._write_down("restored", row, came)
            if done.errors:
                numbers = {"restored": done.rows, "existing": done.existing, "error_count": len(done.errors)}
                refuse("RESTORE_FAILED", "; ".join(done.errors[:MAX_ERRORS]), report=numbers)
        except ResultError as refusal:
            return Result(error=refusal.error)
        told = {"cleanup_id": row.id, "archive": chosen, "dry_run": dry_run}
        return Result.success(told | {"restored": done.rows, "existing": done.existing})

    async def _write_down(self, action: str, row: Row[Any], told: Mapping[str, Any]) -> None:
        """Write down what an operator is about to bring back, in many transactions or as files, and what has come."""
        if caller().door is not Door.CODE:
            deed = Deed(action, "cleanup", row.id, f"{row.module_id}/{row.cleanup_type}", None, told)
            await self._database.write(lambda c: record(self._app_context, c, deed))

    async def _found(self, cleanup_id: str) -> tuple[Row[Any], RowsPolicy | FilesPolicy]:
        row = await self._database.read(lambda c: cleanups.find(c, storable(cleanup_id, MAX_ID)))
        if row is None:
            refuse("CLEANUP_NOT_FOUND", f"there is no cleanup {storable(cleanup_id, MAX_ID)!r}")
        try:
            policy = self._runs.parse_stored(row.config)
        except (PolicyError, strict_json.JsonError) as error:
            refuse("RESTORE_FAILED", f"its config cannot be read: {error}")
        if isinstance(policy, FunctionPolicy):
            refuse("ARCHIVE_NOT_FOUND", "what a function of a module did is not brought back this way", archives=[])
        return row, policy

    async def _archives(self, policy: RowsPolicy | FilesPolicy) -> list[dict[str, Any]]:
        try:
            if isinstance(policy, RowsPolicy):
                return await archives(policy, self._place(policy), self._cleaner.means)
            found = await asyncio.to_thread(restorable_files, policy, roots=self._cleaner.roots)
        except REFUSALS as error:
            raise ResultError(_failed(error)) from error
        return found[::-1]

    async def _restore_rows(self, policy: RowsPolicy, archive: str, *, dry_run: bool) -> Restored:
        place, means = self._place(policy), self._cleaner.means
        try:
            return await restore(policy, archive, database=place, means=means, dry_run=dry_run)
        except REFUSALS as error:
            raise ResultError(_failed(error)) from error

    async def _restore_files(
        self, policy: FilesPolicy, archive: str | None, path: str | None, *, dry_run: bool
    ) -> Restored:
        how: dict[str, Any] = {"roots": self._cleaner.roots, "now": self._clock.now(), "dry_run": dry_run}
        wanted = None if path is None else Path(path)
        try:
            report = await asyncio.to_thread(restore_files, policy, archive=archive, path=wanted, **how)
        except REFUSALS as error:
            raise ResultError(_failed(error)) from error
        if not report.success:
            refuse("RESTORE_FAILED", "; ".join(report.errors), report=report.to_dict())
        done = Restored(report.done.get("restored", 0), report.skipped.get("exists", 0))
        if path is not None and done.rows + done.existing == 0:
            refuse("ARCHIVE_NOT_FOUND", f"nothing that it has kept was at {path!r:.300}", archives=[])
        return done

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
