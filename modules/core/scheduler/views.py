"""How tasks and executions are shown: plain dicts with the field names of the contract, moments aware in UTC."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from operator import attrgetter
from typing import Any

from sqlalchemy import Connection, Row

from framework import strict_json
from modules.core.scheduler.execution import State
from modules.core.scheduler.firing import trigger_of
from modules.core.scheduler.store import executions
from modules.core.scheduler.task import Status

TASK_FIELDS = (
    "id",
    "name",
    "description",
    "module_id",
    "function_name",
    "recurring",
    "interval_type",
    "interval_value",
    "timezone",
    "next_execution",
    "expected_at",
    "last_execution",
    "execution_count",
    "max_executions",
    "last_error",
    "status_reason",
    "key",
    "owner",
    "priority",
    "queue",
    "concurrency_key",
    "overlap",
    "max_instances",
    "delivery",
    "created_by",
    "revision",
    "created_at",
    "updated_at",
)
EXECUTION_FIELDS = (
    "id",
    "scheduled_for",
    "attempt",
    "state",
    "reason",
    "origin",
    "queue",
    "due_at",
    "node_id",
    "start_time",
    "end_time",
    "timed_out_at",
    "cancel_requested_at",
    "success",
    "error",
    "traceback",
    "missed_count",
    "missed_since",
    "retries_used",
    "crashes",
    "cpu_seconds",
    "memory_bytes",
    "trace_session_id",
    "created_at",
)

_OF_TASK, _OF_EXECUTION = attrgetter(*TASK_FIELDS), attrgetter(*EXECUTION_FIELDS)


def task_view(row: Row[Any], *, is_open: bool, blocked: str | None = None) -> dict[str, Any]:
    """Return a task; `running` is shown over `pending` while an execution is open."""
    view = dict(zip(TASK_FIELDS, _OF_TASK(row), strict=True))
    view["status"] = shown_status(row, is_open=is_open)
    view["parameters"], view["tags"] = _read(row.parameters), _read(row.tags)
    view["trigger"], view["policies"] = _read(row.trigger), _read(row.policies)
    view["schedule"] = words_of(row.trigger, row.timezone)
    view["blocked_reason"] = blocked
    return view


def shown_status(row: Row[Any], *, is_open: bool) -> str:
    """Return a task's status as it is shown."""
    return Status.RUNNING.value if row.status == Status.PENDING and is_open else row.status


def execution_view(row: Row[Any]) -> dict[str, Any]:
    """Return an execution; `duration` is in seconds, None while it has not ended."""
    view = dict(zip(EXECUTION_FIELDS, _OF_EXECUTION(row), strict=True))
    view["task_id"] = row.event_id
    view["duration"] = seconds_between(row.start_time, row.end_time)
    for name in ("result", "progress", "payload"):
        view[name] = None if getattr(row, name) is None else _read(getattr(row, name))
    return view


def seconds_between(start: datetime | None, end: datetime | None) -> float | None:
    """Return how many seconds lie between two moments; None where one is missing."""
    return None if start is None or end is None else (end - start).total_seconds()


def shown_task(c: Connection, row: Row[Any]) -> dict[str, Any]:
    """Return a task with what its open executions tell: that it runs, or why it waits."""
    opened = [each for each in executions.open_of(c, row.id) if not executions.is_far_off(each)]
    blocked = next((each.reason for each in opened if each.state == State.PENDING and each.reason), None)
    return task_view(row, is_open=bool(opened), blocked=blocked)


def _read(text: str) -> Any:
    """Read stored JSON; a corrupt text is shown as such, for one bad row must not hide the others."""
    try:
        return strict_json.loads_own(text)
    except strict_json.JsonError:
        return {"corrupt": True}


@lru_cache(maxsize=10_000)
def words_of(trigger: str, zone: str) -> str:
    """Return a stored trigger in words, in a task's zone; `unreadable` where it is corrupt."""
    try:
        return trigger_of(trigger).describe(zone)
    except ValueError:
        return "unreadable"
