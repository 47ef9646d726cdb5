"""Live: the methods of the service for those who watch."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any

from sqlalchemy import Connection

from framework.context import AppContext
from framework.result import Result, ResultError
from modules.core.scheduler.live.following import FOLLOWED, follow
from modules.core.scheduler.live.logs import log_page
from modules.core.scheduler.live.rolling_up import RollingUp
from modules.core.scheduler.live.statistics import statistics
from modules.core.scheduler.live.ticker import Ticker
from modules.core.scheduler.runner import Runner

Answer = Result[dict[str, Any]]


class Live:
    """What happens right now, in the whole database."""

    def __init__(self, app_context: AppContext, runner: Runner) -> None:
        self._database, self._clock = app_context.database, app_context.clock
        self._rolling_up = RollingUp(app_context)
        self.roll_up = self._rolling_up.roll_up
        runner.after_turn.append(self._rolling_up.turned)
        self._ticker = Ticker(app_context)
        self.watch, self.look = self._ticker.watch, self._ticker.look

    async def execution_logs(self, execution_id: str, *, after: int = 0, limit: int = 500) -> Answer:
        """Return the lines logged in an execution's name, behind the one whose number is `after`, oldest first.

        `{"execution_id", "state", "lines": [{"number", "at", "level", "logger", "message"}], "next_after"}`, of which
        the last is what to ask for next, None where there are no more yet. While it runs, they come a second late.
        """
        return await self._read(partial(log_page, execution_id=execution_id, after=after, limit=limit))

    async def stats(self, task_id: str | None = None, window: str = "24h") -> Answer:
        """Return how executions came out in the last `1h`, `24h` or `7d`, of one task or of all.

        `{"window", "task_id", "step", "since", "until", "executions", "by_state", "success_rate", "duration":
        {"average", "p50", "p95", "longest"}, "lateness": {"average", "longest"}, "series": [{"at", "by_state"}],
        "exact", "complete"}`; times are seconds, `step` is how many each point of the series spans. Percentiles are
        right to 2.5 % where `exact` is false. Of a task the newest 1,000 executions count; `complete`: that is all.
        """
        return await self._read(partial(statistics, task_id=task_id, window=window, now=self._clock.now()))

    async def close(self) -> None:
        """Let everybody's events end, and sum nothing up any more."""
        self._ticker.close()
        await self._rolling_up.close()

    async def _read(self, work: Callable[[Connection], dict[str, Any]]) -> Answer:
        try:
            return Result.success(await self._database.read(work))
        except ResultError as refusal:
            return Result.error(refusal.error.code, refusal.error.message, refusal.error.details)

    def follow_logs(self, execution_id: str, *, after: int = 0) -> AsyncIterator[dict[str, Any]]:
        """Return the lines of an execution as they come, `{"number", "at", "level", "logger", "message"}`, to its end.

        Taking the first one raises `ResultError` where `execution_logs` refuses.
        """
        viewer = self.watch(execution_id=execution_id, kinds=FOLLOWED, lines_after=after)
        return follow(self, viewer, execution_id, after)
