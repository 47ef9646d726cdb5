"""The gate of the schedule at a moment: has the trigger a time then, and what will be of it?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice

from modules.core.scheduler.catch_up import MICROSECOND, Run
from modules.core.scheduler.explaining.asked import Asked, clock_gates
from modules.core.scheduler.explaining.bounds import over_text, window_gate
from modules.core.scheduler.explaining.facts import Facts, Subject
from modules.core.scheduler.explaining.places import able_gates
from modules.core.scheduler.explaining.starting import paused_gate
from modules.core.scheduler.explaining.words import Explanation, Gate, closed, first_false, passed, untold
from modules.core.scheduler.firing import trigger_of
from modules.core.scheduler.task import Status
from modules.core.scheduler.trigger import Trigger, pauses_after_each_run
from modules.core.scheduler.trigger.notes import notes_on, parts

ENDED = (Status.COMPLETED, Status.FAILED, Status.CANCELLED)
DECIDING = ("task", "schedule", "window", "calendar", "due", "paused")  # of a moment to come
PLACES = ("node", "queue", "function", "draining")
NO_EVENT = ", and it did not then"
AS_IT_IS = "by its schedule as it stands now"


def schedule_gate(facts: Facts, asked: Asked) -> Gate:
    """Tell whether the trigger has a time in the span that was asked about; `occurrence` in the details is it."""
    task, words = facts.task, facts.words
    try:
        trigger = trigger_of(task.trigger)
    except ValueError as error:
        return untold("schedule", f"its stored trigger cannot be read: {error}")
    if pauses_after_each_run(trigger):
        return untold("schedule", f"its times ({trigger.describe(words.zone.key)}) follow from when each run ended")
    following = trigger.next_after(asked.moment - MICROSECOND)
    if following is not None and following < asked.stop:
        notes = notes_on(trigger, asked.moment - MICROSECOND, [following]).get(following, [])
        told = "".join(f"; {note.text}" for note in notes)
        details = {"occurrence": following, "notes": [{"code": note.code, "text": note.text} for note in notes]}
        return passed("schedule", f"{AS_IT_IS} it has a time then: {words.at(following)}{told}", details)
    before = _before(trigger, asked.moment, max(task.created_at, task.timed_since))
    if task.event is not None and before is None and following is None:
        details = {"event": task.event, "after_task": task.after_task}
        return closed("schedule", facts.event_text + NO_EVENT, details)
    schedule = trigger.describe(words.zone.key)
    details = {"before": before, "after": following, "schedule": schedule}
    near = " and ".join(words.at(moment) for moment in (before, following) if moment is not None)
    text = f"{AS_IT_IS} ({schedule}) it has no time then, {f'the nearest: {near}' if near else 'nor another'}"
    return closed("schedule", text, details)


def schedule_gates(facts: Facts, asked: Asked) -> list[Gate]:
    """Return the gate of the schedule, and the one of the calendar or window that left the time out, if it was one."""
    gate = schedule_gate(facts, asked)
    if gate.passes is not False or "schedule" not in gate.details:
        return [gate]
    for part in parts(trigger_of(facts.task.trigger)):
        left_out = getattr(part.trigger, "left_out", None)
        found = () if left_out is None else islice(left_out(asked.moment - MICROSECOND, asked.stop - MICROSECOND), 1)
        for moment, name, moved_to in found:
            to = "left out" if moved_to is None else f"moved to {facts.words.at(moved_to)}"
            text = f"{facts.words.at(moment)} is in calendar {name!r}: {to}"
            details = {"calendar": name, "occurrence": moment, "moved_to": moved_to}
            return [untold("schedule", gate.text, gate.details), closed("calendar", text, details)]
    window = window_gate(facts, asked.moment, asked.stop)
    if window is not None and window.passes is False:
        return [untold("schedule", gate.text, gate.details), window]
    return [gate]


def _before(trigger: Trigger, moment: datetime, created_at: datetime) -> datetime | None:
    """Return the last time before a moment since the task is there."""
    return trigger.latest_until(moment, created_at - timedelta(minutes=1)) if created_at < moment else None


def explain_future(facts: Facts, asked: Asked) -> Explanation:
    """Tell whether a task is going to be due at a moment to come, as things stand."""
    times, clock = _coming_gates(facts, asked), clock_gates(asked, facts.words)
    task = facts.task
    subject = Subject.of_due(task, facts.policies, Run(asked.moment), facts.now)
    rest = [_task_gate(facts), *times, paused_gate(facts, task.queue), *able_gates(facts, subject)]
    explained = coming(facts, asked, "", rest)
    gates = [*explained.gates[: 1 + len(times)], *clock, *explained.gates[1 + len(times) :]]
    left_out = first_false(clock)
    if left_out is None:
        return replace(explained, gates=gates)
    if explained.blocked_by in ("schedule", "window"):
        text = f"It will not run at {asked.left_out:%a %Y-%m-%d %H:%M:%S}: {left_out.text}."
        return replace(explained, verdict=text, gates=gates, blocked_by=left_out.gate)
    return replace(explained, verdict=f"{explained.verdict} For {left_out.text}.", gates=gates)


def coming(facts: Facts, asked: Asked, why: str, gates: Sequence[Gate]) -> Explanation:
    """Judge by gates whether it runs at a moment to come: what the nodes cannot do now, they may be able to then."""
    when = facts.words.at(asked.moment)
    gates = [gate for gate in gates if gate.gate in (*DECIDING, *PLACES)]
    missing = first_false(gate for gate in gates if gate.gate in PLACES)
    shown = [untold(g.gate, g.text, g.details) if g.gate in PLACES and g.passes is False else g for g in gates]
    blocking = first_false(shown)
    if blocking is not None:
        return Explanation("will_not_run", f"It will not run at {when}: {blocking.text}.", shown, blocking.gate)
    unknown = next((gate for gate in shown if gate.gate == "schedule" and gate.passes is None), None)
    if unknown is not None:
        return Explanation("not_known", f"It cannot be told whether it will run at {when}: {unknown.text}.", shown)
    but = "" if missing is None else f" But now {missing.text}."
    return Explanation("will_run", f"It is due at {when}, as things stand{why}.{but}", shown)


def _task_gate(facts: Facts) -> Gate:
    details = {"status": facts.task.status}
    return Gate("task", facts.task.status not in ENDED, f"the task is {facts.task.status}{over_text(facts)}", details)


def _coming_gates(facts: Facts, asked: Asked) -> list[Gate]:
    """The next time is stored, and may have been moved; the trigger speaks for those behind it."""
    words, following = facts.words, facts.task.next_execution
    told = schedule_gates(facts, asked)
    if told[0].passes is None and _is_unknown(facts, following, asked):
        return told
    if following is not None and asked.moment <= following < asked.stop:
        return [_within_maximum(facts, following, following)]
    if (following is None or asked.stop <= following) and told[-1].gate in ("window", "calendar"):
        return told
    if following is None or asked.stop <= following:
        text = "it has no further time" if following is None else f"its next time is only {words.at(following)}"
        return [_beside_events(facts, closed("schedule", text, {"after": following}))]
    if told[0].passes:
        return [_within_maximum(facts, following, told[0].details["occurrence"])]
    return [_beside_events(facts, told[0]), *told[1:]]


def _beside_events(facts: Facts, gate: Gate) -> Gate:
    """Leave open what an event may still bring about."""
    if facts.task.event is None or gate.passes is not False:
        return gate
    times = "" if facts.task.next_execution is None else f"; {gate.text}"
    return untold("schedule", f"{facts.event_text}, whenever that comes{times}", gate.details)


def _is_unknown(facts: Facts, following: datetime | None, asked: Asked) -> bool:
    """Whether nobody can tell the time: of a trigger that cannot be read, or behind the end of the next run."""
    task = facts.task
    try:
        trigger_of(task.trigger)
    except ValueError:
        return bool(task.recurring)
    return bool(facts.opened) if following is None else following < asked.moment


def _within_maximum(facts: Facts, following: datetime, occurrence: datetime) -> Gate:
    task = facts.task
    if task.max_executions is not None:
        before = trigger_of(task.trigger).count_between(following, occurrence) if occurrence > following else 0
        if task.execution_count + before >= task.max_executions:
            text = f"it will have started {task.max_executions} times before, as often as it may"
            return closed("schedule", text, {"max_executions": task.max_executions})
    text = f"its schedule has a time then: {facts.words.at(occurrence)}"
    return passed("schedule", text, {"occurrence": occurrence})
