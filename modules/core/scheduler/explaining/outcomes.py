"""What a row of the history proves: that an execution runs, how it came out, or why it did not run."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row

from framework import strict_json
from framework.duration import in_words
from framework.terminal import span
from modules.core.scheduler.execution import Reason, State
from modules.core.scheduler.explaining.facts import Facts
from modules.core.scheduler.explaining.holding import WAITED, not_fired, task_pauses, told_of, waits
from modules.core.scheduler.explaining.places import shown
from modules.core.scheduler.explaining.words import (
    Explanation,
    Gate,
    because,
    closed,
    count,
    first_false,
    named,
    passed,
    untold,
)
from modules.core.scheduler.placing import limit_key_of
from modules.core.scheduler.store import evidence

ORIGINS = {
    "manual": "a run by hand",
    "event": "a run for an event",
    "backfill": "a backfill",
    "shift": "an occurrence moved to another time,",
    "operator": "an order by hand",
}
LATER = {"schedule": "", "backfill": ", in a backfill", "shift": ", moved by hand"}
NOT_RUN = (State.SKIPPED, State.MISSED)
LOOKS_FOR_LOST = 4  # in the time of a lease
MISSED_BY = {
    Reason.MISFIRE_GRACE: "later than its misfire_grace_time allows",
    Reason.CATCH_UP_NONE: "and it catches up nothing (catch_up=none)",
    Reason.ENDED: "its schedule having ended",
    Reason.CATCH_UP_LIMIT: "and only the newest catch_up_limit of them run",
}


def explain_row(c: Connection, facts: Facts, row: Row[Any], *, for_what: str | None = None) -> Explanation:
    """Explain an execution that runs or has ended, or the record of one that did not run.

    `for_what` is told where it was not asked for by its nominal time.
    """
    gates = row_gates(c, facts, row)
    blocking = first_false(gates)
    if row.state == State.RUNNING:
        lease = "" if blocking is None else f", but {blocking.text}"
        what = "" if for_what is None else f", {for_what}"
        return Explanation(
            "runs", f"It runs{what}: {gates[0].text}{lease}.", gates, blocking.gate if blocking else None
        )
    when = facts.words.at(row.scheduled_for)
    if blocking is not None:
        answer = "will_not_run" if row.scheduled_for > facts.now else "did_not_run"
        why = "; ".join(gate.text for gate in gates if gate.passes is False)
        return Explanation(answer, f"It {answer.replace('_', ' ')} at {when}: {why}.", gates, blocking.gate)
    opening = f"It ran at {when}" if for_what is None else f"It ran then, {for_what}"
    return Explanation("ran", f"{opening}: {gates[0].text}.{_late(gates)}", gates)


def _late(gates: Sequence[Gate]) -> str:
    """Return in a sentence what it waited for."""
    told = [gate.text for gate in gates[1:] if gate.gate != "catch_up"]
    return f" Before that, {', and '.join(told)}." if told else ""


def row_gates(c: Connection, facts: Facts, row: Row[Any]) -> list[Gate]:
    """Return what a row proves: the first gate says how it came out."""
    if row.state == State.RUNNING:
        return [_running_gate(facts, row), *waits(c, facts, row), _lease_gate(facts, row)]
    if row.state == State.SKIPPED:
        return [_skipped_gate(c, facts, row)]
    if row.state == State.MISSED:
        return _missed_gates(c, facts, row)
    if row.start_time is None and row.state == State.CANCELLED:
        return [_withdrawn_gate(facts, row)]
    return [_ended_gate(facts, row), *waits(c, facts, row), *_caught_up(facts, row)]


def origin_of(row: Row[Any]) -> str:
    """Return what an execution came from."""
    return ORIGINS.get(row.origin, "an occurrence")


def details_of(row: Row[Any]) -> dict[str, Any]:
    """Return what identifies a row and says how it came out; `duration` and `lateness` in seconds."""
    names = ("scheduled_for", "attempt", "state", "reason", "origin", "node_id", "start_time", "end_time", "error")
    told = {name: getattr(row, name) for name in names}
    return {"execution_id": row.id, **told, "lateness": _seconds(row.scheduled_for, row.start_time)} | {
        "duration": _seconds(row.start_time, row.end_time),
        "missed_count": row.missed_count,
        "missed_since": row.missed_since,
    }


def _seconds(start: datetime | None, end: datetime | None) -> float | None:
    return None if start is None or end is None else (end - start).total_seconds()


def _running_gate(facts: Facts, row: Row[Any]) -> Gate:
    words = facts.words
    text = f"execution {row.id} is running{words.since(row.start_time)}, on node {row.node_id}"
    if row.timed_out_at is not None:
        text += f"; its time was up at {words.at(row.timed_out_at)}, but its function has not ended"
    if row.cancel_requested_at is not None:
        text += f"; it was asked to stop at {words.at(row.cancel_requested_at)}"
    asked = {"timed_out_at": row.timed_out_at, "cancel_requested_at": row.cancel_requested_at}
    return passed("run", text, details_of(row) | asked)


def _lease_gate(facts: Facts, row: Row[Any]) -> Gate:
    found = next((node for node in facts.nodes if node["id"] == row.node_id), None)
    if found is not None and found["alive"]:
        until = facts.words.at(found["lease_until"])
        return passed("lease", f"its node lives, with a lease until {until}", {"node": shown(found)})
    what = "not run again, for it is at_most_once" if facts.task.delivery == "at_most_once" else "run again"
    within = span(facts.bounds.lease / LOOKS_FOR_LOST)
    then = f"once a node looks, within {within}, it is closed as lost and {what}"
    if found is None:
        return closed("lease", f"its node {row.node_id} is gone; {then}", {"node": None})
    until = found["lease_until"]
    is_over = until is None or until <= facts.now
    how = f"its lease ran out at {facts.words.at(until)}" if is_over else "its process has ended"
    return closed("lease", f"its node {row.node_id} is dead: {how}; {then}", {"node": shown(found)})


def _ended_gate(facts: Facts, row: Row[Any]) -> Gate:
    began = f"execution {row.id} started"
    began += "" if row.start_time is None else f" at {facts.words.at(row.start_time)}"
    late = _seconds(row.scheduled_for, row.start_time)
    if late is not None and late >= 1 and row.origin in LATER and row.attempt == 1:
        began += f" ({span(row.start_time - row.scheduled_for)} after its time{LATER[row.origin]})"
    on = "" if row.node_id is None else f" on node {row.node_id}"
    took = "" if row.start_time is None or row.end_time is None else f" after {_took(row.end_time - row.start_time)}"
    how = {State.SUCCEEDED: "succeeded", State.TIMED_OUT: "timed out", State.LOST: "was lost with its node"}
    ending = how.get(row.state, str(row.state))
    why = f" ({row.reason})" if row.reason else ""
    attempt = f" as attempt {row.attempt}" if row.attempt > 1 else ""
    return passed("run", f"{began}{attempt}{on} and {ending}{took}{why}{because(row.error)}", details_of(row))


def _took(duration: timedelta) -> str:
    return in_words(timedelta(milliseconds=round(duration / timedelta(milliseconds=1))))


def _caught_up(facts: Facts, row: Row[Any]) -> list[Gate]:
    if not row.missed_count:
        return []
    since = facts.words.at(row.missed_since)
    text = f"it stands for {count(row.missed_count, 'earlier occurrence')} since {since} as well"
    return [untold("catch_up", text, {"missed_count": row.missed_count, "missed_since": row.missed_since})]


def _missed_gates(c: Connection, facts: Facts, row: Row[Any]) -> list[Gate]:
    if row.end_time > row.created_at:
        return [_waited_gate(facts, row)]
    cause = not_fired(c, facts, row.scheduled_for, row.created_at)
    recorded, since = facts.words.at(row.created_at), facts.words.at(row.missed_since or row.scheduled_for)
    which = "it was" if row.missed_count <= 1 else f"{row.missed_count} occurrences since {since} were"
    why = MISSED_BY.get(row.reason, "")
    before = f"no node came to it before {recorded}; {which} missed then"
    text = f"{before if cause is None else f'at {recorded} {which} missed'}, {why} ({row.reason})"
    missed = closed("catch_up", text, details_of(row) | {"recorded_at": row.created_at})
    return [missed] if cause is None else [cause, missed]


def _waited_gate(facts: Facts, row: Row[Any]) -> Gate:
    """Tell what an execution waited for until its schedule had ended."""
    told = [WAITED[word][1] for word in (row.waited_for or "").split() if word in WAITED]
    why = f" ({', '.join(told)})" if told else ""
    at = facts.words.at(row.end_time)
    return closed("window", f"it waited{why} until its schedule had ended, and was recorded as missed at {at} (ENDED)")


def _withdrawn_gate(facts: Facts, row: Row[Any]) -> Gate:
    at = facts.words.at(row.end_time)
    gate, text = {
        Reason.TASK_CANCELLED: ("task", "the task was cancelled"),
        Reason.REPLACED: ("overlap", "a newer occurrence took its place (overlap=replace)"),
        Reason.OPERATOR: ("task", "the task was corrected by hand"),
        Reason.CANCELLED_BY_REQUEST: ("run", "it was cancelled by request"),
    }.get(row.reason, ("run", f"it was cancelled ({row.reason})"))
    return closed(gate, f"{text} at {at}, before it started", details_of(row))


def _skipped_gate(c: Connection, facts: Facts, row: Row[Any]) -> Gate:
    """Name what was open when the row was recorded, as far as the rows that are there tell."""
    open_then = _open_at(c, facts, row)
    details = details_of(row) | {"executions": [each.id for each in open_then]}
    if row.reason == Reason.QUEUE_FULL:
        return closed("overlap", "as many executions waited as max_queued allows (QUEUE_FULL)", details)
    if row.reason == Reason.SKIPPED_BY_REQUEST:
        return closed("skip", f"somebody asked for it to be left out (SKIPPED_BY_REQUEST){_note(row)}", details)
    if row.reason == Reason.TASK_PAUSED:
        held = task_pauses(c, facts, row.scheduled_for, row.created_at)
        told = told_of(facts, held)[0] if held else "the task was paused"
        return closed("paused", f"{told} (TASK_PAUSED)", details)
    if row.reason != Reason.OVERLAP:
        return closed("overlap", f"it was skipped ({row.reason})", details)
    if not open_then:
        return closed("overlap", "an execution was open; which one is no longer recorded (overlap=skip)", details)
    told = named(f"execution {each.id} {_doing(facts, each, row.created_at)}" for each in open_then)
    return closed("overlap", f"{told} (overlap=skip)", details)


def _note(row: Row[Any]) -> str:
    """Return the reason that was given, which is stored as the result of the row."""
    told = None if row.result is None else strict_json.loads(row.result)
    return because(told["note"]) if isinstance(told, dict) and isinstance(told.get("note"), str) else ""


def _doing(facts: Facts, row: Row[Any], moment: datetime) -> str:
    if row.start_time is None or row.start_time > moment:
        return f"of {facts.words.at(row.scheduled_for)} was still waiting"
    return f"started at {facts.words.at(row.start_time)} was still running on node {row.node_id}"


def _open_at(c: Connection, facts: Facts, row: Row[Any]) -> Sequence[Row[Any]]:
    moment = row.created_at
    rows = {each.id: each for each in evidence.preceding(c, row.event_id, moment)}
    if facts.task.concurrency_key is not None:
        key = limit_key_of(facts.task)
        rows |= {each.id: each for each in evidence.started_under(c, key, moment)}
        rows |= {each.id: each for each in evidence.sharing(c, key)}
    there = [each for each in rows.values() if each.state not in NOT_RUN and each.created_at <= moment]
    there = sorted((each for each in there if each.origin != "operator"), key=lambda each: str(each.id))
    later = [each for each in there if each.end_time is None or each.end_time > moment]
    return later or [each for each in there if each.end_time == moment]
