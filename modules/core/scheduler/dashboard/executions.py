"""What ran, runs, or did not run: the list, and one of them closely."""

from __future__ import annotations

from fastapi import Request

from framework.caller import Scope
from modules.core.scheduler.dashboard.desk import Desk, Form, Values
from modules.core.scheduler.execution import State

PAGE = 50
STATES = [state.value for state in State]


def add(desk: Desk) -> None:
    """Add the screens and their actions."""

    @desk.screen("/executions", "executions.html")
    async def executions(request: Request) -> Values:
        asked = request.query_params
        state = asked.get("state") if asked.get("state") in STATES else None
        task, cursor = asked.get("task") or None, asked.get("cursor") or None
        page = (await desk.scheduler.get_executions(task, limit=PAGE, cursor=cursor, state=state)).unwrap()
        return {"screen": "executions", "states": STATES, **page}

    @desk.screen("/executions/{execution_id}", "execution.html")
    async def execution(request: Request) -> Values:
        found = (await desk.scheduler.get_execution(str(request.path_params["execution_id"]))).unwrap()
        task = (await desk.scheduler.get_task(found["task_id"])).data
        explained = (await desk.scheduler.explain_execution(found["id"])).unwrap()
        return {"screen": "executions", "execution": found, "task": task, "explained": explained}

    @desk.action("/executions/{execution_id}/cancel", scope=Scope.OPERATE)
    async def cancel_execution(request: Request, _: Form) -> tuple[str, str | None]:
        found = (await desk.scheduler.cancel_execution(str(request.path_params["execution_id"]))).unwrap()
        return ("It is cancelled." if found["state"] == State.CANCELLED else "It was asked to stop."), None
