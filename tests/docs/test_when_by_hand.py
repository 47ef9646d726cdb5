"""What docs/when.md does by hand does what it says there."""

from __future__ import annotations

import ast
from inspect import iscoroutine
from pathlib import Path
from typing import Any

from documents import blocks

from framework import Application
from framework.testing import FakeClock
from modules.core.scheduler import SchedulerService

NIGHTLY = {"name": "nightly", "module_id": "acme.press", "function_name": "note", "cron": "0 2 * * *"}


async def test_the_orders_for_single_occurrences_are_taken_as_they_are_written(tmp_path: Path) -> None:
    (block,) = (each for each in blocks("docs/when.md") if "skip_next" in each.text)
    code = compile(block.text, "docs/when.md", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    settings: dict[str, Any] = {"framework": {"data_dir": str(tmp_path)}, "core.scheduler": {"enabled": False}}

    async with Application(modules=["core.scheduler"], settings=settings, clock=FakeClock()) as app_context:
        scheduler = app_context.get_service(SchedulerService)
        scheduler.register_function("acme.press", "note", lambda: None)
        task_id = (await scheduler.schedule_task(NIGHTLY | {"timezone": "UTC"})).unwrap()["task_id"]
        running = eval(code, {"scheduler": scheduler, "task_id": task_id})  # our own document
        assert iscoroutine(running)
        await running
        task = (await scheduler.get_task(task_id)).unwrap()
        rows = (await scheduler.get_executions(task_id)).unwrap()["executions"]

    assert task["trigger"]["end"] == "2026-12-31T23:59:00Z"
    assert [(row["state"], row["origin"], row["due_at"].month) for row in rows] == [
        ("pending", "shift", 12),
        ("skipped", "operator", 1),
    ]
