"""Scheduling in keyword style: a cron, an interval, or once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

from framework.database import Joinable
from framework.duration import parse_duration
from framework.result import Result
from modules.core.scheduler.functions import FunctionError, FunctionRegistry
from modules.core.scheduler.signature import named

Function = Callable[..., Any] | tuple[str, str]
Answer = Result[dict[str, Any]]


class ByKeyword:
    """Says `schedule_task` in keywords. Raises `FunctionError` for a function that is not registered."""

    def __init__(self, functions: FunctionRegistry, schedule_task: Callable[..., Awaitable[Answer]]) -> None:
        self._functions = functions
        self._schedule_task = schedule_task

    async def schedule_cron(
        self, function: Function, cron: str, *, session: Joinable | None = None, **config: Any
    ) -> Answer:
        """Schedule a registered function by a cron expression; `config` takes the other keys of a task."""
        named = self._named(function) | {"cron": cron, "recurring": True}
        return await self._schedule_task(named | config, session=session)

    async def schedule_interval(
        self, function: Function, *, every: timedelta | float | str, session: Joinable | None = None, **config: Any
    ) -> Answer:
        """Schedule a registered function at an interval: a timedelta, seconds, or words such as "5 minutes"."""
        try:
            seconds = parse_duration(every).total_seconds()
        except ValueError as error:
            return Result.error("INVALID_CONFIG", str(error), {"problems": [{"field": "every", "message": str(error)}]})
        timing = {"recurring": True, "interval_type": "seconds", "interval_value": seconds}
        return await self._schedule_task(self._named(function) | timing | config, session=session)

    async def schedule_once(
        self,
        function: Function,
        *,
        at: datetime | str | None = None,
        delay: timedelta | float | str | None = None,
        session: Joinable | None = None,
        **config: Any,
    ) -> Answer:
        """Schedule a registered function once: `at` a moment ("now" for at once), or after a `delay`."""
        when = {"schedule_time": at, "delay": delay}
        return await self._schedule_task(self._named(function) | when | config, session=session)

    def _named(self, function: Function) -> dict[str, Any]:
        """Return the names of a registered function; raises `FunctionError` for one that is not."""
        names = function if isinstance(function, tuple) else self._functions.name_of(function)
        if names is None:
            what = function if isinstance(function, tuple) else named(function)
            raise FunctionError(f"{what} is not registered; register_function() comes first")
        return {"module_id": names[0], "function_name": names[1], "name": names[1]}
