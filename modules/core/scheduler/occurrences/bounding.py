"""A task's end, given and taken away by hand, as a part of one transaction."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

from sqlalchemy import Connection, Row

from framework import strict_json
from modules.core.scheduler.commands import must_find
from modules.core.scheduler.firing import fire_if_due, trigger_of
from modules.core.scheduler.occurrences.next_one import upcoming
from modules.core.scheduler.refusing import asked_moment, readable, refuse
from modules.core.scheduler.settling import settle
from modules.core.scheduler.store import cleanups, executions, occurrences, spans, tasks
from modules.core.scheduler.task import Status
from modules.core.scheduler.trigger import TimeTrigger, Trigger, Until, pauses_after_each_run


def run_until(c: Connection, now: datetime, task_id: str, end: object) -> dict[str, Any]:
    """Let a task's trigger end with `end`, or without one go on as it did before; an occurrence that is due is fired.

    A task that had come to its end goes on where the new one leaves it a time.
    """
    task = must_find(c, task_id)
    _check_can_end(task)
    fire_if_due(c, task, now)
    task = must_find(c, task_id)
    moment = None if end is None else asked_moment(end, task.timezone, "end")
    trigger = bounded(readable(trigger_of, task.trigger), moment)
    following = _following(c, task, trigger, moment, now)
    changes: dict[str, Any] = {"trigger": strict_json.dumps(trigger.to_json()), "next_execution": following}
    if task.status == Status.COMPLETED and following is not None:
        changes |= {"status": Status.PENDING, "status_reason": None}
    spans.end_pause(c, task, now)
    tasks.revise(c, task_id, now, **changes)
    settle(c, task_id, now)
    cleanups.keep_in_step(c, task)
    task = must_find(c, task_id)
    told = {"task_id": task.id, "until": moment, "status": task.status, "next_execution": task.next_execution}
    return told | {"upcoming": upcoming(task)}


def bounded(trigger: Trigger, end: datetime | None) -> Trigger:
    """Return a trigger with this end in place of the one that it was given before, its own being left as it is."""
    whole, start = (trigger.trigger, trigger.start) if isinstance(trigger, Until) else (trigger, None)
    return whole if end is None and start is None else Until(cast(TimeTrigger, whole), end, start)


def _check_can_end(task: Row[Any]) -> None:
    if task.status in (Status.CANCELLED, Status.FAILED):
        refuse("INVALID_STATE", f"the task is {task.status}; it does not run any more", status=task.status)
    if task.event is not None:
        refuse("INVALID_STATE", "the task waits for an event and has no times that could end; cancel or pause it")
    if not task.recurring:
        refuse("INVALID_STATE", "the task runs once; move that, skip it, or cancel the task")


def _following(c: Connection, task: Row[Any], trigger: Trigger, end: datetime | None, now: datetime) -> datetime | None:
    """Return the task's next time under another end: the one it has where that is early enough."""
    if task.max_executions is not None and task.execution_count >= task.max_executions:
        return None
    if task.next_execution is not None:
        return task.next_execution if end is None or task.next_execution <= end else None
    if pauses_after_each_run(trigger) and executions.has_open(c, [task.id]):
        return None  # the end of what is open says when
    return trigger.next_after(occurrences.accounted_until(c, task.id, now))
