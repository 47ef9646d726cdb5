"""How a task ends: once nothing more will fire and nothing is open, its last row says what it came to."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from modules.core.scheduler.execution import State
from modules.core.scheduler.store import executions, tasks
from modules.core.scheduler.task import Status

BY_LAST_ROW = {
    State.SUCCEEDED: Status.COMPLETED,
    State.FAILED: Status.FAILED,
    State.TIMED_OUT: Status.FAILED,
    State.LOST: Status.FAILED,
    State.CANCELLED: Status.CANCELLED,
    State.MISSED: Status.COMPLETED,
    State.SKIPPED: Status.COMPLETED,
}


def settle(c: Connection, task_id: str, now: datetime) -> None:
    """Give a task its final status, if it has come to its end."""
    task = tasks.lock(c, task_id)
    if task is None or task.status in (Status.COMPLETED, Status.CANCELLED) or task.next_execution is not None:
        return
    waits_for_event = task.event is not None and (
        task.max_executions is None or task.execution_count < task.max_executions
    )
    if waits_for_event or task_id in executions.has_open(c, [task_id]):
        return
    if task.recurring:
        tasks.change(c, task_id, now, status=Status.COMPLETED)
        return
    last = executions.last_of(c, task_id)
    if last is None:
        return
    changes: dict[str, str] = {"status": BY_LAST_ROW.get(last.state, Status.FAILED)}
    if last.state in (State.MISSED, State.SKIPPED):
        changes["last_error"] = f"{last.state}: {last.reason}"
    tasks.change(c, task_id, now, **changes)
