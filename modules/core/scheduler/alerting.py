"""Incidents become alerts: gathered in the transaction that finds them, so that none is lost and none comes twice."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row

from framework import strict_json
from framework.clock import new_id
from modules.core.scheduler.alert_rules import AlertRule, Incident, Kind
from modules.core.scheduler.bounded_text import storable
from modules.core.scheduler.ending import Ending
from modules.core.scheduler.execution import Closed, State
from modules.core.scheduler.placing import function_key
from modules.core.scheduler.store import alerts
from modules.core.scheduler.store.cleanups import CARRY_OUT

MOST_TASKS = 10  # that one alert names
MOST_ERROR = 300
MOST_TRIES = 5
SENDING = timedelta(minutes=2)  # after which another node takes over what one has begun to send
FIRST_PAUSE = timedelta(seconds=30)  # before the next try, and twice as long before each further one
PARTS = {"count", "suppressed", "since", "tasks", "others"}
CLEANUP = function_key(*CARRY_OUT)
OF_STATE = {
    State.FAILED: (Kind.GAVE_UP, Kind.FAILED),
    State.LOST: (Kind.LOST,),
    State.MISSED: (Kind.MISSED,),
}


class Sending(NamedTuple):
    """An alert that this node is to send; `tries` is how often that has been tried before."""

    rule: str
    content: dict[str, Any]
    tries: int


def of_endings(endings: Iterable[Ending], refused: Collection[str], final: Collection[str]) -> list[Incident]:
    """Return what went wrong with executions that have been written as ended; the `final` ones are not tried again."""
    found = []
    for ending in endings:
        state, _, error = ending.stored
        if state in (State.FAILED, State.TIMED_OUT) and ending.id not in refused:
            kinds = [Kind.CLEANUP_FAILED] if ending.function_key == CLEANUP else []
            kinds += [Kind.GAVE_UP] if ending.id in final else []
            kinds.append(Kind(state.value))
            found.append(Incident(kinds, ending.task_id, ending.name, ending.module_id or "", error))
    return found


def of_closed(rows: Iterable[Closed]) -> list[Incident]:
    """Return what went wrong with executions that did not run to their end; what was skipped was meant to be."""
    return [
        Incident(OF_STATE[row.state], row.task_id, row.task_name, row.module_id, row.error, row.occurrences)
        for row in rows
        if row.state in OF_STATE
    ]


def note(c: Connection, rules: Sequence[AlertRule], incidents: Sequence[Incident], now: datetime) -> bool:
    """Let the rules gather incidents, as part of a transaction; return whether any has. It locks in one order, last."""
    noted = False
    for rule in sorted(rules, key=lambda rule: rule.name):
        told = [(kind, each) for each in incidents if (kind := rule.kind_of(each)) is not None]
        if told:
            row = alerts.lock(c, rule.name)
            alerts.change(c, rule.name, waiting=strict_json.dumps(_gathered(row, told, now)))
            noted = True
    return noted


def begin(c: Connection, rules: Collection[str], now: datetime) -> list[Sending]:
    """Claim the alerts that are to be sent now: no other node sends them unless this one falls silent."""
    found = []
    for row in alerts.due(c, rules, now):
        content = _read(row.sending or row.waiting)
        if content is None:
            alerts.change(c, row.rule, sending=None, waiting=None, tries=0)
            continue
        if row.sending is None:
            content["id"] = new_id()
            alerts.change(c, row.rule, sending=strict_json.dumps(content), waiting=None, tries=0)
        alerts.change(c, row.rule, claimed_until=now + SENDING)
        found.append(Sending(row.rule, content, 0 if row.sending is None else row.tries))
    return found


def end(c: Connection, sent: Sending, every: timedelta, now: datetime, *, reached: bool) -> bool:
    """Note whether an alert has reached somebody; return whether it is tried again."""
    row = alerts.lock(c, sent.rule)
    if (_read(row.sending) or {}).get("id") != sent.content["id"]:
        return False  # another node took over, and has done it
    tries = sent.tries + 1
    if reached or tries >= MOST_TRIES:
        alerts.change(c, sent.rule, sending=None, tries=0, next_at=now + every, claimed_until=None)
        return False
    alerts.change(c, sent.rule, tries=tries, claimed_until=now + FIRST_PAUSE * 2**sent.tries)
    return True


def listed(c: Connection, rules: Iterable[AlertRule], now: datetime) -> list[dict[str, Any]]:
    """Return the rules as they are shown, by name, with what each has gathered and what it is sending."""
    rules = sorted(rules, key=lambda rule: rule.name)
    rows = {row.rule: row for row in alerts.every(c, [rule.name for rule in rules])}
    return [_shown(rule, rows.get(rule.name), now) for rule in rules]


def _shown(rule: AlertRule, row: Row[Any] | None, now: datetime) -> dict[str, Any]:
    shown: dict[str, Any] = {"rule": rule.name, "on": list(rule.on), "every": rule.every.total_seconds()}
    if row is None:
        return shown | {"silent_until": None, "waiting": None, "sending": None, "tries": 0}
    silent = row.next_at if row.next_at is not None and row.next_at > now else None
    told = {name: _with_moments(_read(getattr(row, name))) for name in ("waiting", "sending")}
    return shown | {"silent_until": silent, **told, "tries": row.tries}


def _with_moments(content: dict[str, Any] | None) -> dict[str, Any] | None:
    if content is None:
        return None
    return content | {name: datetime.fromisoformat(content[name]) for name in ("since", "until") if name in content}


def _gathered(row: Row[Any], told: Sequence[tuple[Kind, Incident]], now: datetime) -> dict[str, Any]:
    """Return what waits for a rule, with these; what comes while its last alert keeps it silent is `suppressed`."""
    empty: dict[str, Any] = {"count": 0, "suppressed": 0, "since": now.isoformat(), "tasks": [], "others": 0}
    waiting = _read(row.waiting) or empty
    is_silent = row.sending is not None or (row.next_at is not None and now < row.next_at)
    for kind, incident in told:
        waiting["count"] += incident.times
        waiting["suppressed"] += incident.times if is_silent else 0
        _name(waiting, kind, incident)
    return waiting | {"until": now.isoformat()}


def _read(text: str | None) -> dict[str, Any] | None:
    """Return what a row holds; None where that is nothing, or damaged, which must not hold up whoever reads it."""
    try:
        content = None if text is None else strict_json.loads(text)
    except strict_json.JsonError:
        return None
    return content if isinstance(content, dict) and set(content) >= PARTS else None


def _name(waiting: dict[str, Any], kind: Kind, incident: Incident) -> None:
    error = None if incident.error is None else storable(incident.error, MOST_ERROR)
    for task in waiting["tasks"]:
        if (task["task_id"], task["kind"]) == (incident.task_id, kind):
            task["count"] += incident.times
            task["error"] = error or task["error"]
            return
    if len(waiting["tasks"]) >= MOST_TASKS:
        waiting["others"] += 1
        return
    whose = {"task_id": incident.task_id, "name": incident.task_name, "module_id": incident.module_id}
    waiting["tasks"].append({**whose, "kind": kind.value, "count": incident.times, "error": error})
