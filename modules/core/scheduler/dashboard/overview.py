"""The overview: one sentence that says whether all is well, and what a person would ask next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import Request

from modules.core.scheduler.dashboard.desk import Desk, Values

LATELY = 200  # executions that are looked at
FAILED = ("failed", "timed_out", "lost")


def add(desk: Desk) -> None:
    """Add the screen."""

    @desk.screen("/", "overview.html")
    async def overview(_: Request) -> Values:
        status = (await desk.scheduler.status()).unwrap()
        lately = (await desk.scheduler.get_executions(limit=LATELY)).unwrap()["executions"]
        running = [each for each in lately if each["state"] == "running"]
        failed = [each for each in lately if each["state"] in FAILED]
        return {
            "screen": "overview",
            "status": status,
            "verdict": verdict(status, failed),
            "running": running,
            "failed": failed[:10],
            "lately": lately[:12],
        }


def verdict(status: Mapping[str, Any], failed: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Return `{"kind", "text"}`: whether somebody has to do something."""
    alive = [node for node in status["nodes"] if node["alive"]]
    if not alive:
        return {"kind": "bad", "text": "Nothing runs: no node is alive."}
    if status["paused"]:
        what = ", ".join("everything" if each["scope"] == "*" else each["scope"] for each in status["paused"])
        return {"kind": "warn", "text": f"Held back: {what}."}
    tasks = {each["task_name"] for each in failed}
    if tasks:
        name = next(iter(tasks)) if len(tasks) == 1 else f"{len(tasks)} tasks"
        return {"kind": "bad", "text": f"{name} failed lately."}
    if (status["lateness"] or 0) > 60:
        return {"kind": "warn", "text": f"Late: what waits longest has waited {status['lateness']:.0f} s."}
    return {"kind": "good", "text": "All is well."}
