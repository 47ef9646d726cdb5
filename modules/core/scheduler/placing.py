"""An occurrence becomes a row: pending under the task's overlap policy, or skipped, or missed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row

from framework.clock import new_id
from modules.core.scheduler.catch_up import Missed, Run
from modules.core.scheduler.execution import Reason, State, success_of
from modules.core.scheduler.store import executions
from modules.core.scheduler.task import Policies, stable_fraction


def function_key(module_id: str, function_name: str) -> str:
    """Return the one text by which a function is looked up and claimed."""
    return f"{module_id}:{function_name}"


def place(
    c: Connection,
    task: Row[Any],
    policies: Policies,
    run: Run,
    now: datetime,
    *,
    origin: str,
    payload: str | None = None,
) -> str | None:
    """Insert the execution of an occurrence; return its id, or None when the overlap policy left a skipped row."""
    row = _new_row(task, run.scheduled_for, now, origin=origin)
    row |= {"missed_count": run.missed_count, "missed_since": run.missed_since, "payload": payload}
    if policies.jitter and origin == "schedule":
        fraction = stable_fraction(f"{task.id} {run.scheduled_for.isoformat()}")
        row["due_at"] = max(now, run.scheduled_for + timedelta(seconds=policies.jitter * fraction))
    refusal = _take_place(c, task, policies, run, row, now)
    if refusal is not None:
        executions.add(c, _ended(row, State.SKIPPED, refusal, now))
        return None
    return row["id"] if executions.add(c, row) else None


def _take_place(
    c: Connection, task: Row[Any], policies: Policies, run: Run, row: dict[str, Any], now: datetime
) -> Reason | None:
    """Give the row its open key, or say that it takes one when claimed; return why it may not even wait."""
    if run.one_at_a_time:
        row["slots"] = 1
        return None
    if task.overlap == "allow":
        return None
    opened = executions.open_of(c, task.id)
    if task.overlap == "skip":
        if len(opened) >= task.max_instances:
            return Reason.OVERLAP
        held = {each.open_key for each in opened}
        row["open_key"] = next(key for key in keys_of(task.id, task.max_instances) if key not in held)
        return None
    row["slots"] = task.max_instances
    waiting = [each for each in opened if each.state == State.PENDING]
    if task.overlap == "queue":
        return Reason.QUEUE_FULL if len(waiting) >= policies.max_queued else None
    for each in waiting:
        executions.close(c, each, now, State.CANCELLED, Reason.REPLACED)
    executions.request_cancel(c, [each.id for each in opened], now)  # also those that were claimed meanwhile
    return None


def keys_of(task_id: str, slots: int) -> list[str]:
    """Return the open keys of a task: at most so many of its executions are open at once."""
    return [f"{task_id}#{slot}" for slot in range(slots)]


def record_missed(c: Connection, task: Row[Any], missed: Missed, now: datetime) -> None:
    """Insert the one row that accounts for occurrences that do not run."""
    row = _ended(_new_row(task, missed.scheduled_for, now, origin="schedule"), State.MISSED, missed.reason, now)
    executions.add(c, row | {"missed_count": missed.count, "missed_since": missed.since})


def record_operator(c: Connection, task: Row[Any], moment: datetime, now: datetime, outcome: Mapping[str, Any]) -> None:
    """Insert the row that tells of a correction by hand."""
    row = _new_row(task, moment, now, origin="operator")
    executions.add(c, row | {"reason": Reason.OPERATOR, "start_time": now, "end_time": now, **outcome})


def repeat(c: Connection, row: Row[Any], due_at: datetime, now: datetime, **budgets: int) -> str:
    """Insert the next attempt of an occurrence whose row has just been closed; it inherits the place in line."""
    kept: tuple[str, ...] = ("event_id", "scheduled_for", "origin", "function_key", "priority", "slots", "payload")
    kept += ("missed_count", "missed_since", "retries_used", "crashes")
    values = {name: getattr(row, name) for name in kept} | budgets
    again = {**_blank(now), **values, "attempt": row.attempt + 1, "due_at": due_at}
    if row.slots is None:
        again["open_key"] = row.open_key
    executions.add_all(c, [again])
    return str(again["id"])


def _new_row(task: Row[Any], scheduled_for: datetime, now: datetime, *, origin: str) -> dict[str, Any]:
    return _blank(now) | {
        "event_id": task.id,
        "scheduled_for": scheduled_for,
        "origin": origin,
        "function_key": function_key(task.module_id, task.function_name),
        "priority": task.priority,
    }


def _blank(now: datetime) -> dict[str, Any]:
    return {
        "id": new_id(),
        "attempt": 1,
        "state": State.PENDING,
        "due_at": now,
        "created_at": now,
        "missed_count": 0,
        "retries_used": 0,
        "crashes": 0,
        "reason": None,
        "slots": None,
        "open_key": None,
    }


def _ended(row: dict[str, Any], state: State, reason: Reason, now: datetime) -> dict[str, Any]:
    """Turn a new row into the record of a non-run: attempt 0, so that the occurrence may still be backfilled."""
    closed = {"state": state, "reason": reason, "attempt": 0, "end_time": now, "success": success_of(state)}
    return row | closed | {"open_key": None, "slots": None}
