"""What there is: the functions that tasks may run, and what this application is."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from framework.context import AppContext
from framework.result import Result
from modules.core.scheduler.functions import FunctionRegistry
from modules.core.scheduler.runner import Runner
from modules.core.scheduler.trigger_manager import TriggerManager

NAME, API_VERSION = "chamberlain", "v1"


class Directory:
    """Answers from what this process knows, without the database. Methods are async and return a Result."""

    def __init__(
        self, app_context: AppContext, functions: FunctionRegistry, triggers: TriggerManager, runner: Runner
    ) -> None:
        self._app_context = app_context
        self._functions = functions
        self._triggers = triggers
        self._runner = runner

    async def functions(self, *, module_id: str | None = None) -> Result[list[dict[str, Any]]]:
        """Return the functions that tasks may run, of one module or of all, by name.

        `{"module_id", "function_name", "description", "api", "parameters"}`: whether it may be scheduled from outside,
        and the JSON schema of its parameters, in which secret ones are `writeOnly`.
        """
        chosen = [each for each in self._functions if module_id in (None, each.module_id)]
        return Result.success(
            [
                {
                    "module_id": each.module_id,
                    "function_name": each.function_name,
                    "description": each.description,
                    "api": each.api,
                    "parameters": each.schema(),
                }
                for each in chosen
            ]
        )

    async def info(self) -> Result[dict[str, Any]]:
        """Return `{"name", "version", "api_version", "session_id", "node_id", "timezone", "modules", "now"}`.

        `timezone` is that of tasks which name none; `modules` are those that run, `now` is the time here, in UTC.
        """
        return Result.success(
            {
                "name": NAME,
                "version": version(NAME),
                "api_version": API_VERSION,
                "session_id": self._app_context.session_id,
                "node_id": self._runner.node_id,
                "timezone": self._triggers.timezone,
                "modules": sorted(self._app_context.modules_health.running()),
                "now": self._app_context.clock.now(),
            }
        )
