"""What is asked of one task or execution, each a part of one transaction; a refusal is raised as `ResultError`."""

from __future__ import annotations

import contextlib
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row

from modules.core.scheduler import chaining
from modules.core.scheduler.bounded_text import MAX_ID, storable
from modules.core.scheduler.catch_up import Run
from modules.core.scheduler.execution import MAX_ERROR, OPEN, Reason, State, outcome_of_value, success_of
from modules.core.scheduler.firing import fire_if_due, trigger_of
from modules.core.scheduler.placing import Occurrence, place
from modules.core.scheduler.policies import policies_of
from modules.core.scheduler.recording import record_operator, record_paused
from modules.core.scheduler.refusing import readable, refuse
from modules.core.scheduler.resuming import AfterPause, after_pause
from modules.core.scheduler.settling import settle
from modules.core.scheduler.store import cleanups, executions, line, nodes, occurrences, spans, tasks
from modules.core.scheduler.task import Status
from modules.core.scheduler.views import execution_view, shown_task

ENDED = (Status.COMPLETED, Status.FAILED, Status.CANCELLED)


def must_find(c: Connection, task_id: str) -> Row[Any]:
    """Return the task, locked, or refuse with `TASK_NOT_FOUND`."""
    return tasks.lock(c, storable(task_id, MAX_ID)) or refuse("TASK_NOT_FOUND", f"there is no task {task_id!r}")


def must_find_execution(c: Connection, execution_id: str) -> Row[Any]:
    """Return the execution, or refuse with `EXECUTION_NOT_FOUND`."""
    return executions.find(c, storable(execution_id, MAX_ID)) or refuse(
        "EXECUTION_NOT_FOUND", f"there is no execution {execution_id!r}"
    )


def pause(c: Connection, now: datetime, task_id: str, reason: str | None) -> dict[str, Any]:
    """Hold a task; pausing a paused one only changes the reason."""
    task = must_find(c, task_id)
    if task.status in ENDED:
        refuse("INVALID_STATE", f"the task is {task.status}; only a pending one can be paused", status=task.status)
    fire_if_due(c, task, now)
    spans.end_pause(c, task, now)
    tasks.revise(
        c, task_id, now, status=Status.PAUSED, status_reason=None if reason is None else storable(reason, MAX_ID)
    )
    line.hold_tasks(c, [task_id])
    return _changed(c, task)


def resume(c: Connection, now: datetime, task_id: str) -> dict[str, Any]:
    """Let a paused task go on: a recurring one from now, a one-time one at its time, at once where that has passed."""
    task = must_find(c, task_id)
    if task.status in ENDED:
        refuse("INVALID_STATE", f"the task is {task.status}; only a paused one can be resumed", status=task.status)
    after = after_pause(task, now) if task.status == Status.PAUSED else AfterPause(task.next_execution)
    if after.skipped is not None:
        executions.add(c, [after.skipped])
    changes: dict[str, Any] = {"status": Status.PENDING, "status_reason": None, "next_execution": after.following}
    changes |= after.expected or {}
    if task.status_reason == Reason.NOT_DECLARED:
        changes |= {"owner": "runtime", "declared_by": None, "declared_as": None}  # whoever resumes it makes it theirs
    tasks.revise(c, task_id, now, **changes)
    spans.end_pause(c, task, now)
    line.release_tasks(c, [task_id])
    settle(c, task_id, now)
    return _changed(c, task)


def account_for_pause(c: Connection, task: Row[Any], now: datetime) -> None:
    """Leave a row of what has passed while a task was paused that will not be resumed as it is."""
    if task.status == Status.PAUSED:
        with contextlib.suppress(ValueError):  # a schedule that cannot be read has no occurrences to count
            record_paused(c, task, trigger_of(task.trigger), now)


def let_go(c: Connection, now: datetime, scope: str) -> None:
    """Let go what is held back under a scope; what waited in line for that is back in it at once."""
    nodes.release(c, scope, now)
    line.release_unpaused(c)


