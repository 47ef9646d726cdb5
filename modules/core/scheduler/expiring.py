"""What has waited in line until its task's trigger had ended does not start any more: it counts as missed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row

from framework.database import read_moment
from modules.core.scheduler.catch_up import ON_TIME, ends_at
from modules.core.scheduler.claims import Claimed
from modules.core.scheduler.execution import Closed, State
from modules.core.scheduler.firing import trigger_of
from modules.core.scheduler.policies import policies_of
from modules.core.scheduler.settling import settle
from modules.core.scheduler.store import executions, tasks

AT_ONCE = timedelta(0)


def without_ended(c: Connection, rows: Sequence[Row[Any]], now: datetime, done: Claimed) -> list[Row[Any]]:
    """Leave out, and close, first attempts that are too late for the end of their task's trigger; `done` is told.

    With one of a task all of it is closed that waits as it does. What is on time, or was ordered by hand, is kept.
    """
    late = {row.event_id for row in rows if row.recurring and is_late(row, now)}
    over = {task.id for task in tasks.of_ids(c, late) if is_over(task, now)} if late else set()
    if not over:
        return list(rows)
    mine = {task.id: task for task in tasks.lock_free(c, over)}  # whoever waits here for a task may hold up another
    done.locked |= len(mine) < len(over)
    for row in executions.close_missed(c, mine, now - ON_TIME, now):
        task = mine[row.event_id]
        done.closed.append(Closed(task.id, task.name, task.module_id, State.MISSED, occurrences=row.missed_count + 1))
    for task_id in mine:
        settle(c, task_id, now)
    done.more |= bool(mine)  # the first of others may stand behind them, or wait for the limits that they shared
    return [row for row in rows if row.event_id not in over or not is_late(row, now)]


def is_late(row: Row[Any], now: datetime) -> bool:
    """Whether an execution that waits was brought forth by the schedule, has never begun, and is not on time."""
    if row.origin != "schedule" or row.attempt != 1:
        return False
    moment = read_moment(row.scheduled_for)
    return moment is not None and now - moment > ON_TIME


def is_over(task: Row[Any], now: datetime) -> bool:
    """Whether a task starts nothing more that is late: its jitter may have put off to the end what was on time."""
    try:
        end, jitter = ends_at(trigger_of(task.trigger)), policies_of(task.policies).jitter
        return end is not None and now - end > (ON_TIME if jitter else AT_ONCE)
    except ValueError:  # damaged since it fired; the next firing sets the task aside
        return False
