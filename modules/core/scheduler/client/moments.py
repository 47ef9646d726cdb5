"""Moments in what a server answers: text in JSON, aware datetimes in Python, by the names of their fields."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

MOMENTS = frozenset(
    {
        "applied_at",
        "at",
        "cancel_requested_at",
        "checked_at",
        "created_at",
        "draining_since",
        "due_at",
        "end_time",
        "ended_at",
        "expected_at",
        "first",
        "from",
        "kept_since",
        "last",
        "last_execution",
        "last_run",
        "lease_until",
        "local",
        "missed_since",
        "missing_since",
        "newest",
        "next_execution",
        "next_run",
        "now",
        "oldest",
        "paused_since",
        "planned_at",
        "scheduled_for",
        "silent_until",
        "since",
        "start",
        "start_time",
        "started_at",
        "timed_out_at",
        "to",
        "until",
        "upcoming",
        "updated_at",
        "valid_until",
    }
)
FOREIGN = frozenset(
    {
        "after",
        "before",
        "config",
        "details",
        "fields",
        "parameters",
        "payload",
        "policies",
        "progress",
        "result",
        "trigger",
    }
)
"""Fields that hold what somebody else wrote: nothing within them is read."""

_ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


def with_moments(value: Any, name: str = "") -> Any:
    """Return plain JSON with every moment that a field of the scheduler's own holds as an aware datetime."""
    if isinstance(value, dict):
        return {key: each if key in FOREIGN else with_moments(each, key) for key, each in value.items()}
    if isinstance(value, list):
        return [with_moments(each, name) for each in value]
    if name in MOMENTS and isinstance(value, str) and _ISO.fullmatch(value):
        return datetime.fromisoformat(value)
    return value


def plain(value: object) -> Any:
    """Return what JSON has no word for as text: a moment as ISO 8601, anything else as it says of itself."""
    return value.isoformat() if isinstance(value, datetime) else str(value)
