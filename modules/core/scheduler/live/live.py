"""Live: the methods of the service for those who watch."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import Connection

from framework.context import AppContext
from framework.result import Result, ResultError
from modules.core.scheduler.live.failing import failures
from modules.core.scheduler.live.following import FOLLOWED, follow
from modules.core.scheduler.live.logs import log_page
from modules.core.scheduler.live.overview import overview, ran_since, runs_since
from modules.core.scheduler.live.rolling_up import RollingUp
from modules.core.scheduler.live.statistics import statistics
from modules.core.scheduler.live.ticker import Ticker
from modules.core.scheduler.runner import Runner

T = TypeVar("T")
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

    async def failures(self, window: str = "24h") -> Answer:
        """Return what failed in the last `1h`, `24h` or `7d`, of each task what says the same as one, the most first.

        `{"window", "since", "until", "failures": [{"id", "task_id", "task_name", "state", "error", "count", "first",
        "last", "newest", "series", "last_attempts", "ignored"}], "is_cut"}`: `error` and `newest`, an execution's id,
        are of the last one, `series` counts them in 24 equal steps, `last_attempts` are up to 100 ids of those that
        can be tried again. Of each kind of failure the newest 1,000 count; `is_cut`: there are more.
        """
        return await self._read(partial(failures, window=window, now=self._clock.now()))

    async def overview(self) -> Answer:
        """Return whether somebody has to do something, by queries that are bounded however much is stored.

        `{"verdict": {"kind", "text"}, "tasks", "due", "next_hour", "late", "failing", "failed_once", "attention",
        "others", "bytes", "kept_since"}`. `kind` is `good`, `warn` or `bad`, `text` a sentence. Of each number it is
        `{"count", "is_cut"}`, counted to 10,000 at most: pending tasks with a next time; what is due now; tasks that
        come within an hour; tasks late by more than a minute (with `longest`, in seconds); recurring tasks whose last
        run failed, within a week; one-time ones that failed within a day.

        `attention` are `{"need", "task_id", "task", "since", "text", "advice", "execution_id"}`, the most pressing
        first, at most five of each need (`others`: how many more, by need); `need` is `deadline_missed`, `set_aside`,
        `failing`, `function_missing`, `late`, `failed_once` (without a task: all of them) or `long_paused`, for more
        than seven days. `bytes` is the size of the database, `kept_since` when the oldest execution that is kept ended.
        """
        return await self._read(partial(overview, now=self._clock.now()))

    async def ran_since(self, since: datetime) -> Answer:
        """Return `{"tasks": [{"id", "name"}], "is_cut"}`: tasks that run, or are of the last 1,000 runs since then."""
        return await self._read(partial(ran_since, since=since))

    async def runs_since(self, task_ids: Sequence[str], since: datetime) -> Result[dict[str, list[dict[str, Any]]]]:
        """Return the executions since then of up to 100 tasks by id, newest first, at most 200 of each.

        `{"id", "state", "scheduled_for", "start_time", "end_time", "duration"}` each, `duration` in seconds.
        """
        return await self._read(partial(runs_since, task_ids=list(task_ids), since=since))

    async def close(self) -> None:
        """Let everybody's events end, and sum nothing up any more."""
        self._ticker.close()
        await self._rolling_up.close()

    async def _read(self, work: Callable[[Connection], T]) -> Result[T]:
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
