"""Live: the methods of the service for those who watch."""

from __future__ import annotations

from functools import partial
from typing import Any

from framework.context import AppContext
from framework.result import Result, ResultError
from modules.core.scheduler.live.logs import log_page

Answer = Result[dict[str, Any]]


class Live:
    """What happens right now, in the whole database."""

    def __init__(self, app_context: AppContext) -> None:
        self._database = app_context.database

    async def execution_logs(self, execution_id: str, *, after: int = 0, limit: int = 500) -> Answer:
        """Return the lines logged in an execution's name, behind the one whose number is `after`, oldest first.

        `{"execution_id", "state", "lines": [{"number", "at", "level", "logger", "message"}], "next_after"}`, of which
        the last is what to ask for next, None where there are no more yet. While it runs, they come a second late.
        """
        try:
            read = partial(log_page, execution_id=execution_id, after=after, limit=limit)
            return Result.success(await self._database.read(read))
        except ResultError as refusal:
            return Result.error(refusal.error.code, refusal.error.message, refusal.error.details)
