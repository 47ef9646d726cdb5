"""Failures that say the same, together: how often, since when, and whether somebody has seen them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, Row

from modules.core.scheduler.live.statistics import WINDOWS
from modules.core.scheduler.refusing import refuse
from modules.core.scheduler.store import failing as store

MOST = 1_000  # of each kind that are looked at
STEPS = 24
MOST_IDS = 100

_CHANGING = re.compile(r"0x[0-9a-f]+|[0-9a-f]{8}-[0-9a-f-]{27}|\b[0-9a-f]{16,}\b|\d+")


def failures(c: Connection, window: str, now: datetime) -> dict[str, Any]:
    """Return what `SchedulerService.failures` does, or refuse with `INVALID_WINDOW`."""
    chosen = WINDOWS.get(window)
    if chosen is None:
        refuse("INVALID_WINDOW", f"failures are of the last {', '.join(WINDOWS)}, not {window!r:.30}")
    since = now - chosen.reach
    rows, is_cut = store.failed(c, since, MOST)
    names = {row.event_id: row.task_name for row in rows if row.task_name is not None}
    groups = grouped([row for row in rows if row.event_id in names], since, chosen.reach / STEPS)
    known = store.known(c, [group["id"] for group in groups])
    for group in groups:
        group["task_name"] = names[group["task_id"]]
        group["ignored"] = group["last"] <= known.get(group["id"], since)
    return {"window": window, "since": since, "until": now, "failures": groups, "is_cut": is_cut}


def grouped(rows: Sequence[Row[Any]], since: datetime, step: timedelta) -> list[dict[str, Any]]:
    """Return failures of one task that say the same, but for numbers and ids, as one; those with the most first."""
    together: dict[str, list[Row[Any]]] = {}
    for row in sorted(rows, key=lambda row: (row.end_time, row.id), reverse=True):
        name = sha256(f"{row.event_id}\0{fingerprint(row)}".encode()).hexdigest()[:16]
        together.setdefault(name, []).append(row)
    groups = [_group(name, found, since, step) for name, found in together.items()]
    return sorted(groups, key=lambda group: (group["count"], group["last"]), reverse=True)


def fingerprint(row: Any) -> str:
    """Return what a failure says without what changes from one to the next."""
    return _CHANGING.sub("#", str(row.error or row.reason or row.state).lower())


def _group(name: str, found: Sequence[Row[Any]], since: datetime, step: timedelta) -> dict[str, Any]:
    newest, series, seconds = found[0], [0] * STEPS, step.total_seconds()
    for row in found:
        series[min(max(int((row.end_time - since).total_seconds() / seconds), 0), STEPS - 1)] += 1
    return {
        "id": name,
        "task_id": newest.event_id,
        "state": newest.state,
        "error": newest.error or newest.reason or newest.state,
        "count": len(found),
        "first": found[-1].end_time,
        "last": newest.end_time,
        "newest": newest.id,
        "series": series,
        "last_attempts": [row.id for row in found if row.is_last][:MOST_IDS],
    }
