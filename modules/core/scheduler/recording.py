"""Rows that only record: what did not run, and what was corrected by hand."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row

from modules.core.scheduler.catch_up import Missed, first_counted
from modules.core.scheduler.execution import Reason, State
from modules.core.scheduler.placing import ended_row, new_row
from modules.core.scheduler.store import executions
from modules.core.scheduler.trigger import Trigger, pauses_after_each_run


def record_missed(c: Connection, task: Row[Any], missed: Missed, now: datetime) -> None:
    """Insert the one row that accounts for occurrences that do not run."""
    row = ended_row(new_row(task, missed.scheduled_for, now, origin="schedule"), State.MISSED, missed.reason, now)
    executions.add(c, [row | {"missed_count": missed.count, "missed_since": missed.since}])


def record_paused(c: Connection, task: Row[Any], trigger: Trigger, now: datetime) -> None:
    """Insert the row that `paused_row` returns."""
    row = paused_row(task, trigger, now)
    if row is not None:
        executions.add(c, [row])


def paused_row(task: Row[Any], trigger: Trigger, now: datetime) -> dict[str, Any] | None:
    """Return the one row that accounts for the occurrences that have passed while a recurring task was paused."""
    since = task.next_execution
    if not task.recurring or since is None or since > now:
        return None
    since = first_counted(trigger, since, now)
    others = 0 if pauses_after_each_run(trigger) else trigger.count_between(since, now)
    newest = (trigger.latest_until(now, since) if others else None) or since
    row = ended_row(new_row(task, newest, now, origin="schedule"), State.SKIPPED, Reason.TASK_PAUSED, now)
    return row | ({"missed_count": others, "missed_since": since} if others else {})


def record_skipped(c: Connection, task: Row[Any], moment: datetime, now: datetime, note: str | None) -> str:
    """Insert the row of an occurrence that somebody wants left out; return its id. `note` is JSON."""
    row = ended_row(new_row(task, moment, now, origin="operator"), State.SKIPPED, Reason.SKIPPED_BY_REQUEST, now)
    executions.add_record(c, row | {"result": note})
    return str(row["id"])


def record_operator(c: Connection, task: Row[Any], moment: datetime, now: datetime, outcome: Mapping[str, Any]) -> None:
    """Insert the row that tells of a correction by hand."""
    row = new_row(task, moment, now, origin="operator")
    executions.add_record(c, row | {"reason": Reason.OPERATOR, "start_time": now, "end_time": now, **outcome})
