"""Tasks of a page that is put together as text, and the same page as data."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import update

from framework.web.json_answer import JsonAnswer
from modules.core.scheduler.tables import events
from modules.core.scheduler.task_texts import TaskTexts

MODULE = "acme.test"
HOURLY = {"cron": "0 * * * *"}


async def schedule(node: Any, *configs: dict[str, Any]) -> str:
    if node.scheduler.functions.find(MODULE, "call") is None:
        node.register("call", lambda *, url="", token="": None)
    config = {"name": "odd", "module_id": MODULE, "function_name": "call"}
    for each in configs:
        config |= each
    return str((await node.scheduler.schedule_task(config)).unwrap()["task_id"])


async def by_hand(node: Any, task_id: str, raw: str = "", **values: Any) -> None:
    """Change a row as somebody does who can write to the database."""
    if raw:
        statement = f"UPDATE scheduler_events SET {raw} WHERE id = '{task_id}'"
        await node.app_context.database.write(lambda c: c.exec_driver_sql(statement))
    else:
        await node.app_context.database.write(
            lambda c: c.execute(update(events).where(events.c.id == task_id).values(**values))
        )


def texts(node: Any) -> TaskTexts:
    return TaskTexts(node.app_context, node.scheduler.functions)


async def both(node: Any, **page: Any) -> tuple[Any, Any]:
    """Return a page read from its text, and from its data."""
    as_text = await texts(node).page({}, **page)
    assert as_text is not None
    as_data = JsonAnswer((await node.scheduler.list_tasks(**page)).unwrap())
    return json.loads(as_text.unwrap()), json.loads(bytes(as_data.body))
