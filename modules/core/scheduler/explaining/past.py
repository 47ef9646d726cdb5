"""Why a task ran, did not run, or will run at a moment: what its rows and its trigger prove, and no more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row

from framework.duration import in_words
from modules.core.scheduler.catch_up import MICROSECOND
from modules.core.scheduler.execution import Reason, State
from modules.core.scheduler.explaining.asked import Asked, clock_gates
from modules.core.scheduler.explaining.bounds import over_text
from modules.core.scheduler.explaining.facts import Facts
from modules.core.scheduler.explaining.holding import lives_from, not_fired, task_pauses, told_of
from modules.core.scheduler.explaining.outcomes import NOT_RUN, details_of, explain_row, origin_of
from modules.core.scheduler.explaining.present import explain_present, explain_waiting
from modules.core.scheduler.explaining.schedule import NO_EVENT, coming, schedule_gate, schedule_gates
from modules.core.scheduler.explaining.words import Explanation, Gate, closed, count, first_false, named, passed, untold
from modules.core.scheduler.store import evidence
from modules.core.scheduler.task import Status


def explain_recorded(c: Connection, facts: Facts, asked: Asked) -> Explanation | None:
    """Explain the occurrence of a moment by its rows, where it has any; what is to come may be moved by hand."""
    rows = evidence.within(c, facts.task.id, asked.moment, asked.stop)
    return _with_clock(_by_rows(c, facts, rows), clock_gates(asked, facts.words)) if rows else None


def explain_put_off(c: Connection, facts: Facts, asked: Asked) -> Explanation | None:
    """Explain what waits already for a moment to come: a retry, what was moved, what gathers events."""
    row = _put_off(facts, asked)
    if row is None:
        return None
    waiting = explain_waiting(c, facts, row)
    kind = f"{origin_of(row)} of {facts.words.at(row.scheduled_for)}"
    due = next(gate.text for gate in waiting.gates if gate.gate == "due")
    told = [replace(gate, passes=True) if gate.gate == "due" else gate for gate in waiting.gates]
    return _with_clock(coming(facts, asked, f", for {kind}: {due}", told), clock_gates(asked, facts.words))


def _put_off(facts: Facts, asked: Asked) -> Row[Any] | None:
    """Return the first that waits for a moment of this span, which is not its own time."""
    rows = [row for row in facts.opened if row.state == State.PENDING and row.due_at > row.created_at]
    rows = [row for row in rows if asked.moment <= row.due_at < asked.stop]
    return min(rows, key=lambda row: (row.due_at, row.id), default=None)


def explain_past(c: Connection, facts: Facts, asked: Asked) -> Explanation:
    """Explain what became of a task at a moment that has passed."""
    recorded = explain_recorded(c, facts, asked)
    if recorded is not None:
        return recorded
    clock = clock_gates(asked, facts.words)
    if asked.left_out is not None and schedule_gate(facts, asked).passes is False:
        when = f"{asked.left_out:%a %Y-%m-%d %H:%M:%S}"
        return Explanation("did_not_run", f"It did not run at {when}: {clock[0].text}.", clock, "daylight_saving")
    return _with_clock(_without_rows(c, facts, asked), clock)


def _with_clock(explained: Explanation, clock: Sequence[Gate]) -> Explanation:
    left_out = first_false(clock)
    verdict = explained.verdict if left_out is None else f"{explained.verdict} For {left_out.text}."
    gates = list(explained.gates)
    return replace(explained, verdict=verdict, gates=[*gates[:2], *clock, *gates[2:]])


def _by_rows(c: Connection, facts: Facts, rows: Sequence[Row[Any]]) -> Explanation:
    """Let the last attempt of the first occurrence say how it came out."""
    nominal = rows[0].scheduled_for
    attempts = [row for row in rows if row.scheduled_for == nominal]
    last = attempts[-1]
    others = len({row.scheduled_for for row in rows}) - 1
    more = f", and {others} more in the span that was asked about" if others else ""
    text = f"{origin_of(last)} of {facts.words.at(nominal)} is recorded{more}"
    details = {"scheduled_for": nominal, "attempts": [details_of(row) for row in attempts]}
    gates = [_existed(facts), passed("schedule", text, details)]
    if last.state == State.PENDING:
        waiting = explain_waiting(c, facts, last)
        gates += [gate for gate in waiting.gates if gate.gate not in ("task", "schedule")]
        return replace(waiting, verdict=f"{_it(last)} has not run yet. {waiting.verdict}", gates=gates)
    explained = explain_row(c, facts, last)
    return replace(explained, gates=[*gates, *explained.gates])


def _it(row: Row[Any]) -> str:
    return "It" if row.attempt == 1 else f"Attempt {row.attempt}"


def _existed(facts: Facts) -> Gate:
    created = facts.words.at(facts.task.created_at)
    return passed("task", f"the task was there, created {created}", {"created_at": facts.task.created_at})


def _without_rows(c: Connection, facts: Facts, asked: Asked) -> Explanation:
    """No row has this nominal time: say which proof there is of why."""
    task, words, when = facts.task, facts.words, facts.words.at(asked.moment)
    if task.created_at >= asked.stop:
        text = f"the task was created only at {words.at(task.created_at)}"
        return _did_not(when, [closed("task", text, {"created_at": task.created_at})])
    if task.timed_since >= asked.moment and task.timed_since > task.created_at:
        return _by_other_schedule(c, facts, asked)
    gates = [_existed(facts), *schedule_gates(facts, asked)]
    if not gates[1].passes and (begun := _begun(c, facts, asked, gates[1:])) is not None:
        return begun
    at_work = [_at_work(c, facts, asked.moment)]
    held = [] if task.event is None else task_pauses(c, facts, asked.moment, asked.stop)
    if held and not gates[1].passes:
        return _did_not(when, [gates[0], closed("paused", *told_of(facts, held)), *_unheard(gates[1:]), *at_work])
    if first_false(gates) is not None:
        return _did_not(when, [*gates, *at_work])
    if gates[1].passes and task.next_execution is not None and task.next_execution < asked.stop:
        present = explain_present(c, facts)
        later = [gate for gate in present.gates if gate.gate not in ("task", "schedule")]
        return replace(present, verdict=f"It has not been fired yet. {present.verdict}", gates=[*gates, *later])
    occurrence = gates[1].details.get("occurrence", asked.moment)
    covering = _covering(c, facts, occurrence, occurrence)
    if covering:
        return _did_not(when, [*gates, *covering, *at_work])
    if (outside := _too_new(facts, occurrence) or _over(c, facts, occurrence)) is not None:
        return _did_not(when, [outside, *gates[1:], *at_work])
    return _not_recorded(facts, asked, [*gates, *at_work])


def _unheard(gates: Sequence[Gate]) -> list[Gate]:
    """Return the gates of a schedule of which an event, had one come, would not have been heard."""
    return [untold(gate.gate, gate.text.replace(NO_EVENT, ""), gate.details) for gate in gates]


def _begun(c: Connection, facts: Facts, asked: Asked, schedule: Sequence[Gate]) -> Explanation | None:
    """Tell what started at a moment that is not its own time, or ran then; what a calendar left out is not at work."""
    rows = evidence.at_work(c, facts.task.id, asked.moment, asked.stop)
    started = [row for row in rows if row.start_time >= asked.moment]
    waits = _put_off(facts, asked)
    row = next(iter(started or ([] if schedule[-1].gate == "calendar" else rows)), waits)
    if row is None:
        return None
    kind = f"for {origin_of(row)} of {facts.words.at(row.scheduled_for)}"
    details = {**schedule[0].details, "scheduled_for": row.scheduled_for, "attempts": [details_of(row)]}
    gates = [_existed(facts), untold("schedule", schedule[0].text, details)]
    if row.state == State.PENDING:
        waiting = explain_waiting(c, facts, row)
        gates += [gate for gate in waiting.gates if gate.gate not in ("task", "schedule")]
        return replace(waiting, verdict=f"{_it(row)} has not run yet, {kind}. {waiting.verdict}", gates=gates)
    explained = explain_row(c, facts, row, for_what=kind)
    return replace(explained, gates=[*gates, *explained.gates])


def _by_other_schedule(c: Connection, facts: Facts, asked: Asked) -> Explanation:
    """Its schedule was another then: what was missed under that one is told, and nothing else can be."""
    changed = facts.words.at(facts.task.timed_since)
    text = f"its schedule was changed at {changed}, and which it was before is not recorded"
    gates = [_existed(facts), untold("schedule", text, {"changed_at": facts.task.timed_since})]
    at_work = _at_work(c, facts, asked.moment)
    covering = _covering(c, facts, asked.moment, asked.stop - MICROSECOND)
    if covering:
        return _did_not(facts.words.at(asked.moment), [*gates, *covering, at_work])
    if (begun := _begun(c, facts, asked, gates[1:])) is not None:
        return begun
    return _not_recorded(facts, asked, [*gates, at_work])


def _too_new(facts: Facts, occurrence: datetime) -> Gate | None:
    """Return that the task was made at or just after the time of an occurrence, which was none of its own yet."""
    created = facts.task.created_at
    if occurrence > created or occurrence < facts.now - facts.bounds.history:
        return None
    text = f"the task was created at {facts.words.at(created)}, and its first time came after that"
    return closed("task", text, {"created_at": created})


def _over(c: Connection, facts: Facts, occurrence: datetime) -> Gate | None:
    """Return that the task was over by the time of an occurrence, or ended before a node came to it."""
    task, words = facts.task, facts.words
    if task.next_execution is not None or occurrence < facts.now - facts.bounds.history:
        return None
    details = {"status": task.status, "updated_at": task.updated_at}
    if task.updated_at <= occurrence:
        return closed(
            "task", f"it was {task.status} by then{over_text(facts)}, last changed {words.at(task.updated_at)}", details
        )
    if task.max_executions is not None and task.execution_count >= task.max_executions:
        return closed("task", f"it had started {task.execution_count} times by then, as often as it may", details)
    if task.status != Status.CANCELLED:
        return None
    kept = not_fired(c, facts, occurrence, task.updated_at)
    why = "before a node came to it" if kept is None else f"and {kept.text}"
    return closed("task", f"it was {task.status} at {words.at(task.changed_at or task.updated_at)}, {why}", details)


def _did_not(when: str, gates: Sequence[Gate]) -> Explanation:
    blocking = first_false(gates)
    why = "; ".join(gate.text for gate in gates if gate.passes is False)
    text = "" if blocking is None else f": {why}"
    return Explanation("did_not_run", f"It did not run at {when}{text}.", gates, blocking.gate if blocking else None)


def _covering(c: Connection, facts: Facts, first: datetime, last: datetime) -> list[Gate]:
    """Find the row that stands for what was due from `first` to `last` among those that were missed, and its cause."""
    for row in evidence.following(c, facts.task.id, first):
        if row.missed_since is None or row.missed_since > last:
            continue
        since, number = facts.words.at(row.missed_since), row.missed_count
        details = details_of(row) | {"recorded_at": row.created_at}
        if row.reason == Reason.TASK_PAUSED:
            text = f"{number + 1} occurrences since {since} passed while the task was paused, recorded together"
            held = task_pauses(c, facts, max(first, row.missed_since), row.created_at)
            told = f"{told_of(facts, held)[0]}; " if held else ""
            return [closed("paused", told + text, details)]
        text = f"{number} occurrences since {since} were missed ({row.reason}), recorded together"
        if row.state != State.MISSED:
            of = facts.words.at(row.scheduled_for)
            stands = ", which was to stand for them, was skipped" if row.state == State.SKIPPED else " stands for them"
            text = (
                f"{count(number, 'occurrence')} since {since} had been missed, and execution {row.id} of {of}{stands}"
            )
        covering = closed("catch_up", f"{text} at {facts.words.at(row.created_at)}, when a node came to it", details)
        cause = not_fired(c, facts, max(first, row.missed_since), row.created_at)
        return [covering] if cause is None else [cause, covering]
    return []


def _at_work(c: Connection, facts: Facts, moment: datetime) -> Gate:
    """Tell what ran of the task at the moment, and how many nodes there were."""
    nodes = [node_id for node_id, since, _ in lives_from(c, facts, moment) if since <= moment]
    rows = [row for row in evidence.preceding(c, facts.task.id, moment) if row.state not in NOT_RUN]
    rows = [row for row in rows if row.start_time is not None and row.start_time <= moment]
    busy = [row for row in rows if row.end_time is None or row.end_time > moment]
    told = f"{named(row.id for row in busy)} of this task ran then; " if busy else ""
    told += f"{count(len(nodes), 'node')} alive then" if nodes else "that a node was alive then is not recorded"
    details = {"nodes": nodes, "executions": [details_of(row) for row in busy]}
    return Gate("node", True if nodes else None, told, details)


def _not_recorded(facts: Facts, asked: Asked, gates: Sequence[Gate]) -> Explanation:
    history, when = facts.bounds.history, facts.words.at(asked.moment)
    old = asked.moment < facts.now - history
    unsaid = next((gate.text for gate in gates if gate.gate == "schedule" and gate.passes is None), "")
    text = f"history older than {in_words(history)} is removed" if old else unsaid or "its row was removed"
    told = untold("history", text, {"keep_execution_history": history.total_seconds()})
    opening = f"Nothing is recorded of {when}"
    return Explanation(
        "not_recorded", f"{opening}, so why it did not run, or whether, cannot be told: {text}.", [*gates, told]
    )
