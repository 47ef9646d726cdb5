"""Seeing ahead: when a trigger, a config or a stored task will run, and what is odd about those times."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from framework.context import AppContext
from framework.result import Result
from modules.core.scheduler.execution import Reason
from modules.core.scheduler.job_manager import JobManager
from modules.core.scheduler.task import Status, TaskConfig
from modules.core.scheduler.trigger import OnEvent, Trigger, from_json
from modules.core.scheduler.trigger_manager import TriggerManager

Answer = Result[dict[str, Any]]


class Foresight:
    """What lies ahead, read and never changed. Methods are async and return a Result."""

    def __init__(self, app_context: AppContext, jobs: JobManager, triggers: TriggerManager) -> None:
        self._app_context = app_context
        self._jobs = jobs
        self._triggers = triggers

    async def preview(
        self, what: Trigger | TaskConfig | Mapping[str, Any] | str, count: int = 5
    ) -> Result[list[dict[str, Any]]]:
        """Return the next times of a trigger, trigger dict, cron text or config: `{"at", "local", "notes"}` each.

        `at` is in UTC, `local` in the task's zone; a note is `{"code", "text"}`. Nothing is stored.
        """
        return self._triggers.preview_of(what, count)

    async def preview_task(self, task_id: str, count: int = 5) -> Answer:
        """Return when a stored task will run: `{"id", "name", "status", "schedule", "timezone", "times", "notes"}`.

        `times` are as `preview` returns them, none for a task that has ended; the `notes` beside them are about the
        task. `TASK_NOT_FOUND`, or `CORRUPT_DEFINITION` where its trigger cannot be read.
        """
        found = await self._jobs.get(task_id)
        if found.error is not None:
            return found
        task = found.data
        try:
            trigger = from_json(task["trigger"])
        except ValueError as error:
            return Result.error(Reason.CORRUPT_DEFINITION, f"the task's trigger cannot be read: {error}")
        shown = {name: task[name] for name in ("id", "name", "status", "schedule", "timezone")}
        times = self._times(task, trigger, count)
        return Result.success(shown | {"times": times, "notes": _notes_about(task, trigger, times)})

    def _times(self, task: Mapping[str, Any], trigger: Trigger, count: int) -> list[dict[str, Any]]:
        """Return what is to come; a paused task is taken as if it were resumed now."""
        first, most = _first(task, trigger, self._app_context.clock.now()), count
        if first is None:
            return []
        if task["max_executions"] is not None:
            most = min(count, task["max_executions"] - task["execution_count"])
        return self._triggers.preview(trigger, most, first=first, timezone=task["timezone"])


def _first(task: Mapping[str, Any], trigger: Trigger, now: datetime) -> datetime | None:
    stored: datetime | None = task["next_execution"]
    if task["status"] not in (Status.PENDING, Status.RUNNING, Status.PAUSED):
        return None
    if task["status"] == Status.PAUSED and task["recurring"] and stored is not None and stored <= now:
        return trigger.next_after(now)
    return stored


def _notes_about(task: Mapping[str, Any], trigger: Trigger, times: list[dict[str, Any]]) -> list[dict[str, str]]:
    notes = []
    if task["status"] == Status.PAUSED:
        reason = f": {task['status_reason']}" if task["status_reason"] else ""
        notes.append(
            {"code": "PAUSED", "text": f"the task is paused{reason}; these are its times if it is resumed now"}
        )
    if task["status"] in (Status.COMPLETED, Status.FAILED, Status.CANCELLED):
        notes.append({"code": "ENDED", "text": f"the task is {task['status']}: it does not run again"})
    elif isinstance(trigger, OnEvent):
        notes.append({"code": "EVENT", "text": f"it runs {trigger.describe()}; nobody knows when"})
    elif not times:
        notes.append({"code": "NO_NEXT_TIME", "text": "it has no next time"})
    return notes
