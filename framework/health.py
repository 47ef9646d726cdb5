"""Health that is measured when it is asked for: which modules run, and what their checks say now."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import Any

from framework.clock import Clock
from framework.errors import one_line
from framework.result import Result
from framework.time_limit import finishes_within

Check = Callable[[], Awaitable[Result[Any]]]

CHECK_SECONDS = 5.0
HEALTHY = "healthy"
UNHEALTHY = "unhealthy"


class Health:
    """What is known of every module, and the checks that they added."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._modules: dict[str, str | None] = {}
        self._checks: dict[str, tuple[str, Check]] = {}

    def module_is(self, module_id: str, error: str | None) -> None:
        """Note that a module runs (None), or in one line why it does not."""
        self._modules[module_id] = error

    def failing(self) -> set[str]:
        """Return the modules that do not run."""
        return {module_id for module_id, error in self._modules.items() if error is not None}

    def running(self) -> set[str]:
        """Return the modules that run."""
        return {module_id for module_id, error in self._modules.items() if error is None}

    def add_check(self, owner: str, name: str, check: Check) -> None:
        """Measure this whenever health is asked for; the same name again replaces the check."""
        self._checks[name] = (owner, check)

    def forget_checks(self, owner: str) -> None:
        """Drop the checks of a module that does not run: its entry says so already."""
        self._checks = {name: added for name, added in self._checks.items() if added[0] != owner}

    async def report(self) -> dict[str, Any]:
        """Return `{"status", "modules": {id: {"status", "error"?}}, "checks": {name: {"status", …}}}`.

        Healthy only when every module runs and every check succeeds. A check that raises, or is silent for five
        seconds, is unhealthy and disturbs no other.
        """
        modules = {module_id: _module_entry(error) for module_id, error in self._modules.items()}
        names = list(self._checks)
        measured = await asyncio.gather(*(self._measure(self._checks[name][1]) for name in names))
        checks = dict(zip(names, measured, strict=True))
        fine = all(entry["status"] == HEALTHY for entry in (*modules.values(), *checks.values()))
        return {"status": HEALTHY if fine else UNHEALTHY, "modules": modules, "checks": checks}

    async def _measure(self, check: Check) -> dict[str, Any]:
        task = asyncio.create_task(_answer(check))
        try:
            if not await finishes_within(task, self._clock, CHECK_SECONDS):
                return _unhealthy("CHECK_TIMED_OUT", f"no answer within {CHECK_SECONDS:g} seconds")
        finally:
            task.cancel()
        if task.cancelled():
            return _unhealthy("CHECK_FAILED", "the check was cancelled")
        return task.result()


async def _answer(check: Check) -> dict[str, Any]:
    try:
        answer: object = check()
        result = await answer if inspect.isawaitable(answer) else answer
    except Exception as error:  # noqa: BLE001  # foreign code; the error is the answer
        return _unhealthy("CHECK_FAILED", one_line(error))
    if not isinstance(result, Result):
        return _unhealthy("CHECK_FAILED", f"a health check returns a Result, not {type(result).__name__}")
    if result.error is not None:
        return {**_unhealthy(result.error.code, result.error.message), "details": result.error.to_dict()["details"]}
    return {"status": HEALTHY, "data": result.data}


def _module_entry(error: str | None) -> dict[str, Any]:
    return {"status": HEALTHY} if error is None else {"status": UNHEALTHY, "error": error}


def _unhealthy(code: str, message: str) -> dict[str, Any]:
    return {"status": UNHEALTHY, "code": code, "error": message}
