"""One task: when it runs next, how its last runs went, what it is, and what can be done about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from fastapi import Request

from framework.result import Result
from modules.core.scheduler.dashboard.desk import Desk, Values
from modules.core.scheduler.dashboard.run_charts import durations, latenesses
from modules.core.scheduler.showing.definitions import as_command, as_curl, as_python, config_of_task
from modules.core.scheduler.showing.tasks import policies

NEXT, LAST, LISTED, CHANGES = 10, 50, 15, 8
UNREADABLE = "it cannot be written down: its definition cannot be read"


def add(desk: Desk) -> None:
    """Add the screen."""

    @desk.screen("/tasks/{task_id}", "task.html")
    async def task(request: Request) -> Values:
        task_id, at = str(request.path_params["task_id"]), request.query_params.get("at") or None
        found = (await desk.scheduler.get_task(task_id)).unwrap()
        history = (await desk.scheduler.get_executions(task_id, limit=LAST)).unwrap()["executions"]
        coming = await desk.scheduler.preview_task(task_id, count=NEXT)
        changes = (await desk.scheduler.list_audit(kind="task", target=task_id, limit=CHANGES)).unwrap()
        return {
            "screen": "tasks",
            "task": found,
            "history": history,
            "listed": history[:LISTED],
            "outcomes": Counter(each["state"] for each in history),
            "charts": {"How long it took": durations(history), "How late it started": latenesses(history)},
            "coming": coming.data["times"] if coming.success else [],
            "notes": coming.data["notes"] if coming.success else [],
            "explained": await _explained(desk, task_id, at),
            "at": at,
            "policies": [(label, text) for label, text in policies(found) if text],
            "ways": _ways(found, str(request.base_url)),
            "changes": changes["entries"],
            "is_allowed": await _is_allowed(desk, found),
        }


async def _explained(desk: Desk, task_id: str, at: str | None) -> Result[dict[str, Any]]:
    """Return the explanation; a moment that cannot be read is said beside its field."""
    explained = await desk.scheduler.explain(task_id, at=at)
    if at is None:
        explained.unwrap()
    return explained


def _ways(task: Mapping[str, Any], url: str) -> dict[str, str]:
    """Return what would schedule a task like this one, by where it is written."""
    try:
        config = config_of_task(task)
    except (KeyError, TypeError, ValueError, AttributeError):  # a row that was damaged
        return {"Python": UNREADABLE}
    return {"Python": as_python(config), "curl": as_curl(config, url), "Command line": as_command(config)}


async def _is_allowed(desk: Desk, task: Mapping[str, Any]) -> bool:
    """Tell whether its function may be scheduled from outside, so that it can be changed on a page."""
    functions = (await desk.scheduler.list_functions(module_id=task["module_id"])).unwrap()
    return any(each["api"] for each in functions if each["function_name"] == task["function_name"])
