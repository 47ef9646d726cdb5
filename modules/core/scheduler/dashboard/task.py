"""One task: when it runs next, how its last runs went, what it is, and what can be done about it."""

from __future__ import annotations

from fastapi import Request

from modules.core.scheduler.dashboard.desk import Desk, Values

NEXT, LAST = 10, 50


def add(desk: Desk) -> None:
    """Add the screen."""

    @desk.screen("/tasks/{task_id}", "task.html")
    async def task(request: Request) -> Values:
        task_id = str(request.path_params["task_id"])
        found = (await desk.scheduler.get_task(task_id)).unwrap()
        history = (await desk.scheduler.get_executions(task_id, limit=LAST)).unwrap()["executions"]
        coming = await desk.scheduler.preview_task(task_id, count=NEXT)
        explained = (await desk.scheduler.explain(task_id)).unwrap()
        return {
            "screen": "tasks",
            "task": found,
            "history": history,
            "coming": coming.unwrap()["times"] if coming.success else [],
            "explained": explained,
        }
