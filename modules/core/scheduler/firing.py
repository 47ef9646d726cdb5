"""Firing: whoever moves a due task on inserts its executions, in the same transaction."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any, cast

from sqlalchemy import Connection, Row

from framework import strict_json
from modules.core.scheduler import containing, settling
from modules.core.scheduler.catch_up import Firing, Run, decide, ends_at
from modules.core.scheduler.execution import Closed, Reason, State
from modules.core.scheduler.placing import Occurrence, function_key, place_all
from modules.core.scheduler.policies import Policies, policies_of
from modules.core.scheduler.recording import record_missed
from modules.core.scheduler.store import cleanups, tasks
from modules.core.scheduler.task import Status
from modules.core.scheduler.trigger import Once, Trigger, Until, from_json, pauses_after_each_run

log = logging.getLogger(__name__)


@lru_cache(maxsize=10_000)
def trigger_of(text: str) -> Trigger:
    """Read a stored trigger; raises `ValueError` where the text is corrupt."""
    return from_json(strict_json.loads(text))


@dataclass(frozen=True, slots=True)
class Fired:
    """What a firing looked at: how many tasks, and the functions that their executions want.

    `closed` is what does not run, `missed` how many occurrences had been missed, also where a later one runs for them.
    """

    count: int
    functions: frozenset[str] = frozenset()
    closed: Sequence[Closed] = ()
    missed: int = 0


def fire_due(
    c: Connection, now: datetime, limit: int, *, careful: bool = False, since: datetime | None = None
) -> Fired:
    """Fire up to `limit` tasks whose time has come, with a moment those whose time has come since then."""
    rows = tasks.due(c, now, limit, since)
    kept = _Kept()
    if careful:
        containing.each(
            c,
            rows,
            lambda row: fire(c, [row], now, kept),
            careful=True,
            set_aside=lambda row, error: set_aside(c, row, now, error),
        )
    elif rows:
        fire(c, rows, now, kept)
    wanted = frozenset(function_key(row.module_id, row.function_name) for row in rows)
    return Fired(len(rows), wanted, kept.closed, kept.missed)


def fire_if_due(c: Connection, row: Row[Any], now: datetime) -> None:
    """Fire a task that is due before it is changed, so that no change loses its occurrence."""
    if row.status == Status.PENDING and is_due(row, now):
        fire(c, [row], now)


def is_due(row: Row[Any], now: datetime) -> bool:
    """Whether the time of a task has come, if it is pending."""
    return row.next_execution is not None and row.next_execution <= now


@dataclass(slots=True)
class _Kept:
    """What a firing comes to beside the executions that it places."""

    closed: list[Closed] = field(default_factory=list)
    missed: int = 0


def fire(c: Connection, rows: Sequence[Row[Any]], now: datetime, kept: _Kept | None = None) -> None:
    """Move due tasks on and account for every occurrence; a row that cannot be read is set aside.

    `kept` is told what does not run. The rows are locked; raises `LookupError` where one is not as it was read all the
    same, so that all is undone.
    """
    fired: list[tuple[Row[Any], Policies, Firing]] = []
    for row in rows:
        try:
            policies = policies_of(row.policies)
            fired.append((row, policies, decision_on(row, policies, now)))
        except ValueError as error:
            set_aside(c, row, now, error)
    kept = kept or _Kept()
    started = _place(c, fired, now, kept)
    moves = [_move(row, firing, started[row.id]) for row, _, firing in fired]
    if tasks.move_on(c, moves, now) != len(moves):
        raise LookupError("a due task is not as it was read")
    for (row, _, firing), move in zip(fired, moves, strict=True):
        if firing.missed is not None:
            record_missed(c, row, firing.missed, now)
            kept.missed += firing.missed.count
            kept.closed.append(_closed(row, State.MISSED, firing.missed.count))
        if move.following is None and not started[row.id]:
            settling.settle(c, row.id, now)
        cleanups.keep_in_step(c, row)


def decision_on(row: Row[Any], policies: Policies, now: datetime) -> Firing:
    """Decide about the occurrences of a due task; raises `ValueError` where its trigger is corrupt."""
    if not row.recurring and policies.grace is None and policies.catch_up != "none":
        return Firing((Run(row.next_execution),), None, None)  # once, however late: its trigger has no more to say
    trigger = trigger_of(row.trigger)
    if pauses_after_each_run(trigger):
        trigger = Until(Once(row.next_execution), ends_at(trigger))  # what follows is counted from the end of this one
    room = None if row.max_executions is None else max(row.max_executions - row.execution_count, 0)
    return decide(trigger, row.next_execution, now, policies, room)


def starts_by(row: Row[Any], policies: Policies) -> datetime | None:
    """Return up to when jitter may put off what a task starts, None for as long as it likes; raises `ValueError`."""
    return ends_at(trigger_of(row.trigger)) if policies.jitter and row.recurring else None


def _closed(row: Row[Any], state: State, occurrences: int = 1) -> Closed:
    return Closed(row.id, row.name, row.module_id, state, occurrences=occurrences)


def _place(
    c: Connection, fired: Sequence[tuple[Row[Any], Policies, Firing]], now: datetime, kept: _Kept
) -> Counter[str]:
    """Insert the executions; return how many of each task will start: what is skipped does not count."""
    occurrences = [
        Occurrence(row, policies, run, "schedule", starts_by=starts_by(row, policies))
        for row, policies, firing in fired
        for run in firing.runs
    ]
    placed = place_all(c, occurrences, now)
    for each, execution_id in zip(occurrences, placed, strict=True):
        kept.missed += each.run.missed_count
        if execution_id is None:
            kept.closed.append(_closed(cast("Row[Any]", each.task), State.SKIPPED))
    return Counter(each.task.id for each, execution_id in zip(occurrences, placed, strict=True) if execution_id)


def _move(row: Row[Any], firing: Firing, started: int) -> tasks.Move:
    count = row.execution_count + started
    at_maximum = row.max_executions is not None and count >= row.max_executions
    return tasks.Move(row.id, row.next_execution, None if at_maximum else firing.next_execution, count)


def set_aside(c: Connection, row: Row[Any], now: datetime, error: Exception) -> None:
    """Pause a task whose row cannot be read, so that it hides nothing behind it."""
    log.error("task %s set aside: its stored definition cannot be read: %s", row.id, error, extra={"task": row.id})
    problem = f"the stored definition cannot be read: {error}"[:2_000]
    tasks.change(c, row.id, now, status=Status.PAUSED, status_reason=Reason.CORRUPT_DEFINITION, last_error=problem)
    cleanups.keep_in_step(c, row)
