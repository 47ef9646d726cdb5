"""Why a task, or an execution that is open, runs, waits, or will not run: as things stand now."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection, Row

from framework.terminal import span
from modules.core.scheduler.catch_up import Firing, Run
from modules.core.scheduler.execution import Line, State
from modules.core.scheduler.explaining.around import Around, around
from modules.core.scheduler.explaining.bounds import bound_gates_now, ended_gates, over_text
from modules.core.scheduler.explaining.facts import Facts, Subject
from modules.core.scheduler.explaining.outcomes import explain_row, origin_of
from modules.core.scheduler.explaining.places import able_gates
from modules.core.scheduler.explaining.starting import paused_gate, start_gates
from modules.core.scheduler.explaining.words import Explanation, Gate, closed, first_false, passed, untold
from modules.core.scheduler.firing import decision_on
from modules.core.scheduler.store import evidence, executions
from modules.core.scheduler.task import Status

ENDED = (Status.COMPLETED, Status.FAILED, Status.CANCELLED)
IN_LINE = (Line.READY, Line.LATER, Line.HELD)
REFUSING = ("schedule", "catch_up", "overlap")  # of an occurrence that is due
NOTHING_IN_THE_WAY = "Nothing stands in its way: a node starts it at its next turn."


def explain_present(c: Connection, facts: Facts) -> Explanation:
    """Explain a task as it stands: by what runs, else by the first that waits, else by its next time."""
    running = sorted((row for row in facts.opened if row.state == State.RUNNING), key=lambda row: row.id)
    waiting = [row for row in facts.opened if row.state == State.PENDING]
    if facts.is_due:  # what was ordered by hand keeps no occurrence from its time
        waiting = [row for row in waiting if not executions.stands_aside(row)]
    if running:
        return _running(c, facts, running, len(waiting))
    if waiting:
        first = min(waiting, key=lambda row: (IN_LINE.index(row.line), row.rank, row.id))
        return explain_waiting(c, facts, first)
    if facts.task.status in ENDED:
        return _ended(c, facts)
    return _without_rows(c, facts)


def explain_waiting(c: Connection, facts: Facts, row: Row[Any]) -> Explanation:
    """Explain a pending execution."""
    subject = Subject.of_row(row, facts.task)
    kind = f"{origin_of(row)} of {facts.words.at(row.scheduled_for)}"
    details = {"execution_id": row.id, "scheduled_for": row.scheduled_for, "attempt": row.attempt}
    schedule = passed("schedule", f"{kind} waits, as execution {row.id}", details)
    gates = [
        passed("task", f"the task is {facts.task.status}"),
        schedule,
        *ended_gates(facts, row),
        *start_gates(facts, subject, around(c, facts, subject)),
    ]
    return _judged(gates, refusing=("window",))


def _running(c: Connection, facts: Facts, rows: Sequence[Row[Any]], waiting: int) -> Explanation:
    first = explain_row(c, facts, rows[0])
    more = f" {len(rows) - 1} more of it run." if len(rows) > 1 else ""
    more += f" {waiting} more of it wait." if waiting else ""
    following = facts.task.next_execution
    gates = [_task_gate(facts), *first.gates]
    if following is not None:
        gates.append(_overlap_of_next(facts))
    return Explanation("runs", first.verdict + more, gates, first.blocked_by)


def _overlap_of_next(facts: Facts) -> Gate:
    task, at = facts.task, facts.words.at(facts.task.next_execution)
    details = {"overlap": task.overlap, "next_execution": task.next_execution}
    full = sum(not executions.stands_aside(row) for row in facts.opened) >= task.max_instances
    told = {
        "skip": "is left out, if this is open by then" if full else "finds a place",
        "queue": "waits for its place",
        "replace": "asks this one to stop, and takes its place",
        "allow": "runs beside it",
    }
    return untold("overlap", f"the next occurrence, {at}, {told.get(task.overlap, 'follows')}", details)


def _ended(c: Connection, facts: Facts) -> Explanation:
    last = next(iter(evidence.preceding(c, facts.task.id)), None)
    gates = [_task_gate(facts)]
    verdict = f"It does not run any more: {gates[0].text}."
    if last is not None:
        told = explain_row(c, facts, last)
        gates += told.gates
        if not facts.task.recurring and told.blocked_by is not None:
            verdict += f" {told.verdict}"
    return Explanation("ended", verdict, gates, blocked_by="task")


def _without_rows(c: Connection, facts: Facts) -> Explanation:
    """Nothing of it is open: it waits for its time, or a turn is about to fire it."""
    task = facts.task
    if facts.is_due:
        return _due(c, facts)
    subject = Subject.of_due(task, facts.policies, Run(task.next_execution or facts.now), facts.now)
    gates = [_task_gate(facts), paused_gate(facts, task.queue), _schedule_gate(facts), *bound_gates_now(facts)]
    return _judged([*gates, *able_gates(facts, subject)])


def _due(c: Connection, facts: Facts) -> Explanation:
    """Foresee what the next turn makes of an occurrence; a queue's pause holds only what has been fired."""
    task = facts.task
    is_held = not paused_gate(facts).passes
    gates = [_task_gate(facts), *([paused_gate(facts, task.queue)] if is_held else [])]
    try:
        firing = decision_on(task, facts.policies, facts.now)
    except ValueError as error:
        text = f"its stored trigger cannot be read, and the next turn pauses it: {error}"
        return _judged([*gates, closed("schedule", text)], refusing=REFUSING)
    text = f"it is due since {facts.words.at(task.next_execution)}, and a turn has yet to fire it"
    gates.append(passed("schedule", text, {"next_execution": task.next_execution}))
    gates += _catch_up_gates(facts, firing)
    if not firing.runs:
        return _judged(gates, refusing=REFUSING)
    subject = Subject.of_due(task, facts.policies, firing.runs[0], facts.now)
    seen = around(c, facts, subject)
    paused, *starting = start_gates(facts, subject, seen)
    gates += [*_overlap_gates(facts, subject, seen), *([] if is_held else [paused])]
    return _judged([*gates, *starting], refusing=REFUSING)


