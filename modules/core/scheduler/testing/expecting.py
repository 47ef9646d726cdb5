"""What a test expects to be scheduled, and sentences that say what is scheduled instead."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, select

from framework.context import AppContext
from modules.core.scheduler.execution import OPEN
from modules.core.scheduler.service import SchedulerService
from modules.core.scheduler.store.cleanups import CARRY_OUT
from modules.core.scheduler.tables import executions
from modules.core.scheduler.task import Status

OWN = (CARRY_OUT[0], "cleanup history")  # the scheduler's retention: not what a test is about
GONE = {Status.COMPLETED, Status.FAILED, Status.CANCELLED}
PAGE = 500
MOST_LISTED = 30

Task = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a task has to be; None stands for anything."""

    function: tuple[str, str]
    parameters: Mapping[str, Any] | None
    at: datetime | None
    name: str | None

    def fits(self, task: Task) -> bool:
        """Whether the task is as wanted."""
        return (
            (task["module_id"], task["function_name"]) == self.function
            and (self.parameters is None or task["parameters"] == dict(self.parameters))
            and (self.at is None or _next_of(task) == self.at)
            and self.name in (None, task["name"])
        )

    def __str__(self) -> str:
        parts = [":".join(self.function)]
        if self.name is not None:
            parts.append(f"named {self.name!r}")
        if self.parameters is not None:
            parts.append(f"with parameters {dict(self.parameters)}")
        if self.at is not None:
            parts.append(f"at {_moment(self.at)}")
        return " ".join(parts)


async def assert_scheduled(context: AppContext, wanted: Wanted) -> Task:
    """Return the one task that is as wanted, or raise `AssertionError` with what there is."""
    tasks = await _scheduled(context)
    found = [task for task in tasks if wanted.fits(task)]
    if len(found) == 1:
        return found[0]
    if found:
        raise AssertionError(f"{len(found)} tasks of {wanted} are scheduled, not one:\n{_listed(found)}")
    raise AssertionError(f"no task of {wanted} is scheduled; what is:\n{_listed(tasks)}")


async def assert_not_scheduled(context: AppContext, wanted: Wanted) -> None:
    """Raise `AssertionError` where a task is as wanted."""
    if found := [task for task in await _scheduled(context) if wanted.fits(task)]:
        raise AssertionError(f"a task of {wanted} is scheduled:\n{_listed(found)}")


async def _scheduled(context: AppContext) -> list[Task]:
    """Return the tasks that have not ended, with `due_at`, when their first open execution is or was due."""
    scheduler, tasks, cursor = context.get_service(SchedulerService), [], None
    while True:
        page = (await scheduler.list_tasks(limit=PAGE, cursor=cursor)).unwrap()
        tasks += [task for task in page["tasks"] if task["status"] not in GONE and not _is_own(task)]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    due = await context.database.read(_due)
    return [task | {"due_at": due.get(task["id"])} for task in tasks]


def _is_own(task: Task) -> bool:
    return (task["module_id"], task["name"]) == OWN


def _due(c: Connection) -> dict[str, datetime]:
    open_ones = select(executions.c.event_id, executions.c.due_at).where(executions.c.state.in_(OPEN))
    return {row.event_id: row.due_at for row in c.execute(open_ones.order_by(executions.c.due_at.desc()))}


def _next_of(task: Task) -> datetime | None:
    """A task that is due when it is stored has an execution at once, and no next time."""
    moment: datetime | None = task["due_at"] if task["next_execution"] is None else task["next_execution"]
    return moment


def _listed(tasks: list[Task]) -> str:
    lines = [
        f"  {task['module_id']}:{task['function_name']} named {task['name']!r} with parameters {task['parameters']},"
        f" {task['status']}, {task['schedule']}, next {_moment(_next_of(task))}"
        for task in tasks[:MOST_LISTED]
    ]
    if len(tasks) > MOST_LISTED:
        lines.append(f"  ... and {len(tasks) - MOST_LISTED} more")
    return "\n".join(lines) or "  nothing"


def _moment(moment: datetime | None) -> str:
    return "never" if moment is None else moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
