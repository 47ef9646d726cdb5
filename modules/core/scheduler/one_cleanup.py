"""One cleanup, by its id: shown, and run."""

from __future__ import annotations

from typing import Any

from framework.context import AppContext
from framework.result import Result
from modules.core.scheduler.bounded_text import MAX_ID, storable
from modules.core.scheduler.cleanup_task import not_found
from modules.core.scheduler.housekeeper import Housekeeper
from modules.core.scheduler.store import cleanups

Answer = Result[dict[str, Any]]


class OneCleanup:
    """Says by an id what the housekeeper says by names. Methods are async and return a Result."""

    def __init__(self, app_context: AppContext, housekeeper: Housekeeper) -> None:
        self._database = app_context.database
        self._housekeeper = housekeeper

    async def get(self, cleanup_id: str) -> Answer:
        """Return a cleanup as `list_cleanups` does, or `CLEANUP_NOT_FOUND`."""
        names = await self._names(cleanup_id)
        if names is None:
            return not_found(cleanup_id)
        listed = await self._housekeeper.list_cleanups(module_id=names[0], cleanup_type=names[1])
        return listed.map(lambda cleanups: cleanups[0])

    async def run(self, cleanup_id: str, *, dry_run: bool = False) -> Answer:
        """Run one cleanup now, also one that is disabled, answering as `run_cleanup` does; `CLEANUP_NOT_FOUND`."""
        names = await self._names(cleanup_id)
        if names is None:
            return not_found(cleanup_id)
        return await self._housekeeper.run_cleanup(names[1], dry_run, module_id=names[0])

    async def _names(self, cleanup_id: str) -> tuple[str, str] | None:
        row = await self._database.read(lambda c: cleanups.find(c, storable(cleanup_id, MAX_ID)))
        return None if row is None else (row.module_id, row.cleanup_type)
