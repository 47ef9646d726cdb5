"""The overview: how much of everything there is, and what needs attention; bounded, however much is stored."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from framework.database.measuring import bytes_held
from modules.core.scheduler.live.attention import attention, counted
from modules.core.scheduler.live.verdict import verdict
from modules.core.scheduler.status import held_back, nodes_now
from modules.core.scheduler.store import overview as store
from modules.core.scheduler.views import seconds_between

MOST = 10_000  # of which are counted
MOST_RUNS = 200  # of one task that are told
MOST_TASKS = 100
HOUR = timedelta(hours=1)


def overview(c: Connection, now: datetime) -> dict[str, Any]:
    """Return what `SchedulerService.overview` does."""
    numbers = store.counts(c, now, now + HOUR, MOST + 1)
    seen = {
        "tasks": _counted(numbers.coming),
        "due": _counted(numbers.due + numbers.ready),
        "next_hour": _counted(numbers.soon),
        **attention(c, now),
        "bytes": bytes_held(c),
        "kept_since": store.kept_since(c),
    }
    around = {"nodes": nodes_now(c, now), "paused": held_back(c)}
    return {"verdict": verdict(around, seen, seen["attention"]), **seen}


def _counted(number: int) -> dict[str, Any]:
    return counted(min(number, MOST), is_cut=number > MOST)


def ran_since(c: Connection, since: datetime) -> dict[str, Any]:
    """Return what `SchedulerService.ran_since` does."""
    rows, is_cut = store.ran_since(c, since)
    return {"tasks": [{"id": row.id, "name": row.name} for row in rows], "is_cut": is_cut}


def runs_since(c: Connection, task_ids: list[str], since: datetime) -> dict[str, list[dict[str, Any]]]:
    """Return what `SchedulerService.runs_since` does."""
    names = ("id", "state", "scheduled_for", "start_time", "end_time")
    found = store.newest_of(c, task_ids[:MOST_TASKS], MOST_RUNS, since=since)
    return {
        task_id: [
            {name: getattr(row, name) for name in names} | {"duration": seconds_between(row.start_time, row.end_time)}
            for row in rows
        ]
        for task_id, rows in found.items()
    }
