"""Rows brought back: from an archive file, from an archive table, out of the trash; one that exists is left alone."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Any

from sqlalchemy import func, select, table
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.sql import quoted_name

from framework.database import Database
from framework.errors import one_line
from modules.core.scheduler.cleanup.actions import Means
from modules.core.scheduler.cleanup.archive_file import lines_of, names_in
from modules.core.scheduler.cleanup.archive_lines import ArchiveError, from_line
from modules.core.scheduler.cleanup.archiving import VERSION
from modules.core.scheduler.cleanup.doing import archive_folder
from modules.core.scheduler.cleanup.moving_back import BATCH, move_back, trashed_runs, untrash
from modules.core.scheduler.cleanup.putting_back import put_back
from modules.core.scheduler.cleanup.rows_action import TRASH
from modules.core.scheduler.cleanup.rows_policy import RowsPolicy

MOST_REFUSED = 100  # rows; with one more a restore ends


@dataclass(slots=True)
class Restored:
    """What a restore did, or in a dry run would have done."""

    rows: int = 0
    """Rows, or files, that came back."""
    existing: int = 0
    """Those left alone, because there is one with the same key, or path."""
    errors: list[str] = field(default_factory=list)
    """A sentence for each row that the table takes no more; all others came back."""


async def archives(policy: RowsPolicy, database: Database, means: Means) -> list[dict[str, Any]]:
    """Return what can be restored, oldest first: `{"archive", "rows", "bytes"}`, what is not known being None.

    A file is named by its name, a table by its own, and what one run put into the trash by what the column holds.
    Raises `ArchiveError` and `SQLAlchemyError`.
    """
    runs = await _trashed(policy, database)
    trashed = [{"archive": name, "rows": rows, "bytes": None} for name, rows in runs.items()]
    name = _archive_table(policy)
    if name is not None:
        everything = select(func.count()).select_from(table(quoted_name(name, quote=True)))
        count = await database.read(lambda c: c.scalar(everything))
        return [{"archive": name, "rows": count, "bytes": None}, *trashed]
    if policy.action == TRASH or (policy.archive_to is None and means.archive_folder is None):
        return trashed
    found = await asyncio.to_thread(names_in, means.roots, archive_folder(policy, means))
    return [{"archive": name, "rows": None, "bytes": size} for name, size in found] + trashed


async def restore(policy: RowsPolicy, archive: str, *, database: Database, means: Means, dry_run: bool) -> Restored:
    """Bring back what an archive holds, in short transactions; the archive must be one of `archives`.

    Each of them is whole, so that a restore that was cut off, or failed, can be done again. A row of a file that the
    table takes no more is an error of what is returned, up to `MOST_REFUSED`. Rows of an archive table
    move back; files stay. Raises `ArchiveError`, `OSError` and `SQLAlchemyError`.
    """
    if archive in (trashed := await _trashed(policy, database)):
        return await _restore_trash(policy, archive, trashed[archive], database, dry_run=dry_run)
    name = _archive_table(policy)
    if name is not None:
        return await _restore_table(policy, name, database, dry_run=dry_run)
    lines = lines_of(means.roots, archive_folder(policy, means), archive)
    with closing(lines):
        return await _restore_file(policy, lines, database, dry_run=dry_run)


async def _restore_file(policy: RowsPolicy, lines: Iterator[bytes], database: Database, *, dry_run: bool) -> Restored:
    done = Restored()
    first = await asyncio.to_thread(next, lines, None)
    if first is None:
        return done
    if (of := from_line(first)).get("archive") != VERSION or of.get("table") != policy.table_name:
        raise ArchiveError(f"it is no archive of {policy.table_name!r}")
    while rows := await asyncio.to_thread(lambda: [from_line(line) for line in islice(lines, BATCH)]):
        await _put_back(policy, rows, database, done, dry_run=dry_run)
    return done


async def _put_back(
    policy: RowsPolicy, rows: list[dict[str, Any]], database: Database, done: Restored, *, dry_run: bool
) -> None:
    """Put a batch back; where the table refuses it, row by row, so that one row keeps no others from coming back."""
    transaction = database.read if dry_run else database.write
    try:
        restored = await transaction(partial(put_back, policy.table_name, rows, dry_run=dry_run))
    except (IntegrityError, DataError) as error:
        if len(done.errors) == MOST_REFUSED:
            raise
        if len(rows) == 1:
            done.errors.append(one_line(error.orig or error))
            return
        for row in rows:
            await _put_back(policy, [row], database, done, dry_run=dry_run)
        return
    done.rows += restored
    done.existing += len(rows) - restored


async def _restore_table(policy: RowsPolicy, name: str, database: Database, *, dry_run: bool) -> Restored:
    done, last = Restored(), None
    while True:
        transaction = database.read if dry_run else database.write
        seen, restored, last = await transaction(partial(move_back, policy.table_name, name, last, dry_run=dry_run))
        done.rows += restored
        done.existing += seen - restored
        if seen < BATCH:
            return done


async def _trashed(policy: RowsPolicy, database: Database) -> dict[str, int]:
    """What the trash holds, by run; a policy with another action may know one from before."""
    if policy.trash_column is None:
        return {}
    return dict(await database.read(partial(trashed_runs, policy.table_name, policy.trash_column)))


async def _restore_trash(policy: RowsPolicy, run: str, rows: int, database: Database, *, dry_run: bool) -> Restored:
    name, trash_column = policy.table_name, str(policy.trash_column)
    if dry_run:
        return Restored(rows=rows)
    done = Restored()
    while batch := await database.write(partial(untrash, name, trash_column, run)):
        done.rows += batch
    return done


def _archive_table(policy: RowsPolicy) -> str | None:
    return None if policy.archive_to is None else policy.archive_to.table
