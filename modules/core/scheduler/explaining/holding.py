"""What kept a task from running at moments that are over: pauses, nodes that were not there, and want of room."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row

from framework.terminal import span
from modules.core.scheduler.execution import Full, Reason
from modules.core.scheduler.explaining.facts import Facts
from modules.core.scheduler.explaining.words import Gate, because, closed, untold
from modules.core.scheduler.store import spans
from modules.core.scheduler.task import Status

WORTH_TELLING = timedelta(seconds=1)
WAITED: dict[str, tuple[str, str]] = {
    Reason.TASK_PAUSED: ("paused", "its task was paused"),
    Reason.PAUSED: ("paused", "its module was paused"),
    Reason.FUNCTION_NOT_REGISTERED: ("function", "no node had its function"),
    Reason.LIMIT: ("limit", "each place of its task or its concurrency key was taken"),
    Reason.RATE_LIMIT: ("rate", "as many had started as its rate allows"),
    Full.SLOTS: ("slots", "the slots of the node that took it in the end were taken"),
    Full.EVERYWHERE: ("everywhere", "as many ran on all nodes together as may"),
    Full.QUEUE: ("everywhere", "as many of its queue ran on all nodes together as may"),
    Full.DRAINING: ("draining", "the node that took it in the end began nothing more"),
}


@dataclass(frozen=True, slots=True)
class Hold:
    """A pause that held a task; `what` was paused until `until` (None: it still is)."""

    what: str
    scope: str
    since: datetime
    until: datetime | None
    reason: str | None


def holds(
    c: Connection, facts: Facts, first: datetime, stop: datetime, queue: str | None = None, *, by_hand: bool = False
) -> list[Hold]:
    """Return the pauses that held a task at any time from `first` to `stop`, earliest first; a queue's if it is named.

    What was asked for by hand does not wait for the pause of its task.
    """
    task = facts.task
    named = {"*": "everything was", task.module_id: f"module {task.module_id!r} was"}
    named |= {} if queue is None else {f"queue:{queue}": f"queue {queue!r} was"}
    named |= {} if by_hand else {spans.TASK + task.id: "the task was"}
    over = [Hold(named[each.scope], *_columns(each), each.reason) for each in spans.between(c, named, first, stop)]
    present = [facts.pauses[scope] for scope in named if scope in facts.pauses]
    now = [Hold(named[each.scope], each.scope, each.since, None, each.reason) for each in present if each.since < stop]
    if task.status == Status.PAUSED and not by_hand:
        since = task.changed_at or task.created_at
        now += [Hold("the task was", spans.TASK + task.id, since, None, task.status_reason)] if since < stop else []
    return sorted([*over, *now], key=lambda hold: hold.since)


def task_pauses(c: Connection, facts: Facts, first: datetime, stop: datetime) -> list[Hold]:
    """Return the pauses of the task itself: what passed in them is not made up for, and no event sets it off."""
    return [hold for hold in holds(c, facts, first, stop) if hold.scope.startswith(spans.TASK)]


def _columns(row: Row[Any]) -> tuple[str, datetime, datetime]:
    return row.scope, row.since, row.until


def told_of(facts: Facts, several: Sequence[Hold]) -> tuple[str, dict[str, Any]]:
    """Return pauses in words, and the details of a gate."""
    words = facts.words
    until = {hold: "" if hold.until is None else f" until {words.at(hold.until)}" for hold in several}
    texts = [f"{h.what} paused from {words.at(h.since)}{until[h]}{because(h.reason)}" for h in several]
    scopes = [{"scope": h.scope, "since": h.since, "until": h.until, "reason": h.reason} for h in several]
    return ", ".join(texts), {"scopes": scopes}


def not_fired(c: Connection, facts: Facts, occurrence: datetime, stop: datetime) -> Gate | None:
    """Return what kept every node from an occurrence until `stop`; None where that is not recorded."""
    held = [hold for hold in holds(c, facts, occurrence, stop) if hold.since <= occurrence]
    return closed("paused", *told_of(facts, held)) if held else nobody(c, facts, occurrence)


def nobody(c: Connection, facts: Facts, moment: datetime) -> Gate | None:
    """Return the gate of the nodes where it is proven that none lived at a moment."""
    if moment < facts.now - facts.bounds.history:
        return None
    lives = lives_from(c, facts, moment)
    if any(since <= moment for _, since, _ in lives):
        return None
    came = min((since for _, since, _ in lives), default=None)
    then = "" if came is None else f"; the next one came at {facts.words.at(came)}"
    return closed("node", f"no node was alive at {facts.words.at(moment)}{then}", {"came_at": came})


def lives_from(c: Connection, facts: Facts, moment: datetime) -> list[tuple[str, datetime, datetime]]:
    """Return `(id, since, until)` of the nodes that lived at a moment or came later."""
    over = [(str(row.reason), row.since, row.until) for row in spans.between(c, [spans.NODES], moment, facts.now)]
    there = [(node["id"], node["started_at"], _until(node, facts)) for node in facts.nodes]
    return [*over, *(life for life in there if life[2] >= moment)]


def _until(node: Any, facts: Facts) -> datetime:
    return facts.now if node["alive"] or node["lease_until"] is None else min(node["lease_until"], facts.now)


def waits(c: Connection, facts: Facts, row: Row[Any]) -> list[Gate]:
    """Return what an execution that started late had waited for, as gates that are over; nothing where it did not."""
    words = (row.waited_for or "").split()
    if row.start_time is None or row.start_time - (wanted := _wanted(facts, row)) < WORTH_TELLING:
        return []
    held = holds(c, facts, wanted, row.start_time, row.queue, by_hand=row.origin == "manual")
    gates = [untold("paused", *told_of(facts, held))] if held else []
    for word in words:
        gate, text = WAITED.get(word, ("line", f"it was held ({word})"))
        if gate != "paused" or not held:
            gates.append(untold(gate, f"{text} ({word})", {"waited_for": word}))
    alone = _unheld(held, wanted, row.created_at if gates else row.start_time)
    return [*gates, *([] if alone is None else [_alone(c, facts, row, alone)])]


def _wanted(facts: Facts, row: Row[Any]) -> datetime:
    """Return from when it could have run."""
    if row.attempt > 1 or row.origin != "schedule":
        was_put_off = Reason.RATE_LIMIT in (row.waited_for or "").split()
        due: datetime = row.created_at if was_put_off and row.attempt == 1 else row.due_at
        return due
    known = facts.task.timed_since if facts.task.timed_since <= row.created_at else facts.task.created_at
    first: datetime = max(facts.policies.jittered(facts.task.id, row.scheduled_for), known)
    return first


def _unheld(held: Sequence[Hold], first: datetime, stop: datetime) -> datetime | None:
    """Return from when, between two moments, no pause held it for a while; None where one always did."""
    for hold in held:
        if min(hold.since, stop) - first >= WORTH_TELLING:
            return first
        first = max(first, hold.until or stop)
    return first if stop - first >= WORTH_TELLING else None


def _alone(c: Connection, facts: Facts, row: Row[Any], since: datetime) -> Gate:
    """Tell of a time in which nothing is known to have held it: was any node there?"""
    gone = nobody(c, facts, since)
    if gone is not None:
        return untold("node", gone.text, gone.details)
    if since < row.created_at:
        return untold("node", f"no node came to it until {facts.words.at(row.created_at)}")
    waited = span(row.start_time - since)
    return untold("line", f"it was not taken for {waited} since {facts.words.at(since)}; why is not recorded")
