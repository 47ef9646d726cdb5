"""Endings in the database: many at once, each only where it is this node's to write."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row

from framework.database import change_rows, run

END_COLUMNS = (
    ("id", "text"),
    ("state", "text"),
    ("reason", "text"),
    ("success", "bool"),
    ("result", "text"),
    ("error", "text"),
    ("traceback", "text"),
    ("progress", "text"),
    ("cpu_seconds", "float"),
    ("memory_bytes", "int"),
)
# Fencing: still running, this node's, and its lease holds. All else in a turn rests on this one condition.
# `state || ''`: else PostgreSQL may look the ids up among all that the node runs and ran, dead rows and all.
END = """
    UPDATE scheduler_executions SET state = given.state, reason = given.reason, success = given.success,
        result = given.result, error = given.error, traceback = given.traceback, progress = given.progress,
        cpu_seconds = given.cpu_seconds, memory_bytes = given.memory_bytes, end_time = :now, open_key = NULL
    FROM given
    WHERE scheduler_executions.id = given.id AND scheduler_executions.state || '' = 'running' AND node_id = :node_id
        AND EXISTS (SELECT 1 FROM scheduler_nodes WHERE scheduler_nodes.id = :node_id AND lease_until > :now)
    RETURNING scheduler_executions.id, limit_key"""

HAS_SUCCEEDED = "SELECT 1 FROM scheduler_executions WHERE id = :id AND node_id = :node_id AND state = 'succeeded'"
TASK_COLUMNS = (
    ("id", "text"),
    ("execution_id", "text"),
    ("started", "moment"),
    ("succeeded", "bool"),
    ("error", "text"),
    ("status", "text"),
)
# A one-time task has come to its end once this was its newest row and none of its rows is open.
TELL_TASKS = """
    UPDATE scheduler_events SET updated_at = :now, last_execution = given.started,
        last_error = CASE WHEN given.succeeded THEN NULL ELSE COALESCE(given.error, last_error) END,
        status = CASE
            WHEN scheduler_events.status IN ('completed', 'cancelled') OR recurring OR event IS NOT NULL
                OR next_execution IS NOT NULL OR EXISTS (
                    SELECT 1 FROM scheduler_executions AS other
                    WHERE other.event_id = scheduler_events.id AND other.id <> given.execution_id
                        AND (other.state IN ('pending', 'running') OR other.id > given.execution_id))
            THEN scheduler_events.status ELSE given.status END
    FROM given WHERE scheduler_events.id = given.id
    RETURNING scheduler_events.id, scheduler_events.status, next_execution"""


LOCK_TASKS = "SELECT id FROM scheduler_events WHERE id IN (:ids) ORDER BY id FOR UPDATE"


def lock_tasks(c: Connection, ids: Sequence[str]) -> None:
    """Lock tasks in one order: who locks them so never deadlocks with another. SQLite has one writer, and no need."""
    if c.dialect.name == "postgresql":
        run(c, LOCK_TASKS, ids=ids)


def end(c: Connection, rows: Sequence[Sequence[Any]], node_id: str, now: datetime) -> dict[str, str | None]:
    """Write endings, the values of `END_COLUMNS`; return the ids of those that were this node's to write.

    Beside each is its limit, as it stands in the row: one that others wait for has got it only since it was claimed.
    """
    return {row.id: row.limit_key for row in change_rows(c, END, END_COLUMNS, rows, node_id=node_id, now=now)}


def has_succeeded(c: Connection, execution_id: str, node_id: str) -> bool:
    """Tell whether a row of this node's has ended well."""
    return bool(run(c, HAS_SUCCEEDED, id=execution_id, node_id=node_id).rows)


def tell_tasks(c: Connection, rows: Sequence[Sequence[Any]], now: datetime) -> list[Row[Any]]:
    """Tell tasks how their executions ended, the values of `TASK_COLUMNS`; return their id, status and next time."""
    return change_rows(c, TELL_TASKS, TASK_COLUMNS, rows, now=now)
