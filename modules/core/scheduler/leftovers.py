"""What a module leaves behind when it goes: its tables, the files of its cleanups, its tasks and their history."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from functools import partial
from typing import Any

from sqlalchemy import Connection, Select, TableClause, func, inspect, literal, select, table
from sqlalchemy.sql import quoted_name

from framework import strict_json
from framework.context import AppContext
from framework.result import Result
from modules.core.scheduler.bounded_text import MAX_ID, storable
from modules.core.scheduler.cleanup import AnyPolicy, FilesPolicy, PolicyError, RowsPolicy, clean_files
from modules.core.scheduler.cleanup_tables import cleanups as cleanup_table
from modules.core.scheduler.housekeeper import Housekeeper
from modules.core.scheduler.store import cleanups
from modules.core.scheduler.tables import events, executions

MOST = 10_000  # rows and files are counted up to here


class Leftovers:
    """Looks at what is there of a module, and deletes nothing."""

    def __init__(self, app_context: AppContext, housekeeper: Housekeeper) -> None:
        self._database = app_context.database
        self._clock = app_context.clock
        self._owners, self._cleaner, self._runs = housekeeper.owners, housekeeper.cleaner, housekeeper.runs

    async def of(self, module_id: str) -> Result[dict[str, Any]]:
        """Return what a module leaves, whether it is installed or not; whatever is counted, is counted to 10,000.

        `{"module_id", "tables": [{"name", "count", "more"}], "directories": [{"directory", "pattern", "count", "bytes",
        "more"}], "cleanups" (their types), "tasks": {"count", "more"}, "executions": {"count", "more"}}`: `more` where
        there is more than that. Tables are those that the module declares, where it runs here, those that its cleanups
        name, and the one that remembers its migrations.
        """
        module_id = storable(module_id, MAX_ID)
        rows = await self._database.read(lambda c: cleanups.chosen(c, module_id=module_id, cleanup_type=None))
        policies = [policy for row in rows if (policy := self._policy(row.config)) is not None]
        named = {each.table_name for each in policies if isinstance(each, RowsPolicy) and each.database is None}
        named |= set(self._owners.tables_of(module_id))
        stored = await self._database.read(partial(_stored, module_id=module_id, named=named))
        files = [each for each in policies if isinstance(each, FilesPolicy)]
        directories = [await asyncio.to_thread(self._directory, policy) for policy in files]
        types = [row.cleanup_type for row in rows]
        return Result.success({"module_id": module_id, "cleanups": types, "directories": directories, **stored})

    def _policy(self, text: str) -> AnyPolicy | None:
        try:
            return self._runs.parse_stored(text)
        except (PolicyError, strict_json.JsonError):
            return None

    def _directory(self, policy: FilesPolicy) -> dict[str, Any]:
        shared = {name: getattr(policy, name) for name in ("directory", "pattern", "recursive")}
        everything = FilesPolicy(**shared, max_files=0, min_age=timedelta(0))
        far = self._clock.now() + timedelta(days=36_500)  # so that none is too young
        look: dict[str, Any] = {
            "roots": self._cleaner.roots,
            "now": far,
            "dry_run": True,
            "monotonic": self._clock.monotonic,
        }
        found = clean_files(everything, **look, max_deletions=MOST)
        told = {"directory": str(policy.directory), "pattern": policy.pattern}
        return {**told, "count": found.matched, "bytes": found.bytes, "more": found.matched >= MOST}


def _stored(c: Connection, module_id: str, named: set[str]) -> dict[str, Any]:
    wanted = {name.casefold() for name in named} | {f"alembic_version_{module_id.replace('.', '_')}".casefold()}
    there = sorted(name for name in inspect(c).get_table_names() if name.casefold() in wanted)
    of_cleanups = select(cleanup_table.c.task_id).where(cleanup_table.c.module_id == module_id)
    is_theirs = (events.c.module_id == module_id) | events.c.id.in_(of_cleanups)
    history = select(executions.c.id).join(events, events.c.id == executions.c.event_id).where(is_theirs)
    return {
        "tables": [{"name": name, **_counted(c, select(literal(1)).select_from(_table(name)))} for name in there],
        "tasks": _counted(c, select(events.c.id).where(is_theirs)),
        "executions": _counted(c, history),
    }


def _counted(c: Connection, rows: Select[Any]) -> dict[str, Any]:
    found = c.execute(select(func.count()).select_from(rows.limit(MOST + 1).subquery())).scalar_one()
    return {"count": min(found, MOST), "more": found > MOST}


def _table(name: str) -> TableClause:
    return table(quoted_name(name, quote=True))
