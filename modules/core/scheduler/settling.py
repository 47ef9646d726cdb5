"""How a task ends: once nothing more will fire and nothing is open, its last row says what it came to.

A task that pauses after each run gets its next time here: whatever closes an execution for good comes this way.
"""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row

from framework import strict_json
from modules.core.scheduler import containing
from modules.core.scheduler.execution import Reason, State
from modules.core.scheduler.store import executions, tasks
from modules.core.scheduler.task import Status
from modules.core.scheduler.trigger import from_json, given_up, pauses_after_each_run, searches

log = logging.getLogger(__name__)

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
    """Give a task its next time where that is counted from the end of a run, or its final status at its own end."""
    task = tasks.lock(c, task_id)
    if task is None or task.status in (Status.COMPLETED, Status.CANCELLED) or task.next_execution is not None:
        return
    waits_for_event = task.event is not None and _may_start_more(task)
    if waits_for_event or task_id in executions.has_open(c, [task_id]):
        return
    if task.recurring:
        tasks.change(c, task_id, now, **_after_last_run(task, now))
        return
    last = executions.last_of(c, task_id)
    if last is None:
        return
    changes: dict[str, str] = {"status": BY_LAST_ROW.get(last.state, Status.FAILED)}
    if last.state in (State.MISSED, State.SKIPPED):
        changes["last_error"] = f"{last.state}: {last.reason}"
    tasks.change(c, task_id, now, **changes)


def close_damaged(c: Connection, execution_id: str, now: datetime, problem: str) -> None:
    """Close a row that cannot be handled as any other, and let its task go on as far as it can."""
    task_id = executions.close_damaged(c, execution_id, now, problem)
    containing.each(
        c,
        [] if task_id is None else [task_id],
        lambda task_id: settle(c, task_id, now),
        careful=True,
        set_aside=lambda task_id, error: log.error("task %s could not be settled: %s", task_id, error),
    )


def _may_start_more(task: Row[Any]) -> bool:
    return task.max_executions is None or task.execution_count < task.max_executions


def _after_last_run(task: Row[Any], now: datetime) -> dict[str, Any]:
    """Return what changes of a recurring task with nothing open: only one that pauses after each run goes on."""
    done = {"status": Status.COMPLETED}
    try:
        trigger = from_json(strict_json.loads(task.trigger))
    except ValueError as error:
        problem = f"the stored definition cannot be read: {error}"[:2_000]
        return {"status": Status.PAUSED, "status_reason": Reason.CORRUPT_DEFINITION, "last_error": problem}
    if not _may_start_more(task) or task.status == Status.FAILED:
        return done
    goes_on = pauses_after_each_run(trigger) or searches(trigger)
    following = trigger.next_after(now) if goes_on else None
    if following is not None:
        return {"next_execution": following}
    until = given_up(trigger, now) if goes_on else None
    return done if until is None else _not_found(until)


def _not_found(until: datetime) -> dict[str, Any]:
    problem = f"its triggers do not coincide before {until:%Y-%m-%d}, where the search ends"
    return {"status": Status.PAUSED, "status_reason": Reason.NO_COINCIDENCE, "last_error": problem}
