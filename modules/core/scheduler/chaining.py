"""Chaining: that an execution has ended for good sets off the tasks that wait for it, in the same transaction.

What is set off is a pending row, which ends in another transaction: a circle of tasks goes round, and never recurses.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row

from framework import strict_json
from framework.database import notify
from modules.core.scheduler import containing
from modules.core.scheduler.emitting import SetOff, Waiting, readable, set_off
from modules.core.scheduler.execution import Reason, State
from modules.core.scheduler.firing import trigger_of
from modules.core.scheduler.refusing import refuse
from modules.core.scheduler.store import chains, tasks
from modules.core.scheduler.tables import CHANNEL
from modules.core.scheduler.trigger import RESERVED, After, awaited_in

log = logging.getLogger(__name__)

SUCCEEDED, FAILED, ENDED = f"{RESERVED}succeeded", f"{RESERVED}failed", f"{RESERVED}ended"
EVENTS_OF: Mapping[str, tuple[str, ...]] = {
    State.SUCCEEDED: (SUCCEEDED, ENDED),
    State.FAILED: (FAILED, ENDED),
    State.TIMED_OUT: (FAILED, ENDED),
    State.LOST: (FAILED, ENDED),
    State.CANCELLED: (ENDED,),
}


def waiting(c: Connection, task_ids: Collection[str]) -> list[str]:
    """Return the tasks that may wait for an ending of these; where nobody waits for any, at the cost of one look."""
    return chains.waiting(c, task_ids) if task_ids and chains.somebody_waits(c) else []


def ended(c: Connection, task_id: str, execution_ids: Sequence[str], now: datetime) -> None:
    """Set off what waits for the endings of a task: executions that have just been closed for good."""
    if execution_ids:
        follow(c, waiting(c, [task_id]), execution_ids, now)


def follow(
    c: Connection, waiting_ids: Sequence[str], execution_ids: Sequence[str], now: datetime, *, careful: bool = False
) -> None:
    """Set off those of the waiting tasks that the endings of these executions are meant for."""
    if not waiting_ids or not execution_ids:
        return
    containing.each(
        c,
        waiting_ids if careful else [waiting_ids],
        lambda ids: _follow(c, [ids] if isinstance(ids, str) else ids, execution_ids, now),
        careful=careful,
        set_aside=lambda ids, error: log.error("task %s could not be set off by an ending: %s", ids, error),
    )


def _follow(c: Connection, waiting_ids: Sequence[str], execution_ids: Sequence[str], now: datetime) -> None:
    rows = chains.endings(c, execution_ids)
    found = readable(c, tasks.ready_among(c, waiting_ids), now)
    if set_off(c, [each for row in rows for each in _meant(row, found)], now):
        notify(c, CHANNEL, "")


def _meant(row: Row[Any], found: Sequence[Waiting]) -> Iterator[SetOff]:
    payload = _payload(row)
    names = () if row.reason == Reason.REPLACED else EVENTS_OF.get(row.state, ())
    for each in found:
        if each.task.id != row.event_id and each.trigger.route.event in names and _meets(each, payload):
            yield SetOff(each, strict_json.dumps(payload))


def _meets(waiting: Waiting, payload: Mapping[str, Any]) -> bool:
    trigger = waiting.trigger
    if isinstance(trigger, After) and trigger.task != payload["task_id"]:
        return trigger.matches(payload) and waiting.task.module_id == payload["module_id"]
    return trigger.matches(payload)


def _payload(row: Row[Any]) -> dict[str, Any]:
    told = {name: getattr(row, name) for name in ("name", "module_id", "key", "state", "error")}
    moment = row.scheduled_for.isoformat().replace("+00:00", "Z")
    return {"task_id": row.event_id, "execution_id": row.id, "scheduled_for": moment, **told}


def check(c: Connection, task_id: str, *, must_exist: bool) -> None:
    """Refuse a task that comes after itself or, with `must_exist`, after one that is not there: else that is logged."""
    task = tasks.find(c, task_id)
    if task is None or task.after_task is None:
        return
    trigger = awaited_in(trigger_of(task.trigger))
    if not isinstance(trigger, After):
        return
    before = chains.named(c, trigger.task, task.module_id)
    if before == [task.id]:
        _refuse(f"a task cannot come after itself: {trigger.task!r} is this task")
    if before:
        return
    missing = f"there is no task with the id {trigger.task!r}, and none of {task.module_id} with this key"
    if must_exist:
        _refuse(missing)
    log.warning("task %s waits for another, and %s, yet", task.name, missing, extra={"task": task.id})


def _refuse(message: str) -> None:
    refuse("INVALID_CONFIG", f"trigger.task: {message}", problems=[{"field": "trigger.task", "message": message}])
