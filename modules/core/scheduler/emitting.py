"""Emitting: what has happened adds an execution to every task that waits for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row

from framework import strict_json
from modules.core.scheduler.bounded_text import MAX_ID, storable
from modules.core.scheduler.catch_up import Run
from modules.core.scheduler.firing import set_aside, trigger_of
from modules.core.scheduler.placing import Occurrence, place_all
from modules.core.scheduler.policies import Policies, policies_of
from modules.core.scheduler.refusing import refuse
from modules.core.scheduler.store import gathering, occurrences, tasks
from modules.core.scheduler.trigger import RESERVED, Awaited, awaited_in


@dataclass(frozen=True, slots=True)
class Waiting:
    """A task that waits for something to happen."""

    task: Row[Any]
    trigger: Awaited
    policies: Policies


@dataclass(frozen=True, slots=True)
class SetOff:
    """What has happened, as JSON text, and a task that waited for it."""

    waiting: Waiting
    payload: str


def emit(c: Connection, now: datetime, event: str, payload: Mapping[str, Any] | None) -> int:
    """Add an execution to every task that waits for the event and whose filter the payload meets; return how many."""
    if event.startswith(RESERVED):
        refuse("INVALID_EVENT", f"names that begin with {RESERVED!r} are the scheduler's own events, not {event!r}")
    try:
        text = strict_json.dumps(dict(payload or {}))
    except strict_json.JsonError as error:
        refuse("INVALID_PAYLOAD", f"the payload is not plain JSON: {error}")
    waiting = readable(c, tasks.waiting_for(c, storable(event, MAX_ID)), now)
    return set_off(c, [SetOff(each, text) for each in waiting if each.trigger.matches(payload or {})], now)


def readable(c: Connection, rows: Iterable[Row[Any]], now: datetime) -> list[Waiting]:
    """Read what tasks wait for; one whose row cannot be read is set aside and hides no other."""
    waiting = []
    for row in rows:
        try:
            trigger, policies = awaited_in(trigger_of(row.trigger)), policies_of(row.policies)
        except ValueError as error:
            set_aside(c, row, now, error)
            continue
        if trigger is not None:
            waiting.append(Waiting(row, trigger, policies))
    return waiting


def set_off(c: Connection, wanted: Sequence[SetOff], now: datetime) -> int:
    """Add an execution for each, in order, where its task has not reached its maximum; return how many came of it.

    The tasks are locked. Each placing sees what those before it have left open, so a task has one in each round.
    """
    counts = {each.waiting.task.id: each.waiting.task.execution_count for each in wanted}
    before, done = dict(counts), 0
    rounds: Counter[str] = Counter()
    by_round: dict[int, list[SetOff]] = {}
    for each in wanted:
        by_round.setdefault(rounds[each.waiting.task.id], []).append(each)
        rounds[each.waiting.task.id] += 1
    for batch in by_round.values():
        done += _set_off_once_each(c, batch, counts, now)
    tasks.count_started(c, [(each, count) for each, count in counts.items() if count != before[each]], now)
    return done


def _set_off_once_each(c: Connection, batch: Sequence[SetOff], counts: dict[str, int], now: datetime) -> int:
    alone = [each for each in batch if not _gathers(c, each, now)]
    fresh = [each for each in alone if _has_room(each.waiting.task, counts)]
    free = occurrences.free_moments(c, [each.waiting.task for each in fresh], now)
    placed = place_all(c, [_occurrence(each, free[each.waiting.task.id], now) for each in fresh], now)
    started = [each for each, execution_id in zip(fresh, placed, strict=True) if execution_id is not None]
    for each in started:
        counts[each.waiting.task.id] += 1
    return len(batch) - len(alone) + len(started)


def _has_room(task: Row[Any], counts: Mapping[str, int]) -> bool:
    return task.max_executions is None or counts[task.id] < task.max_executions


def _occurrence(each: SetOff, moment: datetime, now: datetime) -> Occurrence:
    debounced = each.waiting.trigger.debounced
    gathers_until = None if debounced is None else now + debounced[0]
    return Occurrence(each.waiting.task, each.waiting.policies, Run(moment), "event", each.payload, gathers_until)


def _gathers(c: Connection, each: SetOff, now: datetime) -> bool:
    """Let an execution that still waits for further events stand for this one too, if there is one."""
    debounced = each.waiting.trigger.debounced
    if debounced is None:
        return False
    waits = gathering.gathering_of(c, each.waiting.task.id)
    if waits is None:
        return False
    pause, most = debounced
    due_at = now + pause if most is None else min(now + pause, waits.created_at + most)
    return gathering.gather(c, waits, due_at, each.payload)
