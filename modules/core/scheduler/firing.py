"""Firing: whoever moves a due task on inserts its executions, in the same transaction."""

from __future__ import annotations

import logging
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Row

from framework import strict_json
from modules.core.scheduler import containing, settling
from modules.core.scheduler.catch_up import decide
from modules.core.scheduler.execution import Reason
from modules.core.scheduler.placing import place, record_missed
from modules.core.scheduler.store import cleanups, tasks
from modules.core.scheduler.task import Status, policies_of
from modules.core.scheduler.trigger import Trigger, from_json

log = logging.getLogger(__name__)


@lru_cache(maxsize=10_000)
def trigger_of(text: str) -> Trigger:
    """Read a stored trigger; raises `ValueError` where the text is corrupt."""
    return from_json(strict_json.loads(text))


def fire_due(c: Connection, now: datetime, limit: int, *, careful: bool = False) -> int:
    """Fire up to `limit` tasks whose time has come; return how many were looked at."""
    rows = tasks.due(c, now, limit)
    containing.each(
        c,
        rows,
        lambda row: fire(c, row, now),
        careful=careful,
        set_aside=lambda row, error: set_aside(c, row, now, error),
    )
    return len(rows)


def fire_if_due(c: Connection, row: Row[Any], now: datetime) -> None:
    """Fire a task that is due before it is changed, so that no change loses its occurrence."""
    if row.status == Status.PENDING and row.next_execution is not None and row.next_execution <= now:
        fire(c, row, now)


def fire(c: Connection, row: Row[Any], now: datetime) -> None:
    """Move one due task on and account for every occurrence; a row that cannot be read is set aside."""
    room = None if row.max_executions is None else max(row.max_executions - row.execution_count, 0)
    try:
        policies = policies_of(row.policies)
        firing = decide(trigger_of(row.trigger), row.next_execution, now, policies, room)
    except ValueError as error:
        set_aside(c, row, now, error)
        return
    if not tasks.move_on(c, row, now, next_execution=firing.next_execution):
        return
    if firing.missed is not None:
        record_missed(c, row, firing.missed, now)
    placed = [place(c, row, policies, run, now, origin="schedule") for run in firing.runs]
    count = row.execution_count + sum(1 for each in placed if each is not None)
    at_maximum = row.max_executions is not None and count >= row.max_executions
    following = None if at_maximum else firing.next_execution
    tasks.change(c, row.id, now, execution_count=count, next_execution=following)
    if following is None:
        settling.settle(c, row.id, now)
    cleanups.keep_in_step(c, row)


def set_aside(c: Connection, row: Row[Any], now: datetime, error: Exception) -> None:
    """Pause a task whose row cannot be read, so that it hides nothing behind it."""
    log.error("task %s set aside: its stored definition cannot be read: %s", row.id, error, extra={"task": row.id})
    problem = f"the stored definition cannot be read: {error}"[:2_000]
    tasks.change(c, row.id, now, status=Status.PAUSED, status_reason=Reason.CORRUPT_DEFINITION, last_error=problem)
    cleanups.keep_in_step(c, row)
