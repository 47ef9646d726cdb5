"""What executions have logged, and what viewers are told, as tests look at it."""

from __future__ import annotations

from typing import Any


async def lines_of(node: Any, task_id: str) -> list[dict[str, Any]]:
    """Return the lines of a task's only execution."""
    (execution,) = (await node.scheduler.get_executions(task_id)).unwrap()["executions"]
    return list((await node.scheduler.execution_logs(execution["id"])).unwrap()["lines"])


async def messages(node: Any, task_id: str) -> list[str]:
    """Return what they say."""
    return [line["message"] for line in await lines_of(node, task_id)]


async def told(node: Any, viewer: Any) -> list[Any]:
    """Look once, and return the events that wait for a viewer."""
    await node.scheduler.live.look()
    events = []
    while (event := await viewer.next(0)) is not None:
        events.append(event)
    return events
