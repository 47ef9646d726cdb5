"""An occurrence becomes a row: pending under the task's overlap policy, or skipped, or missed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import Connection, Row

from framework.clock import new_id
from modules.core.scheduler import tracing
from modules.core.scheduler.catch_up import Run
from modules.core.scheduler.execution import Line, Reason, State, success_of
from modules.core.scheduler.policies import Policies
from modules.core.scheduler.store import executions

BACKFILL, SHIFT = executions.ASIDE
BEHIND = 86_400.0  # seconds by which a backfill lets go first what is due now
POINT_OF_PRIORITY = 60.0  # seconds of waiting that one point of priority is worth, so that nobody waits for ever


class Task(Protocol):
    """What placing reads of a task's row."""

    id: Any
    module_id: Any
    function_name: Any
    priority: Any
    queue: Any
    overlap: Any
    max_instances: Any
    concurrency_key: Any


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One run of a task that is to get its row: it gathers events until one moment, jitter puts it off to another."""

    task: Task
    policies: Policies
    run: Run
    origin: str
    payload: str | None = None
    gathers_until: datetime | None = None
    starts_by: datetime | None = None
    is_forced: bool = False  # asks no overlap policy, and counts as open for what does


def function_key(module_id: str, function_name: str) -> str:
    """Return the one text by which a function is looked up and claimed."""
    return f"{module_id}:{function_name}"


def rank_of(due_at: datetime, priority: int) -> float:
    """Return the place in line: by the time, with a head start for each point of priority."""
    return due_at.timestamp() - POINT_OF_PRIORITY * priority


def limit_key_of(task: Task) -> str:
    """Return what a task's executions share their limits under: its own id, or with others of the module a key."""
    return str(task.id) if task.concurrency_key is None else f"{task.module_id}/{task.concurrency_key}"


def place(c: Connection, occurrence: Occurrence, now: datetime) -> str | None:
    """Insert the execution of an occurrence; return its id, or None when the overlap policy left a skipped row."""
    return place_all(c, [occurrence], now)[0]


def place_all(c: Connection, occurrences: Sequence[Occurrence], now: datetime) -> list[str | None]:
    """Insert the executions of occurrences, in order; return for each what `place` does."""
    opened = _Opened(c, [each.task for each in occurrences if _counts_at_once(each)])
    rows = [_row_of(each, now) for each in occurrences]
    for number, (occurrence, row) in enumerate(zip(occurrences, rows, strict=True)):
        refusal = _take_place(c, occurrence, row, opened, now)
        if refusal is not None:
            rows[number] = ended_row(row, State.SKIPPED, refusal, now)
    came_in = executions.add(c, rows)
    if len(came_in) < len(rows):
        _account_for_overtaken(c, [row for row in rows if row["id"] not in came_in], now)
    return [row["id"] if row["state"] is State.PENDING and row["id"] in came_in else None for row in rows]


def first_row(occurrence: Occurrence, now: datetime) -> dict[str, Any]:
    """Return the row of an occurrence of a task that is just being stored, so that nothing else of it is open."""
    row = _row_of(occurrence, now)
    if occurrence.task.overlap == "skip":
        row["open_key"] = keys_of(occurrence.task.id, 1)[0]
    elif occurrence.task.overlap != "allow":
        row["slots"], row["limit_key"] = occurrence.task.max_instances, occurrence.task.id
    return row


def _row_of(occurrence: Occurrence, now: datetime) -> dict[str, Any]:
    task, policies, run = occurrence.task, occurrence.policies, occurrence.run
    row = new_row(task, run.scheduled_for, now, origin=occurrence.origin)
    if occurrence.origin != "schedule":
        row["traceparent"] = tracing.traceparent()
    row["missed_count"], row["missed_since"], row["payload"] = run.missed_count, run.missed_since, occurrence.payload
    if policies.rate_limit is not None or task.concurrency_key is not None:
        row["limit_key"] = limit_key_of(task)
    if occurrence.gathers_until is not None:
        row["due_at"], row["line"], row["reason"] = occurrence.gathers_until, Line.LATER, Reason.DEBOUNCE
    if (starts_at := _starts_at(occurrence)) is not None:
        row["due_at"] = max(now, starts_at)
        row["rank"] = rank_of(row["due_at"], task.priority)
        row["line"] = Line.LATER if row["due_at"] > now else Line.READY
    if occurrence.origin == BACKFILL:
        row["rank"] += BEHIND
    return row


def _starts_at(occurrence: Occurrence) -> datetime | None:
    """Return when an occurrence is to start, where that is not at once."""
    run, policies = occurrence.run, occurrence.policies
    if not policies.jitter or occurrence.origin != "schedule":
        return run.starts_at
    return policies.jittered(occurrence.task.id, run.scheduled_for, occurrence.starts_by)


def _counts_at_once(occurrence: Occurrence) -> bool:
    is_aside = occurrence.origin in executions.ASIDE or occurrence.run.one_at_a_time
    return occurrence.task.overlap != "allow" and not is_aside


