"""Retrying: an occurrence whose last attempt failed gets a further one, as a part of one transaction."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row

from modules.core.scheduler.commands import must_find, must_find_execution
from modules.core.scheduler.execution import Reason, State
from modules.core.scheduler.placing import limit_key_of, repeat
from modules.core.scheduler.refusing import refuse
from modules.core.scheduler.store import cleanups, executions, line, occurrences, tasks
from modules.core.scheduler.task import Status

AGAIN = (State.FAILED, State.TIMED_OUT, State.LOST, State.CANCELLED)


def retry(c: Connection, now: datetime, execution_id: str) -> dict[str, Any]:
    """Place the next attempt of an execution that failed, with all its retries; its task goes on until that has ended.

    `{"execution_id", "status": "running"}`. Refuses with `INVALID_STATE`, and with `OVERLAP` as running now does.
    """
    row = must_find_execution(c, execution_id)
    task = must_find(c, row.event_id)
    _check(c, task, row)
    budgets: dict[str, Any] = {"retries_used": 0, "crashes": 0, "priority": task.priority, "queue": task.queue}
    if task.overlap != "allow":
        budgets |= {"slots": task.max_instances, "limit_key": limit_key_of(task)}
    placed = repeat(c, row, now, now, **budgets)
    if task.status in (Status.COMPLETED, Status.FAILED):
        tasks.change(c, task.id, now, status=Status.PENDING, status_reason=None)
    if task.status == Status.PAUSED:
        line.hold_tasks(c, [task.id])
    cleanups.keep_in_step(c, task)
    return {"execution_id": placed, "status": "running"}


def _check(c: Connection, task: Row[Any], row: Row[Any]) -> None:
    if task.status == Status.CANCELLED:
        refuse("INVALID_STATE", "the task is cancelled; it does not run any more", status=task.status)
    if row.state not in AGAIN:
        refuse("INVALID_STATE", f"only an attempt that failed can be retried; this one is {row.state}", state=row.state)
    last = occurrences.rows_of(c, task.id, row.scheduled_for)[0]
    if last.id != row.id:
        problem = f"there is a later attempt of this occurrence: {last.id}, which is {last.state}"
        refuse("INVALID_STATE", problem, execution_id=last.id, state=last.state)
    opened = [each for each in executions.open_of(c, task.id) if not executions.stands_aside(each)]
    if task.overlap == "skip" and len(opened) >= task.max_instances:
        refuse(Reason.OVERLAP, "an execution of this task is open already, and its overlap policy is skip")
