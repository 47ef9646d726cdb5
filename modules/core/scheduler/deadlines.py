"""The dead man's switch: by when an occurrence must have succeeded, and which have not."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row

from modules.core.scheduler.alert_rules import Incident, Kind
from modules.core.scheduler.execution import Reason
from modules.core.scheduler.firing import trigger_of
from modules.core.scheduler.policies import Policies, policies_of
from modules.core.scheduler.store import expected, nodes
from modules.core.scheduler.task import Status
from modules.core.scheduler.trigger import Cron

DAY = timedelta(days=1)
MICROSECOND = timedelta(microseconds=1)
NOTHING: dict[str, Any] = {"expected_for": None, "expected_at": None}
SET_ASIDE = (Reason.CRASH_LIMIT, Reason.CORRUPT_DEFINITION)  # paused, and not because somebody wanted it


def expectation(policies: Policies, nominal: datetime | None, timezone: str) -> dict[str, Any]:
    """Return the columns `expected_for` and `expected_at` of a task whose next nominal time is this."""
    by = policies.expected_by
    if by is None or nominal is None:
        return NOTHING
    if isinstance(by, str):
        hour, minute = by.split(":")
        return {"expected_for": nominal, "expected_at": Cron(f"{minute} {hour} * * *", timezone).next_after(nominal)}
    return {"expected_for": nominal, "expected_at": nominal + timedelta(seconds=by)}


def find_overdue(c: Connection, now: datetime, limit: int) -> tuple[list[Incident], bool]:
    """Look at up to `limit` tasks whose time is up, and expect their next; return what is overdue, and if more wait.

    After a long time without any node, the first one stands for all that passed meanwhile.
    """
    rows, paused = expected.due(c, now, limit), nodes.paused(c)
    overdue = [_incident(row) for row in rows if _is_overdue(c, row, paused)]
    for row in rows:
        expected.expect(c, row.id, _following(row, now))
    return overdue, len(rows) == limit


def _is_overdue(c: Connection, row: Row[Any], paused: set[str]) -> bool:
    is_stopped = row.status == Status.PAUSED and row.status_reason not in SET_ASIDE
    if is_stopped or row.status == Status.CANCELLED or paused & {"*", row.module_id}:
        return False
    if expected.has_succeeded(c, row) or expected.was_put_off(c, row):
        return False
    return row.status != Status.COMPLETED or expected.has_come(c, row)  # else it had ended before


def _following(row: Row[Any], now: datetime) -> dict[str, Any]:
    if not row.recurring or row.status not in (Status.PENDING, Status.PAUSED):
        return NOTHING
    try:
        policies, trigger = policies_of(row.policies), trigger_of(row.trigger)
    except ValueError:  # damaged: the next firing sets it aside
        return NOTHING
    if isinstance(policies.expected_by, float | int):
        after = max(row.expected_for, now - timedelta(seconds=policies.expected_by))
    else:
        after = max(row.expected_at - MICROSECOND, now - DAY)
    return expectation(policies, trigger.next_after(after), row.timezone)


def _incident(row: Row[Any]) -> Incident:
    due, by = (f"{moment:%Y-%m-%d %H:%M:%S} UTC" for moment in (row.expected_for, row.expected_at))
    return Incident((Kind.OVERDUE,), row.id, row.name, row.module_id, f"due at {due}, it has not succeeded by {by}")
