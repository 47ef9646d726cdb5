"""Reading changes nothing: after any sequence of GETs every row is what it was, also of tasks that are due."""

from __future__ import annotations

from collections import defaultdict
from random import Random
from typing import Any

from asking import HOURLY, PREFIX, Api
from sqlalchemy import Connection, select

from modules.core.scheduler.tables import Base

SEQUENCE = 150
NEEDED = {"/runs/tasks": "?since=2026-01-01T00:00:00Z"}
"The queries of those that answer nothing without."


async def test_no_sequence_of_gets_changes_a_row(api: Api, node: Any) -> None:
    ids = await things(api, node)
    node.clock.advance(5 * 3_600)  # what has become due is nobody's business who only looks
    before = await node.app_context.database.read(everything)
    chance = Random(13)
    paths = [path for path in gets(api) if "stream" not in path and not path.endswith("/logs")]
    assert len(paths) > 25

    for template in [*paths, *chance.choices(paths, k=SEQUENCE)]:
        path = template.format_map(defaultdict(lambda: "nothing", ids)) + NEEDED.get(template, "")
        answer = await api.ask("GET", path)
        assert answer.status_code in (200, 404), (path, answer.text)

    assert await node.app_context.database.read(everything) == before


def gets(api: Api) -> list[str]:
    """Return the paths that can be read."""
    paths = api.app.openapi()["paths"].items()
    return [path.removeprefix(PREFIX) for path, methods in paths if path.startswith(PREFIX) and "get" in methods]


async def things(api: Api, node: Any) -> dict[str, str]:
    """Make a task that has run, one that failed, and look at their ids."""
    node.register("break", lambda: 1 / 0)
    await api.post("/tasks", 201, **{**HOURLY, "function_name": "break"})
    task_id = (await api.post("/tasks", 201, **HOURLY))["task_id"]
    await node.pass_time(3_600)
    (execution, *_) = (await api.get(f"/tasks/{task_id}/executions"))["executions"]
    (cleanup, *_) = (await api.get("/cleanups"))["cleanups"]
    return {"task_id": task_id, "execution_id": execution["id"], "cleanup_id": cleanup["id"]}


def everything(c: Connection) -> dict[str, list[Any]]:
    """Return every row of the scheduler but its sums, which a node at work makes by itself when time has passed."""
    tables = [table for table in Base.metadata.sorted_tables if not table.name.startswith("scheduler_rollup")]
    return {table.name: [tuple(row) for row in c.execute(select(table))] for table in tables}
