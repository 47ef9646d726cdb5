"""Tasks that wait for the endings of others, in the database."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, select

from framework.database import run
from modules.core.scheduler.tables import events, executions

# Written out rather than bound, for a planner uses a partial index only where it sees that the condition holds.
WAITS = "status = 'pending' AND event IN ('task.ended', 'task.failed', 'task.succeeded')"
SOMEBODY = f"SELECT 1 FROM scheduler_events WHERE {WAITS} LIMIT 1"
WAITING = f"""
    SELECT id FROM scheduler_events WHERE {WAITS} AND (after_task IS NULL OR after_task IN (:ids)
        OR after_task IN (SELECT key FROM scheduler_events AS ended WHERE ended.id IN (:ids)))
    ORDER BY id"""


def somebody_waits(c: Connection) -> bool:
    """Tell whether any task waits for an ending."""
    return bool(run(c, SOMEBODY).rows)


def waiting(c: Connection, task_ids: Collection[str]) -> list[str]:
    """Return the tasks that wait for an ending of one of these tasks, or of any, in the order of their ids."""
    return list(run(c, WAITING, ids=task_ids).scalars())


def endings(c: Connection, execution_ids: Collection[str]) -> Sequence[Row[Any]]:
    """Return what is told of executions that have ended, in the order in which they were made."""
    told: list[Any] = [executions.c[name] for name in ("id", "event_id", "state", "reason", "scheduled_for", "error")]
    query: Select[Any] = select(*told, events.c.name, events.c.module_id, events.c.key)
    query = query.join(events, events.c.id == executions.c.event_id).where(executions.c.id.in_(execution_ids))
    return c.execute(query.order_by(executions.c.id)).all()


def named(c: Connection, name: str, module_id: str) -> list[str]:
    """Return the ids of the tasks that a name means: one's id, or the key of one of the module."""
    means = (events.c.id == name) | ((events.c.module_id == module_id) & (events.c.key == name))
    return list(c.execute(select(events.c.id).where(means)).scalars())
