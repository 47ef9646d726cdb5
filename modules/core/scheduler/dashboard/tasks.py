"""The list of tasks: searched and filtered by the address, and changed many at a time."""

from __future__ import annotations

from typing import Any

from fastapi import Request

from framework.caller import Scope
from modules.core.scheduler.dashboard.desk import Desk, Form, Values
from modules.core.scheduler.task import Status

PAGE = 50
STATES = [state.value for state in Status]


def add(desk: Desk) -> None:
    """Add the screen and its actions."""

    @desk.screen("/tasks", "tasks.html")
    async def tasks(request: Request) -> Values:
        asked = request.query_params
        filters: dict[str, Any] = {
            "status": asked.get("status") if asked.get("status") in STATES else None,
            "module_id": asked.get("module") or None,
            "tag": asked.get("tag") or None,
            "search": asked.get("search") or None,
        }
        page = (await desk.scheduler.list_tasks(**filters, limit=PAGE, cursor=asked.get("cursor") or None)).unwrap()
        return {"screen": "tasks", "tasks": page["tasks"], "next_cursor": page["next_cursor"], "states": STATES}

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


def _id(request: Request) -> str:
    return str(request.path_params["task_id"])
