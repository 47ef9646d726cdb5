"""What is asked of tasks and executions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from framework.result import Result
from modules.core.scheduler.client.wire import Wire

Answer = Result[dict[str, Any]]


class OfTasks:
    """The methods about tasks: named, given and answered as those of `SchedulerService`."""

    wire: Wire

    async def schedule_task(self, config: Mapping[str, Any]) -> Answer:
        """Schedule a task: `{"task_id", "created", "next_execution"}`."""
        return await self.wire.ask("POST", "tasks", body=config)

    async def get_task(self, task_id: str) -> Answer:
        """Return a task."""
        return await self.wire.ask("GET", "tasks", task_id)

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
        """Return `{"tasks", "next_cursor"}`, newest first."""
        query: dict[str, Any] = {"tag": tag, "trigger": trigger, "search": search, "limit": limit, "cursor": cursor}
        query |= {"status": status, "module_id": module_id, "function_name": function_name, "recurring": recurring}
        return await self.wire.ask("GET", "tasks", query=query)

    async def update_task(self, task_id: str, changes: Mapping[str, Any]) -> Answer:
        """Change fields of a task and return it."""
        return await self.wire.ask("PATCH", "tasks", task_id, body=changes)

    async def pause_task(self, task_id: str, reason: str | None = None) -> Answer:
        """Hold a task, and return it."""
        return await self._changed(await self.wire.ask("POST", "tasks", task_id, "pause", body={"reason": reason}))

    async def resume_task(self, task_id: str) -> Answer:
        """Let a paused task go on, and return it."""
        return await self._changed(await self.wire.ask("POST", "tasks", task_id, "resume"))

    async def cancel_task(self, task_id: str, *, cancel_running: bool = False) -> Answer:
        """End a task for good, and return it."""
        query = {"cancel_running": cancel_running}
        return await self._changed(await self.wire.ask("DELETE", "tasks", task_id, query=query))

    async def execute_task(self, task_id: str, *, force: bool = False) -> Answer:
        """Run a task now: `{"execution_id", "status": "running"}`."""
        query = {"force": True} if force else None
        return await self.wire.ask("POST", "tasks", task_id, "execute", query=query)

    async def preview_task(self, task_id: str, count: int = 5) -> Answer:
        """Return when a task will run."""
        return await self.wire.ask("GET", "tasks", task_id, "preview", query={"count": count})

    async def explain(self, task_id: str, at: datetime | str | None = None) -> Answer:
        """Say why a task runs, waits or does not run, now or at a moment."""
        return await self.wire.ask("GET", "tasks", task_id, "explain", query={"at": at})

    async def backfill(
        self, task_id: str, start: datetime | str, end: datetime | str, *, dry_run: bool = False
    ) -> Answer:
        """Run the occurrences of the past that never ran."""
        order = {"start": start, "end": end, "dry_run": dry_run}
        return await self.wire.ask("POST", "tasks", task_id, "backfill", body=order)

    async def skip_next(
        self, task_id: str, scheduled_for: datetime | str | None = None, reason: str | None = None
    ) -> Answer:
        """Leave out one occurrence."""
        order = {"scheduled_for": scheduled_for, "reason": reason}
        return await self.wire.ask("POST", "tasks", task_id, "skip-next", body=order)

    async def shift_next(self, task_id: str, to: datetime | str, scheduled_for: datetime | str | None = None) -> Answer:
        """Start one occurrence at another time."""
        return await self.wire.ask(
            "POST", "tasks", task_id, "shift-next", body={"to": to, "scheduled_for": scheduled_for}
        )

    async def run_until(self, task_id: str, moment: datetime | str | None) -> Answer:
        """Let a recurring task run until a moment, or with None take that end away."""
        return await self.wire.ask("POST", "tasks", task_id, "run-until", body={"until": moment})

    async def export_tasks(self, *, module_id: str | None = None, owner: str | None = None) -> Answer:
        """Return tasks and cleanups as configs that can be imported."""
        return await self.wire.ask("GET", "export", query={"module_id": module_id, "owner": owner})

    async def import_tasks(
        self,
        configs: Sequence[Mapping[str, Any]],
        cleanups: Sequence[Mapping[str, Any]] = (),
        *,
        dry_run: bool = False,
    ) -> Answer:
        """Store tasks and cleanups, all or none."""
        given = {"tasks": list(configs), "cleanups": list(cleanups), "dry_run": dry_run}
        return await self.wire.ask("POST", "import", body=given)

    async def _changed(self, told: Answer) -> Answer:
        return told if told.error is not None else await self.get_task(told.data["task_id"])


class OfExecutions:
    """The methods about executions."""

    wire: Wire

    async def get_executions(
        self,
        task_id: str | None = None,
        *,
        limit: int = 50,
        cursor: str | None = None,
        state: str | None = None,
        since: datetime | str | None = None,
        until: datetime | str | None = None,
    ) -> Answer:
        """Return `{"executions", "next_cursor"}`, newest first, of one task or of all."""
        path = ("executions",) if task_id is None else ("tasks", task_id, "executions")
        query = {"limit": limit, "cursor": cursor, "state": state, "since": since, "until": until}
        return await self.wire.ask("GET", *path, query=query)

    async def count_executions(
        self,
        task_id: str | None = None,
        *,
        state: str | None = None,
        since: datetime | str | None = None,
        until: datetime | str | None = None,
        module_id: str | None = None,
        last_only: bool = False,
    ) -> Answer:
        """Return `{"count", "is_cut"}` of the executions that `get_executions` would list, to 10,000 at most."""
        query: dict[str, Any] = {"task": task_id, "state": state, "since": since, "until": until}
        query |= {"module_id": module_id, "last_only": last_only}
        return await self.wire.ask("GET", "counts", "executions", query=query)

    async def attempts_of(self, execution_id: str) -> Result[list[dict[str, Any]]]:
        """Return the attempts of an execution's occurrence, at most the newest 100, the first one first."""
        return (await self.wire.ask("GET", "executions", execution_id, "attempts")).map(lambda data: data["attempts"])

    async def get_execution(self, execution_id: str) -> Answer:
        """Return an execution."""
        return await self.wire.ask("GET", "executions", execution_id)

    async def cancel_execution(self, execution_id: str) -> Answer:
        """End an execution: a pending one at once, a running one by asking its function to stop."""
        return await self.wire.ask("POST", "executions", execution_id, "cancel")

    async def retry_execution(self, execution_id: str) -> Answer:
        """Run an occurrence that failed once more: `{"execution_id", "status": "running"}`."""
        return await self.wire.ask("POST", "executions", execution_id, "retry")

    async def retry_executions(self, execution_ids: Sequence[str]) -> Answer:
        """Do the same for up to 500 executions: `{"retried", "refused"}`."""
        return await self.wire.ask("POST", "executions", "retry", body={"execution_ids": list(execution_ids)})

    async def execution_logs(self, execution_id: str, *, after: int = 0, limit: int = 500) -> Answer:
        """Return `{"execution_id", "state", "lines", "next_after"}`: what was logged in an execution's name."""
        query = {"after": after, "limit": limit}
        return await self.wire.ask("GET", "executions", execution_id, "logs", query=query)

    async def explain_execution(self, execution_id: str) -> Answer:
        """Say what an execution waits for, how it came out, or why it did not run."""
        return await self.wire.ask("GET", "executions", execution_id, "explain")
