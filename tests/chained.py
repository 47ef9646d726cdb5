"""What tests of tasks that follow each other share: functions that work, fail and tell, and how to say what follows."""

from __future__ import annotations

from typing import Any

from modules.core.scheduler import ExecutionContext


def after(task: str, when: str = "succeeded") -> dict[str, Any]:
    """Return the part of a config that says: after this task."""
    return {"trigger": {"type": "after", "task": task, "when": when}}


def with_functions(node: Any) -> Any:
    """Register functions that work, fail, and remember in `node.told` what they are told; return the node."""
    node.told = []

    async def work(parameters: dict[str, Any]) -> None:
        return None

    async def fail(parameters: dict[str, Any]) -> None:
        raise LookupError("no luck")

    async def tell(context: ExecutionContext) -> None:
        node.told.append(context.payload)

    for function in (work, fail, tell):
        node.register(function.__name__, function)
    return node
