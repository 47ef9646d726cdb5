"""The gates between a pending execution and its start, as the next turn of a node would find them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Row

from framework.terminal import span
from modules.core.scheduler.execution import Line, Reason
from modules.core.scheduler.explaining.around import Around, Foreseen
from modules.core.scheduler.explaining.facts import Facts, Subject
from modules.core.scheduler.explaining.limits import rate_of
from modules.core.scheduler.explaining.places import free_slots, place_gates
from modules.core.scheduler.explaining.words import Gate, because, closed, count, named, passed, untold
from modules.core.scheduler.store.evidence import IN_VIEW
from modules.core.scheduler.task import Status

MANUAL = "manual"
SHIFT = "shift"
HELD_BY: dict[str | None, str] = {
    Reason.TASK_PAUSED: "paused",
    Reason.PAUSED: "paused",
    Reason.FUNCTION_NOT_REGISTERED: "function",
    Reason.LIMIT: "limit",
}


def paused_gate(facts: Facts, queue: str | None = None, origin: str = "schedule") -> Gate:
    """Tell whether anything is held back that holds the task: everything, its module, itself, or a queue."""
    task, words = facts.task, facts.words
    scopes = {"*": "everything is", task.module_id: f"module {task.module_id!r} is"}
    scopes[f"queue:{queue}"] = f"queue {queue!r} is"
    held = [facts.pauses[scope] for scope in scopes if scope in facts.pauses]
    texts = [f"{scopes[row.scope]} paused{words.since(row.since)}{because(row.reason)}" for row in held]
    details: dict[str, Any] = {"scopes": [{"scope": r.scope, "since": r.since, "reason": r.reason} for r in held]}
    if task.status == Status.PAUSED:
        details |= {"reason": task.status_reason}
        if origin != MANUAL:
            texts.insert(0, f"the task is paused{because(task.status_reason)}")
    if texts:
        return closed("paused", ", ".join(texts), details)
    if task.status == Status.PAUSED:
        return passed("paused", "the task is paused, but a run by hand does not wait for that", details)
    return passed("paused", "nothing is paused that holds it")


def start_gates(facts: Facts, subject: Subject, seen: Around) -> list[Gate]:
    """Return the gates that stand between a subject and its start, in order."""
    ahead = before_it(facts, subject, seen)  # first: what they take, the limits no longer leave
    places = place_gates(facts, subject, seen)
    gates = [
        paused_gate(facts, subject.queue, subject.origin),
        _due_gate(facts, subject),
        *places[:-2],
        _limit_gate(facts, subject, seen),
        _rate_gate(facts, subject, seen),
        *places[-2:],
        _line_gate(facts, subject, seen, ahead),
    ]
    return [*gates, _held_gate(facts, subject, gates)]


def before_it(facts: Facts, subject: Subject, seen: Around) -> list[Row[Any] | Foreseen]:
    """Return those before it in line that start first, or would if there were slots; who starts takes from limits."""
    places = free_slots(facts, subject)
    functions = {name for node, _ in places for name in node["functions"]}
    free = facts.most_starts(subject.queue, sum(number for _, number in places))
    starting: list[Row[Any] | Foreseen] = []
    for row in seen.before_in_line(subject):
        if row.function_key not in functions or _is_held(row, facts):
            continue
        if (until := seen.limits.next_start(row.limit_key, rate_of(row))) is not None:
            seen.limits.put_off(str(row.limit_key), until)
        elif seen.limits.has_room(row.limit_key, row.slots):
            if len(starting) < free:
                seen.limits.start(row.limit_key, row.slots)
            starting.append(row)
    return starting


def _is_held(row: Row[Any] | Foreseen, facts: Facts) -> bool:
    return row.module_id in facts.pauses or (row.task_status == Status.PAUSED and row.origin != MANUAL)


def _due_gate(facts: Facts, subject: Subject) -> Gate:
    details = {"due_at": subject.due_at, "attempt": subject.attempt, "retries_used": subject.retries_used}
    waits = subject.line == Line.LATER and subject.due_at > facts.now and subject.reason != Reason.RATE_LIMIT
    is_retry = subject.attempt > 1 and subject.retries_used > 0
    kth = f"retry {subject.retries_used} of {max(facts.policies.max_retries, subject.retries_used)}"
    when = facts.words.ahead(subject.due_at)
    if waits and is_retry:
        return closed("due", f"{kth} is put off until {when}", details)
    if waits:
        return closed("due", f"{_put_off_by(subject)} until {when}", details)
    return passed("due", f"it is due, as {kth}" if is_retry else "it is due", details)


def _put_off_by(subject: Subject) -> str:
    if subject.reason == Reason.DEBOUNCE:
        return "it gathers further events"
    return "it was moved by hand, and waits" if subject.origin == SHIFT else "its jitter puts it off"


def _limit_gate(facts: Facts, subject: Subject, seen: Around) -> Gate:
    if subject.slots is None:
        return untold("limit", "it waits for no limit of its task or key")
    holders = [row for row in seen.sharing if row.open_key is not None]
    shown = [_holder(row) for row in holders]
    details = {"limit_key": subject.limit_key, "slots": subject.slots, "holders": shown}
    of = "the task" if subject.task.concurrency_key is None else f"concurrency key {subject.task.concurrency_key!r}"
    if seen.limits.has_room(subject.limit_key, subject.slots):
        return passed("limit", f"{len(holders)} of {subject.slots} places of {of} are taken", details)
    if len(holders) >= subject.slots:
        by = named(f"execution {row.id} ({row.name}){_where(row, facts)}" for row in holders)
        which = "the only place" if subject.slots == 1 else f"each of {subject.slots} places"
        return closed("limit", f"{which} of {of} is taken by {by}", details)
    return closed("limit", f"the last place of {of} goes to one before it in line", details)


def _where(row: Row[Any], facts: Facts) -> str:
    return "" if row.start_time is None else f", running{facts.words.since(row.start_time)}, on node {row.node_id}"


def _holder(row: Row[Any]) -> dict[str, Any]:
    return {
        "execution_id": row.id,
        "task_id": row.event_id,
        "task_name": row.name,
        "state": row.state,
        "node_id": row.node_id,
        "start_time": row.start_time,
    }


def _rate_gate(facts: Facts, subject: Subject, seen: Around) -> Gate:
    rate = facts.policies.rate_limit
    if rate is None and subject.reason != Reason.RATE_LIMIT:
        return untold("rate", "no rate is set")
    until = seen.limits.next_start(subject.limit_key, rate)
    if subject.reason == Reason.RATE_LIMIT and subject.line == Line.LATER and subject.due_at > facts.now:
        until = subject.due_at
    words = "its rate" if rate is None else f"a rate of {rate[0]} in {span_of(rate[1])}"
    if until is None:
        return passed("rate", f"{words} lets it start")
    return closed("rate", f"{words} puts it off until {facts.words.ahead(until)}", {"until": until})


def span_of(seconds: float) -> str:
    """Return seconds as a duration in words."""
    return span(timedelta(seconds=seconds))


def _line_gate(facts: Facts, subject: Subject, seen: Around, ahead: Sequence[Row[Any] | Foreseen]) -> Gate:
    free = facts.most_starts(subject.queue, sum(places for _, places in free_slots(facts, subject)))
    number = len(ahead)
    more = "more than " if len(seen.before) >= IN_VIEW else ""
    first = [{"execution_id": row.id, "task_id": row.event_id, "task_name": row.name} for row in ahead[:10]]
    details = {"queue": subject.queue, "position": number + 1, "free_slots": free, "before": first}
    be = "is" if number == 1 and not more else "are"
    told = f"{count(number, 'execution', more)} of queue {subject.queue!r} {be} before it"
    if number and number >= free:
        room = f" for {count(free, 'free slot')}" if free > 0 else ""
        return closed("line", told + room, details)
    if free > 0 and number + seen.others >= free:
        text = f"{count(seen.others, 'execution')} of other queues are in line for the same {count(free, 'free slot')}"
        return untold("line", text, details)
    return passed("line", told if number else f"it is the first in line of queue {subject.queue!r}", details)


def _held_gate(facts: Facts, subject: Subject, gates: Sequence[Gate]) -> Gate:
    if subject.line != Line.HELD:
        return passed("held", "it stands in line" if subject.id else "it gets its row at the next turn")
    held_by = HELD_BY.get(subject.reason)
    details = {"reason": subject.reason}
    if not all(gate.passes for gate in gates if gate.gate == held_by):
        return untold("held", f"it is out of line until that is over ({subject.reason})", details)
    within = span(facts.bounds.lease / 4)
    text = f"it is out of line ({subject.reason}), and that is over; a node puts it back within {within}"
    return closed("held", text, details)