def _judged(gates: Sequence[Gate], refusing: Collection[str] = ()) -> Explanation:
    """Let the first gate that is closed decide; the others that are closed are named behind it.

    At the gates in `refusing` it does not wait: what they do not let pass is recorded and never runs.
    """
    blocking = first_false(gates)
    if blocking is None:
        doubtful = next((gate for gate in gates if gate.gate == "line" and gate.passes is None), None)
        also = "" if doubtful is None else f" But {doubtful.text}."
        return Explanation("may_start", NOTHING_IN_THE_WAY + also, gates)
    others = [gate for gate in gates if gate.passes is False and gate is not blocking]
    text = blocking.text
    if blocking.gate == "slots" and others and others[0].gate == "line":
        text, others = f"{others[0].text} and {text}", others[1:]
    also = f". Also in the way: {'; '.join(gate.text for gate in others)}" if others else ""
    answer = "will_not_run" if blocking.gate in refusing else "waits"
    opening = "It waits" if answer == "waits" else "It will not run"
    return Explanation(answer, f"{opening}: {text}{also}.", gates, blocked_by=blocking.gate)


def _task_gate(facts: Facts) -> Gate:
    task, changed = facts.task, facts.words.at(facts.task.updated_at)
    details = {"status": task.status, "reason": task.status_reason, "updated_at": task.updated_at}
    if task.status in ENDED:
        why = f" ({task.status_reason})" if task.status_reason else ""
        error = f", with {task.last_error}" if task.last_error and task.status == Status.FAILED else ""
        return closed("task", f"it is {task.status}{why}{error}{over_text(facts)}, last changed {changed}", details)
    return passed("task", f"the task is there, created {facts.words.at(task.created_at)}", details)


def _schedule_gate(facts: Facts) -> Gate:
    task = facts.task
    following = task.next_execution
    details = {"next_execution": following, "execution_count": task.execution_count}
    details |= {"max_executions": task.max_executions}
    if following is not None:
        return closed("schedule", f"its next time is {facts.words.ahead(following)}", details)
    if task.max_executions is not None and task.execution_count >= task.max_executions:
        return closed("schedule", f"it has started {task.execution_count} times, as often as it may", details)
    if task.event is not None:
        return closed("schedule", facts.event_text, details | {"event": task.event, "after_task": task.after_task})
    return closed("schedule", "its trigger has no further time", details)


def _catch_up_gates(facts: Facts, firing: Firing) -> list[Gate]:
    missed = firing.missed
    if not firing.runs and missed is None:
        return [closed("schedule", f"it has started {facts.task.execution_count} times, as often as it may")]
    if missed is None:
        return []
    late = span(facts.now - missed.scheduled_for)
    details = {"reason": missed.reason, "missed_count": missed.count, "missed_since": missed.since}
    text = f"{missed.count} of its times, the newest {late} ago, count as missed ({missed.reason})"
    return [Gate("catch_up", passes=bool(firing.runs), text=text, details=details)]


def _overlap_gates(facts: Facts, subject: Subject, seen: Around) -> list[Gate]:
    """Nothing of the task itself is open here, so only what shares its concurrency key can leave it no place."""
    task = facts.task
    if task.concurrency_key is None or subject.one_at_a_time or task.overlap not in ("skip", "queue"):
        return []
    same = [row for row in seen.fired if row.is_earlier and row.limit_key == subject.limit_key]
    fired_first = sum(row.takes_key for row in same) if task.overlap == "skip" else 0  # others wait to be counted
    waiting = sum(row.state == State.PENDING for row in seen.sharing)
    most = task.max_instances if task.overlap == "skip" else facts.policies.max_queued
    number = fired_first + (len(seen.sharing) if task.overlap == "skip" else waiting)
    details = {"overlap": task.overlap, "executions": [row.id for row in seen.sharing[:10]], "limit": most}
    text = f"{number} of {most} places of concurrency key {task.concurrency_key!r} are taken (overlap={task.overlap})"
    return [Gate("overlap", passes=number < most, text=text, details=details)]
