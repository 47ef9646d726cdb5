"""Backfilling: occurrences of the past that have no attempt become executions, as a part of one transaction."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import islice
from typing import Any, cast

from sqlalchemy import Connection, Row

from modules.core.scheduler.catch_up import Run
from modules.core.scheduler.commands import must_find
from modules.core.scheduler.firing import fire_if_due, trigger_of
from modules.core.scheduler.placing import BACKFILL, Occurrence, place_all
from modules.core.scheduler.policies import policies_of
from modules.core.scheduler.refusing import asked_moment, invalid, readable, refuse
from modules.core.scheduler.store import cleanups, line, occurrences, spans, tasks
from modules.core.scheduler.task import Status
from modules.core.scheduler.trigger import Awaited, TimeTrigger, pauses_after_each_run

MOST = 1_000  # executions of one order
LOOKED_AT = 10_000  # occurrences of one order
TOLD = 100  # ids of an answer
MICROSECOND = timedelta(microseconds=1)


def backfill(c: Connection, now: datetime, task_id: str, start: object, end: object) -> dict[str, Any]:
    """Place an execution for each occurrence of `[start, end]` up to now that has no attempt, oldest first.

    What is due is fired first, under the task's own policies. `{"placed", "already", "executions", "first", "last"}`.
    """
    task = must_find(c, task_id)
    if task.status == Status.CANCELLED:
        refuse("INVALID_STATE", "the task is cancelled; it does not run any more", status=task.status)
    first, last = asked_moment(start, task.timezone, "start"), asked_moment(end, task.timezone, "end")
    if last < first:
        invalid([{"field": "end", "message": "the end lies before the start"}]).unwrap()
    fire_if_due(c, task, now)
    task = must_find(c, task_id)
    moments = _occurrences(task, first, min(last, now))
    attempted = occurrences.attempted(c, task.id, first, min(last, now))
    missing = [moment for moment in moments if moment not in attempted]
    _check_room(task, len(missing))
    ids = _place(c, task, missing, now)
    return {
        "task_id": task.id,
        "placed": len(ids),
        "already": len(moments) - len(ids),
        "executions": ids[:TOLD],
        "first": missing[0] if missing else None,
        "last": missing[-1] if missing else None,
    }


def _occurrences(task: Row[Any], first: datetime, last: datetime) -> list[datetime]:
    """Return a task's nominal times from `first` to `last`."""
    trigger = readable(trigger_of, task.trigger)
    if isinstance(trigger, Awaited):
        refuse("INVALID_STATE", "the task waits for an event; it has no times of its own to go back to")
    if pauses_after_each_run(trigger):
        refuse("INVALID_STATE", "the task pauses after each run; it has no times of its own to go back to")
    after = first - MICROSECOND
    total = trigger.count_between(after, last)
    if total > LOOKED_AT:
        _refuse_as_too_many(f"there are {total:,} occurrences in this time, and one order looks at {LOOKED_AT:,}")
    return list(islice(cast(TimeTrigger, trigger).between(after, last), LOOKED_AT))


def _check_room(task: Row[Any], missing: int) -> None:
    if missing > MOST:
        _refuse_as_too_many(f"{missing:,} occurrences would run, and one order places at most {MOST:,}")
    room = None if task.max_executions is None else max(task.max_executions - task.execution_count, 0)
    if room is not None and missing > room:
        problem = f"{missing:,} occurrences would run, and max_executions leaves {room:,}; raise it, or ask for less"
        refuse("INVALID_STATE", problem, missing=missing, room=room)


def _refuse_as_too_many(problem: str) -> None:
    refuse("TOO_MANY", f"{problem}; ask for a shorter time, the oldest first, and for the rest when that is done")


def _place(c: Connection, task: Row[Any], moments: list[datetime], now: datetime) -> list[str]:
    """Insert the executions, one to run at a time, and count them; what has ended goes on until they have ended."""
    policies = readable(policies_of, task.policies)
    runs = [Occurrence(task, policies, Run(moment, one_at_a_time=True), BACKFILL) for moment in moments]
    ids = [each for each in place_all(c, runs, now) if each is not None] if runs else []
    if not ids:
        return []
    count = task.execution_count + len(ids)
    changes: dict[str, Any] = {"execution_count": count}
    if task.max_executions is not None and count >= task.max_executions:
        changes["next_execution"] = None
    if task.status in (Status.COMPLETED, Status.FAILED):
        changes |= {"status": Status.PENDING, "status_reason": None}
    spans.end_pause(c, task, now)
    tasks.revise(c, task.id, now, **changes)
    if task.status == Status.PAUSED:
        line.hold_tasks(c, [task.id])
    cleanups.keep_in_step(c, task)
    return ids
