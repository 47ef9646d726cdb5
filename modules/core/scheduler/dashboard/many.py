"""What there are many of, tasks and executions: how they are found by the same filters, and what is done to each."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from framework.result import Result
from modules.core.scheduler.dashboard import executions, tasks
from modules.core.scheduler.dashboard.desk import Desk
from modules.core.scheduler.service import SchedulerService

Filters = dict[str, Any]
Row = dict[str, Any]
Page = tuple[list[Row], str | None]


@dataclass(frozen=True, slots=True)
class Deed:
    """What can be done to many: in words, to those in which states, and how; `filters` leave out what has no effect."""

    asks: str
    done: str
    says: str
    states: tuple[str, ...]
    act: Callable[[SchedulerService, str, str | None], Awaitable[Result[Any]]]
    takes_reason: bool = False
    is_final: bool = False
    filters: Filters = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Kind:
    """What there are many of. A row is `{"id", "name", "state", "module", "at"}`, one of the last two None."""

    noun: str
    screen: str
    title: str
    state: str
    """What the service calls the filter by state."""
    deeds: Mapping[str, Deed]
    asked_for: Callable[[Mapping[str, str]], dict[str, str]]
    filters_of: Callable[[Desk, Mapping[str, str]], Awaitable[Filters]]
    page: Callable[[SchedulerService, Filters], Awaitable[Page]]
    count: Callable[[SchedulerService, Filters], Awaitable[Row]]
    find: Callable[[SchedulerService, str], Awaitable[Row | None]]


async def _filters_of_tasks(_: Desk, asked: Mapping[str, str]) -> Filters:
    return tasks.filters_of(asked)


async def _page_of_tasks(scheduler: SchedulerService, filters: Filters) -> Page:
    page = (await scheduler.list_tasks(**filters)).unwrap()
    return [_of_task(task) for task in page["tasks"]], page["next_cursor"]


async def _count_tasks(scheduler: SchedulerService, filters: Filters) -> Row:
    return (await scheduler.count_tasks(**filters)).unwrap()


async def _find_task(scheduler: SchedulerService, task_id: str) -> Row | None:
    found = await scheduler.get_task(task_id)
    return _of_task(found.data) if found.success else None


def _of_task(task: Row) -> Row:
    return {"id": task["id"], "name": task["name"], "state": task["status"], "module": task["module_id"], "at": None}


async def _page_of_executions(scheduler: SchedulerService, filters: Filters) -> Page:
    page = (await scheduler.get_executions(**filters)).unwrap()
    return [_of_execution(row, row["task_name"]) for row in page["executions"]], page["next_cursor"]


async def _count_executions(scheduler: SchedulerService, filters: Filters) -> Row:
    return (await scheduler.count_executions(**filters)).unwrap()


async def _find_execution(scheduler: SchedulerService, execution_id: str) -> Row | None:
    found = await scheduler.get_execution(execution_id)
    if not found.success:
        return None
    task = (await scheduler.get_task(found.data["task_id"])).unwrap()
    return _of_execution(found.data, task["name"])


async def _retry(scheduler: SchedulerService, execution_id: str, _: str | None) -> Result[Any]:
    return await scheduler.retry_execution(execution_id)


def _of_execution(row: Row, name: str) -> Row:
    return {"id": row["id"], "name": name, "state": row["state"], "module": None, "at": row["scheduled_for"]}


TASKS = Kind(
    noun="task",
    screen="tasks",
    title="Tasks",
    state="status",
    deeds={
        "pause": Deed(
            "Pause {}",
            "paused",
            "They run no more until they are resumed; what runs finishes.",
            ("pending", "running"),
            lambda scheduler, task_id, reason: scheduler.pause_task(task_id, reason),
            takes_reason=True,
        ),
        "resume": Deed(
            "Resume {}",
            "resumed",
            "They go on from now.",
            ("paused",),
            lambda scheduler, task_id, _: scheduler.resume_task(task_id),
        ),
        "run": Deed(
            "Run {}",
            "started",
            "Each runs once, now, beside its schedule.",
            ("pending", "running", "paused"),
            lambda scheduler, task_id, _: scheduler.execute_task(task_id),
        ),
        "cancel": Deed(
            "Cancel {}",
            "cancelled",
            "They end for good. Their history stays, and what runs finishes.",
            ("pending", "running", "paused"),
            lambda scheduler, task_id, _: scheduler.cancel_task(task_id),
            is_final=True,
        ),
    },
    asked_for=tasks.asked_for,
    filters_of=_filters_of_tasks,
    page=_page_of_tasks,
    count=_count_tasks,
    find=_find_task,
)
EXECUTIONS = Kind(
    noun="execution",
    screen="executions",
    title="Executions",
    state="state",
    deeds={
        "retry": Deed(
            "Try {} again",
            "tried again",
            "Each gets a further attempt, with all its retries. Only the last attempt of an occurrence counts.",
            ("failed", "timed_out", "lost", "cancelled"),
            _retry,
            filters={"last_only": True},
        ),
        "cancel": Deed(
            "Cancel {}",
            "cancelled, or asked to stop",
            "What waits does not run any more, and what runs is asked to stop.",
            ("pending", "running"),
            lambda scheduler, execution_id, _: scheduler.cancel_execution(execution_id),
            is_final=True,
        ),
    },
    asked_for=executions.asked_for,
    filters_of=executions.filters_of,
    page=_page_of_executions,
    count=_count_executions,
    find=_find_execution,
)
