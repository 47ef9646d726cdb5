"""Times that have passed and are still to be fired: what becomes of them, before those that come later."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row

from modules.core.scheduler.catch_up import decide
from modules.core.scheduler.policies import Policies, policies_of
from modules.core.scheduler.store import ahead as store
from modules.core.scheduler.store import executions, tasks
from modules.core.scheduler.trigger import Trigger
from modules.core.scheduler.trigger.notes import Note
from modules.core.scheduler.trigger_manager import TriggerManager

MOST_WAITING = 5  # executions that a preview tells of
OVERDUE = Note("OVERDUE", "it has passed, and runs at once")


class Known(NamedTuple):
    """What is read of a task beside itself: executions that wait for a time, whether any is open, its policies."""

    waiting: Sequence[Row[Any]]
    is_open: bool
    policies: Policies


def known_of(c: Connection, task_id: str, now: datetime) -> Known:
    """Return what a preview needs of a task."""
    row = tasks.find(c, task_id)
    try:
        policies = Policies() if row is None else policies_of(row.policies)
    except ValueError:  # the task will be set aside; its trigger can be told of
        policies = Policies()
    is_open = bool(executions.has_open(c, [task_id]))
    return Known(store.waiting(c, task_id, now, MOST_WAITING), is_open, policies)


def times_ahead(
    triggers: TriggerManager,
    trigger: Trigger,
    first: datetime,
    now: datetime,
    *,
    policies: Policies,
    most: int,
    timezone: str,
) -> list[dict[str, Any]]:
    """Return times as `preview` does, from `first` on; of those that have passed, what `catch_up` lets run."""
    if first > now:
        return triggers.preview(trigger, most, first=first, timezone=timezone)
    firing = decide(trigger, first, now, policies, most)
    times = []
    for run in firing.runs:
        (each,) = triggers.preview(trigger, 1, first=run.scheduled_for, timezone=timezone)
        times.append(each | {"notes": [*each["notes"], asdict(OVERDUE)]})
    if firing.next_execution is None or len(times) >= most:
        return times
    return times + triggers.preview(trigger, most - len(times), first=firing.next_execution, timezone=timezone)
