"""The seven operations that modules and agents call by name: the service's own, with parameters as plain JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from framework.caller import caller
from framework.result import Result
from modules.core.scheduler.functions import FunctionRegistry
from modules.core.scheduler.outside import MODULE_ID, missing_scope
from modules.core.scheduler.refusing import invalid
from modules.core.scheduler.task import TaskConfig

if TYPE_CHECKING:
    from modules.core.scheduler.service import SchedulerService

PREFIX = "scheduler."
Answer = Result[Any]


class Operations:
    """Registers the operations as functions of `core.scheduler`, so that tasks may run them, and calls them."""

    def __init__(self, functions: FunctionRegistry, service: SchedulerService) -> None:
        self._functions = functions
        self._service = service
        functions.register(MODULE_ID, f"{PREFIX}schedule_task", self.schedule_task, parameters=TaskConfig, api=True)
        for operation in (
            self.list_tasks,
            self.cancel_task,
            self.pause_resume_task,
            self.execute_task_now,
            self.register_cleanup,
            self.run_cleanup,
        ):
            functions.register(MODULE_ID, f"{PREFIX}{operation.__name__}", operation, api=True)

    def known(self) -> list[dict[str, Any]]:
        """Return the operations: `{"name", "description", "parameters"}`, the last a JSON schema."""
        return [
            {"name": each.function_name, "description": each.description, "parameters": each.schema()}
            for each in self._functions
            if each.module_id == MODULE_ID and each.function_name.startswith(PREFIX)
        ]

    async def perform(self, name: str, parameters: Mapping[str, Any] | None = None) -> Answer:
        """Call an operation by its name, `scheduler.list_tasks` or such; moments in its data are ISO 8601 text.

        `UNKNOWN_OPERATION`; `FORBIDDEN` where the caller lacks its scope; `INVALID_CONFIG` where the parameters do not
        fit its schema; and what it refuses itself.
        """
        function = self._functions.find(MODULE_ID, name) if name.startswith(PREFIX) else None
        if function is None:
            names = ", ".join(each["name"] for each in self.known())
            return Result.error("UNKNOWN_OPERATION", f"there is no operation {name!r:.100}; there are {names}")
        if (missing := missing_scope(caller(), name)) is not None:
            return Result(error=missing)
        given = dict(parameters or {})
        if problems := function.check(given):
            return invalid(problems)
        answer: Answer = await function.call(given, None)
        return answer

    async def schedule_task(self, parameters: dict[str, Any]) -> Answer:
        """Schedule a task: the keys of a task config."""
        return _plain(await self._service.schedule_task(parameters))

    async def list_tasks(
        self,
        *,
        status: str | None = None,
        module_id: str | None = None,
        function_name: str | None = None,
        recurring: bool | None = None,
        tag: str | None = None,
        trigger: str | None = None,
        search: str | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Answer:
        """List tasks by pages, newest first."""
        named: dict[str, Any] = {"status": status, "module_id": module_id, "function_name": function_name}
        named |= {"recurring": recurring, "tag": tag, "trigger": trigger, "search": search}
        return _plain(await self._service.list_tasks(**named, limit=limit, cursor=cursor))

    async def cancel_task(self, *, task_id: str, cancel_running: bool = False) -> Answer:
        """End a task for good; its history stays."""
        return _plain(await self._service.cancel_task(task_id, cancel_running=cancel_running))

    async def pause_resume_task(
        self, *, task_id: str, action: Literal["pause", "resume"], reason: str | None = None
    ) -> Answer:
        """Pause a task, or let it go on."""
        if action == "pause":
            return _plain(await self._service.pause_task(task_id, reason))
        return _plain(await self._service.resume_task(task_id))

    async def execute_task_now(self, *, task_id: str) -> Answer:
        """Run a task now, beside its schedule."""
        return _plain(await self._service.execute_task(task_id))

    async def register_cleanup(self, *, module_id: str, cleanup_type: str, config: dict[str, Any]) -> Answer:
        """Register a cleanup; the same module and type again updates it."""
        return _plain(await self._service.register_cleanup_task(module_id, cleanup_type, config))

    async def run_cleanup(
        self, *, cleanup_type: str | None = None, module_id: str | None = None, dry_run: bool = False
    ) -> Answer:
        """Run all cleanups, or those of one type or module, now."""
        return _plain(await self._service.run_cleanup(cleanup_type, dry_run, module_id=module_id))


def _plain(answer: Result[Any]) -> Answer:
    return answer.map(_as_json)


def _as_json(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Mapping):
        return {str(key): _as_json(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_as_json(item) for item in value]
    return value