class _Opened:
    """The open executions that count against the limits of some tasks, and the keys that are given out meanwhile."""

    def __init__(self, c: Connection, tasks: Sequence[Task]) -> None:
        self._by_key: dict[str, list[Any]] = {}
        alone = [task.id for task in tasks if task.concurrency_key is None]
        if alone:
            self._by_key |= executions.open_of_all(c, alone)
        for limit_key in {limit_key_of(task) for task in tasks if task.concurrency_key is not None}:
            self._by_key[limit_key] = list(executions.open_sharing(c, limit_key))
        self._given: dict[str, set[str]] = {}

    def pending(self, limit_key: str) -> int:
        """Return how many wait."""
        return sum(1 for each in self._by_key.get(limit_key, ()) if each.state == State.PENDING)

    def take_key(self, limit_key: str, slots: int) -> str | None:
        """Return a free open key and remember it; None where as many are open as may be."""
        opened = self._by_key.get(limit_key, ())
        given = self._given.setdefault(limit_key, set())
        if len(opened) + len(given) >= slots:
            return None
        held = {each.open_key for each in opened} | given
        key = next(key for key in keys_of(limit_key, slots) if key not in held)
        given.add(key)
        return key


def _take_place(
    c: Connection, occurrence: Occurrence, row: dict[str, Any], opened: _Opened, now: datetime
) -> Reason | None:
    """Give the row its open key, or say that it takes one when claimed; return why it may not even wait."""
    task = occurrence.task
    if occurrence.run.one_at_a_time:
        row["slots"], row["limit_key"] = 1, limit_key_of(task)
        return None
    if task.overlap == "allow" or occurrence.is_forced:
        return None
    limit_key = limit_key_of(task)
    if occurrence.origin in executions.ASIDE:
        row["slots"], row["limit_key"] = task.max_instances, limit_key
        return None
    if task.overlap == "skip":
        row["open_key"] = opened.take_key(limit_key, task.max_instances)
        return Reason.OVERLAP if row["open_key"] is None else None
    row["slots"], row["limit_key"] = task.max_instances, limit_key
    if task.overlap == "queue":
        return Reason.QUEUE_FULL if opened.pending(limit_key) >= occurrence.policies.max_queued else None
    _replace(c, task, now)
    return None


def _replace(c: Connection, task: Task, now: datetime) -> None:
    rows = [each for each in executions.open_of(c, task.id) if not executions.stands_aside(each)]
    for each in rows:
        if each.state == State.PENDING:
            executions.close(c, each, now, State.CANCELLED, Reason.REPLACED)
    asked = [each.id for each in rows]  # also those that were claimed meanwhile
    executions.request_cancel(c, asked, now, Reason.REPLACED)


def _account_for_overtaken(c: Connection, rows: Sequence[dict[str, Any]], now: datetime) -> None:
    """Record as skipped what did not come in because a task that shares its limit has just taken the key."""
    overtaken = [row for row in rows if row["state"] is State.PENDING and executions.holds(c, row["open_key"])]
    executions.add(c, [ended_row(row, State.SKIPPED, Reason.OVERLAP, now) for row in overtaken])


def keys_of(task_id: str, slots: int) -> list[str]:
    """Return the open keys of a task: at most so many of its executions are open at once."""
    return [f"{task_id}#{slot}" for slot in range(slots)]


def repeat(c: Connection, row: Row[Any], due_at: datetime, now: datetime, **budgets: Any) -> str:
    """Insert the next attempt of an occurrence whose row has just been closed; it inherits what the row was given."""
    kept: tuple[str, ...] = ("event_id", "scheduled_for", "origin", "function_key", "queue", "priority", "slots")
    kept += ("limit_key", "payload", "missed_count", "missed_since", "retries_used", "crashes", "traceparent")
    values = {name: getattr(row, name) for name in kept} | budgets
    again = {**_blank(now), **values, "attempt": row.attempt + 1, "due_at": due_at}
    again["rank"], again["line"] = rank_of(due_at, row.priority), Line.LATER if due_at > now else Line.READY
    if again["slots"] is None:
        again["open_key"] = row.open_key
    executions.add(c, [again])
    return str(again["id"])


def new_row(task: Task, scheduled_for: datetime, now: datetime, *, origin: str) -> dict[str, Any]:
    """Return the row of an occurrence that is due now."""
    row = _blank(now)
    row["event_id"] = task.id
    row["scheduled_for"] = scheduled_for
    row["origin"] = origin
    row["function_key"] = function_key(task.module_id, task.function_name)
    row["priority"], row["queue"] = task.priority, task.queue
    row["rank"] = rank_of(now, task.priority)
    return row


def _blank(now: datetime) -> dict[str, Any]:
    return {
        "id": new_id(),
        "attempt": 1,
        "state": State.PENDING,
        "line": Line.READY,
        "due_at": now,
        "created_at": now,
        "missed_count": 0,
        "missed_since": None,
        "retries_used": 0,
        "crashes": 0,
        "reason": None,
        "limit_key": None,
        "slots": None,
        "open_key": None,
        "payload": None,
        "end_time": None,
        "success": None,
        "traceparent": None,
    }


def ended_row(row: dict[str, Any], state: State, reason: Reason, now: datetime) -> dict[str, Any]:
    """Turn a new row into the record of a non-run: attempt 0, so that the occurrence may still be backfilled."""
    closed = {"state": state, "reason": reason, "attempt": 0, "end_time": now, "success": success_of(state)}
    return row | closed | {"open_key": None, "slots": None, "limit_key": None}