def cancel(c: Connection, now: datetime, task_id: str, *, cancel_running: bool) -> dict[str, Any]:
    """End a task for good, closing what is pending; cancelling a cancelled one changes nothing."""
    task = must_find(c, task_id)
    opened = executions.open_of(c, task_id)
    pending = [row for row in opened if row.state == State.PENDING]
    closed = [row.id for row in pending if executions.close(c, row, now, State.CANCELLED, Reason.TASK_CANCELLED)]
    chaining.ended(c, task_id, closed, now)
    if cancel_running:
        executions.request_cancel(c, [row.id for row in opened], now)  # also those that were claimed meanwhile
    if task.status not in (Status.CANCELLED, Status.COMPLETED):
        account_for_pause(c, task, now)
        spans.end_pause(c, task, now)
        tasks.revise(c, task_id, now, status=Status.CANCELLED, status_reason=None, next_execution=None)
    return _changed(c, task)


def run_now(c: Connection, now: datetime, task_id: str, *, force: bool = False) -> dict[str, Any]:
    """Add an execution beside the schedule, unless the task has ended or, without force, `skip` finds one open."""
    task = must_find(c, task_id)
    if task.status in (Status.CANCELLED, Status.COMPLETED):
        refuse("INVALID_STATE", f"the task is {task.status}; it does not run any more", status=task.status)
    opened = [each for each in executions.open_of(c, task_id) if not executions.stands_aside(each)]
    if not force and task.overlap == "skip" and len(opened) >= task.max_instances:
        refuse(Reason.OVERLAP, "an execution of this task is open already, and its overlap policy is skip")
    run = Run(occurrences.free_moment(c, task, now))
    execution_id = place(c, Occurrence(task, readable(policies_of, task.policies), run, "manual", is_forced=force), now)
    if execution_id is None:
        refuse(Reason.QUEUE_FULL, "too many executions of this task wait already")
    return {"execution_id": execution_id, "status": "running"}


def cancel_execution(c: Connection, now: datetime, execution_id: str) -> dict[str, Any]:
    """Close a pending execution, or ask the node of a running one to stop it."""
    row = must_find_execution(c, execution_id)
    if row.state not in OPEN:
        refuse("INVALID_STATE", f"the execution has ended: it is {row.state}", state=row.state)
    task = must_find(c, row.event_id)
    if row.state == State.PENDING and executions.close(c, row, now, State.CANCELLED, Reason.CANCELLED_BY_REQUEST):
        settle(c, task.id, now)
        chaining.ended(c, task.id, [execution_id], now)
    else:  # it runs, perhaps only since it was looked at
        executions.request_cancel(c, [execution_id], now)
    return execution_view(must_find_execution(c, execution_id))


def correct(c: Connection, now: datetime, task_id: str, status: str, result: Any, error: str | None) -> dict[str, Any]:
    """Set a task's status by hand and leave a row of it in the history."""
    task = must_find(c, task_id)
    ended = {Status.COMPLETED: State.SUCCEEDED, Status.FAILED: State.FAILED, Status.CANCELLED: State.CANCELLED}
    if status == Status.PAUSED:
        return pause(c, now, task_id, Reason.OPERATOR)
    if status == Status.PENDING and task.status == Status.PAUSED:
        return resume(c, now, task_id)
    if status not in ended:
        refuse("INVALID_STATE", f"a task that is {task.status} cannot be made {status!r} by hand", status=task.status)
    opened = executions.open_of(c, task_id)
    for row in opened:
        if row.state == State.RUNNING or not executions.close(c, row, now, State.CANCELLED, Reason.OPERATOR):
            problem = "an execution of this task is running; cancel it or let it end first"
            refuse("INVALID_STATE", problem, status="running")
    account_for_pause(c, task, now)
    spans.end_pause(c, task, now)
    state, error = ended[Status(status)], None if error is None else storable(error, MAX_ERROR)
    stored = outcome_of_value(result).result_json
    outcome = {"state": state, "success": success_of(state), "error": error, "result": stored}
    record_operator(c, task, occurrences.free_moment(c, task, now), now, outcome)
    changes = {"status": status, "status_reason": Reason.OPERATOR, "next_execution": None, "last_error": error}
    tasks.revise(c, task_id, now, **changes)
    return _changed(c, task)


def _changed(c: Connection, task: Row[Any]) -> dict[str, Any]:
    """Keep a cleanup in step with its task, and return the task as it is now."""
    cleanups.keep_in_step(c, task)
    return shown_task(c, must_find(c, task.id))
