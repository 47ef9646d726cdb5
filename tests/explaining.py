"""What tests ask of explanations, and of a node whose work they hold."""

from __future__ import annotations

from typing import Any

from nodes import Stuck


async def explained(node: Any, task_id: str, **at: Any) -> dict[str, Any]:
    return dict((await node.scheduler.explain(task_id, **at)).unwrap())


def answer(told: dict[str, Any]) -> tuple[str, str | None]:
    return told["answer"], told["blocked_by"]


def gate(told: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = [each for each in told["gates"] if each["gate"] == name]
    return dict(found)


async def started(start_node: Any, **settings: Any) -> Any:
    """A node that is known to the database, with a lease that outlasts the test."""
    node = await start_node(lease="10 days", **settings)
    await node.scheduler.turn()
    return node


async def stuck(node: Any, name: str = "stuck", **config: Any) -> tuple[str, Stuck]:
    """Start a task that runs until it is released."""
    function = Stuck()
    node.register(name, function.run)
    task_id = await node.add(name, **config)
    await node.scheduler.turn()
    await function.started.wait()
    return task_id, function
