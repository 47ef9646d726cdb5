"""The next occurrence of a task, left out or moved by hand, each a part of one transaction."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row

from framework import strict_json
from framework.terminal import moment_text
from modules.core.scheduler.bounded_text import MAX_ID, storable
from modules.core.scheduler.catch_up import Run
from modules.core.scheduler.commands import account_for_pause, must_find
from modules.core.scheduler.execution import Line, Reason, State
from modules.core.scheduler.firing import trigger_of
from modules.core.scheduler.placing import SHIFT, Occurrence, place, rank_of
from modules.core.scheduler.policies import policies_of
from modules.core.scheduler.recording import record_skipped
from modules.core.scheduler.refusing import asked_moment, readable, refuse
from modules.core.scheduler.settling import settle
from modules.core.scheduler.store import cleanups, occurrences, spans, tasks
from modules.core.scheduler.task import Status
from modules.core.scheduler.trigger import pauses_after_each_run, times_from, zone

SHOWN = 3  # of the times that come next


def skip(c: Connection, now: datetime, task_id: str, scheduled_for: object, reason: str | None) -> dict[str, Any]:
    """Record one occurrence as skipped and move the task on from it; skipped before, nothing changes."""
    task = must_find(c, task_id)
    moment = _asked(task, scheduled_for)
    rows = [] if moment is None else occurrences.rows_of(c, task.id, moment)
    if moment is not None and rows and rows[0].reason == Reason.SKIPPED_BY_REQUEST:
        return _told(task, moment, rows[0].id)
    moment = _next(c, task, moment, now)
    note = None if reason is None else strict_json.dumps({"note": storable(reason, MAX_ID)})
    execution_id = record_skipped(c, task, moment, now, note)
    return _told(_move_on(c, task, moment, now, started=0), moment, execution_id)


def shift(c: Connection, now: datetime, task_id: str, to: object, scheduled_for: object) -> dict[str, Any]:
    """Let one occurrence start at another time and move the task on from it; one that waits for its time moves again.

    It takes its place among the task's executions only when it starts, so that those before it are not left out.
    """
    task = must_find(c, task_id)
    due_at = max(now, asked_moment(to, task.timezone, "to"))
    moment = _asked(task, scheduled_for)
    rows = [] if moment is None else occurrences.rows_of(c, task.id, moment)
    if moment is not None and rows and _waits_for_its_time(rows[0]):
        line = Line.LATER if due_at > now else Line.READY
        if not occurrences.move(c, rows[0].id, due_at, rank_of(due_at, rows[0].priority), line):
            refuse("INVALID_STATE", _became(c, task, moment, None))
        return _told(task, moment, rows[0].id) | {"due_at": due_at}
    moment = _next(c, task, moment, now)
    run = Run(moment, starts_at=due_at)
    execution_id = place(c, Occurrence(task, readable(policies_of, task.policies), run, SHIFT), now)
    if execution_id is None:
        refuse("INVALID_STATE", _became(c, task, moment, None))
    return _told(_move_on(c, task, moment, now, started=1), moment, execution_id) | {"due_at": due_at}


def _asked(task: Row[Any], scheduled_for: object) -> datetime | None:
    return None if scheduled_for is None else asked_moment(scheduled_for, task.timezone, "scheduled_for")


def _waits_for_its_time(row: Row[Any]) -> bool:
    return bool(row.origin == SHIFT and row.state == State.PENDING and row.attempt == 1)


def _next(c: Connection, task: Row[Any], asked: datetime | None, now: datetime) -> datetime:
    """Return the task's next occurrence, or refuse where that is not the one asked for, telling what became of it."""
    following: datetime | None = task.next_execution
    if task.status == Status.PAUSED and task.recurring and following is not None and following <= now:
        account_for_pause(c, task, now)
        following = readable(trigger_of, task.trigger).next_after(now)  # where it goes on when it is resumed
    moment = asked or following
    if moment is None:
        state = "waits for its event" if task.event is not None else f"is {task.status}"
        refuse("INVALID_STATE", f"no time of the task is to come: it {state}", status=task.status)
    if moment != following or occurrences.rows_of(c, task.id, moment):
        refuse("INVALID_STATE", _became(c, task, moment, following), next_execution=following)
    return moment


def _became(c: Connection, task: Row[Any], moment: datetime, following: datetime | None) -> str:
    """Say what became of an occurrence that is not the next one."""
    rows = occurrences.rows_of(c, task.id, moment)
    row = rows[0] if rows else occurrences.standing_for(c, task.id, moment)
    told = f"the occurrence of {_at(moment, task)}"
    if row is None and following is not None and moment > following:
        return f"{told} is not the next one: that is the one of {_at(following, task)}"
    if row is None:
        return f"the task has no occurrence at {_at(moment, task)}, or its history does not reach back so far"
    state = row.state if row.reason is None else f"{row.state} ({row.reason})"
    if rows:
        return f"{told} is {state} already"
    return (
        f"{told} is one of {row.missed_count} that were missed, accounted for by execution {row.id}, which is {state}"
    )


def _at(moment: datetime, task: Row[Any]) -> str:
    try:
        return moment_text(moment, zone(task.timezone))
    except ValueError:  # this machine does not know the zone
        return moment_text(moment, UTC)


def _move_on(c: Connection, task: Row[Any], moment: datetime, now: datetime, *, started: int) -> Row[Any]:
    """Move a task on from an occurrence as firing does; the row is locked and as it was read."""
    count = task.execution_count + started
    at_maximum = task.max_executions is not None and count >= task.max_executions
    trigger = readable(trigger_of, task.trigger)
    waits_for_its_end = started > 0 and pauses_after_each_run(trigger)
    following = None if at_maximum or waits_for_its_end else trigger.next_after(moment)
    spans.end_pause(c, task, now)
    tasks.revise(c, task.id, now, next_execution=following, execution_count=count)
    if following is None:
        settle(c, task.id, now)
    cleanups.keep_in_step(c, task)
    return must_find(c, task.id)


def _told(task: Row[Any], moment: datetime, execution_id: str) -> dict[str, Any]:
    told = {"task_id": task.id, "scheduled_for": moment, "execution_id": execution_id}
    return told | {"next_execution": task.next_execution, "upcoming": upcoming(task)}


def upcoming(task: Row[Any]) -> list[datetime]:
    """Return the next times of a task, a few of them at most."""
    return times_from(readable(trigger_of, task.trigger), task.next_execution, SHOWN)
