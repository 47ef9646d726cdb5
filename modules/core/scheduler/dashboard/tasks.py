"""The list of tasks: searched and filtered by the address; what is done to one of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

from fastapi import Request

from framework.caller import Scope
from modules.core.scheduler.dashboard.desk import Desk, Form, Values
from modules.core.scheduler.task import Status

PAGE = 50
RUNS = 20
STATES = [state.value for state in Status]
TRIGGERS = {
    "date": "once",
    "interval": "every …",
    "cron": "cron",
    "calendar": "calendar",
    "rrule": "RRULE",
    "window": "window",
    "event": "event",
    "after": "after a task",
    "any": "any of several",
    "all": "all of several",
}
FILTERS = {
    "search": "search",
    "status": "status",
    "trigger": "trigger",
    "module": "module_id",
    "function": "function_name",
    "tag": "tag",
}
"""What the address calls a filter, and what the service calls it."""


def add(desk: Desk) -> None:
    """Add the screen and its actions."""

    @desk.screen("/tasks", "tasks.html")
    async def tasks(request: Request) -> Values:
        return await _listed(desk, request.query_params)

    @desk.action("/tasks/{task_id}/pause", scope=Scope.OPERATE)
    async def pause_task(request: Request, form: Form) -> tuple[str, str | None]:
        task = (await desk.scheduler.pause_task(_id(request), form.get("reason") or None)).unwrap()
        return f"{task['name']} is paused.", None

    @desk.action("/tasks/{task_id}/resume", scope=Scope.OPERATE)
    async def resume_task(request: Request, _: Form) -> tuple[str, str | None]:
        task = (await desk.scheduler.resume_task(_id(request))).unwrap()
        return f"{task['name']} goes on.", None

    @desk.action("/tasks/{task_id}/cancel", scope=Scope.OPERATE)
    async def cancel_task(request: Request, _: Form) -> tuple[str, str | None]:
        task = (await desk.scheduler.cancel_task(_id(request))).unwrap()
        return f"{task['name']} is cancelled; its history stays.", None

    @desk.action("/tasks/{task_id}/run", scope=Scope.OPERATE)
    async def run_task(request: Request, _: Form) -> tuple[str, str | None]:
        started = (await desk.scheduler.execute_task(_id(request))).unwrap()
        return "It runs now, beside its schedule.", desk.path(request, f"/executions/{started['execution_id']}")


async def _listed(desk: Desk, asked: Mapping[str, str]) -> Values:
    filters = filters_of(asked)
    cursor = asked.get("cursor") or None
    page = (await desk.scheduler.list_tasks(**filters, limit=PAGE, cursor=cursor)).unwrap()
    runs = (await desk.scheduler.recent_runs([task["id"] for task in page["tasks"]], RUNS)).unwrap()
    return {
        "screen": "tasks",
        "tasks": page["tasks"],
        "next_cursor": page["next_cursor"],
        "runs": runs,
        "takes": {task_id: average(its) for task_id, its in runs.items()},
        "counted": await _counted(desk, filters, page, is_first=cursor is None),
        "asked": asked_for(asked),
        "states": STATES,
        "triggers": TRIGGERS,
        "modules": sorted({each["module_id"] for each in (await desk.scheduler.list_functions()).unwrap()}),
    }


async def _counted(desk: Desk, filters: Mapping[str, Any], page: Mapping[str, Any], *, is_first: bool) -> Values:
    """Return how many tasks fit; where the first page has all that were found, without another look at all tasks."""
    if is_first and len(page["tasks"]) < PAGE:
        return {"count": len(page["tasks"]), "is_cut": page["next_cursor"] is not None}
    return (await desk.scheduler.count_tasks(**filters)).unwrap()


def asked_for(given: Mapping[str, str]) -> dict[str, str]:
    """Return the filters of an address or a form that say anything."""
    known = {"status": STATES, "trigger": TRIGGERS}
    asked = {name: given.get(name, "").strip() for name in FILTERS}
    return {name: value for name, value in asked.items() if value and value in known.get(name, [value])}


def filters_of(given: Mapping[str, str]) -> dict[str, Any]:
    """Return the same in the words of the service."""
    return {FILTERS[name]: value for name, value in asked_for(given).items()}


def average(runs: Sequence[Mapping[str, Any]]) -> float | None:
    """Return how many seconds the runs took that have ended, on average; None where none has."""
    took = [run["duration"] for run in runs if run["duration"] is not None]
    return fmean(took) if took else None


def _id(request: Request) -> str:
    return str(request.path_params["task_id"])
