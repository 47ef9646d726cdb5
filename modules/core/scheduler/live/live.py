"""Live: the methods of the service for those who watch."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from typing import Any

from framework.context import AppContext
from framework.result import Result, ResultError
from modules.core.scheduler.live.following import FOLLOWED, follow
from modules.core.scheduler.live.logs import log_page
from modules.core.scheduler.live.ticker import Ticker

Answer = Result[dict[str, Any]]


class Live:
    """What happens right now, in the whole database."""

    def __init__(self, app_context: AppContext) -> None:
        self._database = app_context.database
        self._ticker = Ticker(app_context)
        self.watch, self.look, self.close = self._ticker.watch, self._ticker.look, self._ticker.close

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

    def follow_logs(self, execution_id: str, *, after: int = 0) -> AsyncIterator[dict[str, Any]]:
        """Return the lines of an execution as they come, `{"number", "at", "level", "logger", "message"}`, to its end.

        Taking the first one raises `ResultError` where `execution_logs` refuses.
        """
        viewer = self.watch(execution_id=execution_id, kinds=FOLLOWED, lines_after=after)
        return follow(self, viewer, execution_id, after)
