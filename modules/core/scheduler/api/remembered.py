"""Answers of lists, kept while nobody commits: many look at the same page again and again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable
from typing import Any

from starlette.responses import Response

from framework.context import AppContext
from framework.result import Result
from modules.core.scheduler.api.statuses import answer
from modules.core.scheduler.service import SchedulerService

MOST = 200  # answers


class Remembered:
    """Keeps answers as long as the database file is unchanged; on a server, where that cannot be seen, keeps none."""

    def __init__(self, app_context: AppContext, scheduler: SchedulerService) -> None:
        self._database = app_context.database
        self._functions = scheduler.functions
        self._of: tuple[int, int] | None = None
        self._kept: dict[Hashable, bytes] = {}

    async def answer(self, asked: Hashable, ask: Callable[[], Awaitable[Result[Any]]]) -> Response:
        """Return what was answered when the same was asked of the same data, or ask; a refusal raises its problem.

        `asked` tells what `ask` asks for. What is read is never older than the last commit before this was called.
        """
        version = await self._database.version()
        if version is None:
            return answer(await ask())
        state = (version, self._functions.version)  # whose parameters are secret is a matter of the functions
        if state != self._of or len(self._kept) >= MOST:
            self._kept, self._of = {}, state
        kept = self._kept
        if asked not in kept:
            kept[asked] = bytes(answer(await ask()).body)
        return Response(kept[asked], media_type="application/json")
