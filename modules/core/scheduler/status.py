"""What the scheduler is doing right now: measured, never declared."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row

from framework import strict_json
from framework.context import AppContext
from framework.duration import in_words
from framework.result import Result
from modules.core.scheduler import process
from modules.core.scheduler.freezing import CLEANUPS
from modules.core.scheduler.runner import Runner
from modules.core.scheduler.store import cleanups, executions, nodes, tasks
from modules.core.scheduler.views import task_view

SILENCE = 45.0  # seconds without a turn after which the loop counts as stuck: the longest sleep and half of it again
UPCOMING = 5
NODE_FIELDS = ("id", "host", "pid", "version", "slots", "draining_since", "started_at", "lease_until")


async def status_of(app_context: AppContext, runner: Runner) -> dict[str, Any]:
    """Return `{"active", "node_id", "running", "running_everywhere", "nodes", "paused", "cleanups", "upcoming",
    "listeners"}`.

    `nodes` are as `list_nodes` returns them, but for `functions`, which is how many each has. `cleanups` are `{"on",
    "off", "frozen"}`: two numbers, and whether an operator lets none of them delete.
    """
    now = app_context.clock.now()
    stored = await app_context.database.read(lambda c: _stored(c, now))
    here = {"active": runner.is_looping, "node_id": runner.node_id, "running": runner.running}
    return here | stored | {"listeners": runner.listeners.counted()}


async def health_of(app_context: AppContext, runner: Runner) -> Result[dict[str, Any]]:
    """Return the loop's state, or `LOOP_STUCK` when it should turn and has not for `SILENCE` seconds."""
    silence = runner.seconds_since_turn()
    shown = await status_of(app_context, runner) | {"seconds_since_turn": silence}
    if runner.is_looping and silence is not None and silence > SILENCE:
        return Result.error("LOOP_STUCK", f"the scheduler's loop has not turned for {silence:.0f} s", shown)
    return Result.success(shown)


def _stored(c: Connection, now: datetime) -> dict[str, Any]:
    held, counted = nodes.held(c), cleanups.counted(c)
    is_frozen = any(row.scope == CLEANUPS for row in held)
    return {
        "running_everywhere": executions.count_running(c),
        "nodes": [node | {"functions": len(node["functions"])} for node in nodes_now(c, now)],
        "paused": [{"scope": row.scope, "reason": row.reason, "since": row.since} for row in held],
        "cleanups": {"on": counted.get(True, 0), "off": counted.get(False, 0), "frozen": is_frozen},
        "upcoming": [_upcoming(task_view(row, is_open=False), now) for row in tasks.upcoming(c, UPCOMING)],
    }


def nodes_now(c: Connection, now: datetime) -> list[dict[str, Any]]:
    """Return all nodes as they are shown, oldest first."""
    rows, running = nodes.everyone(c), nodes.running(c)
    versions = Counter(row.version for row in rows if row.version is not None and _lives(row, now))
    return [
        {name: getattr(row, name) for name in NODE_FIELDS}
        | {
            "version_differs": 2 * versions[row.version] <= versions.total() and row.version in versions,
            "alive": _lives(row, now),
            "running": running.get(row.id, 0),
            "queues": strict_json.loads(row.queues or "{}"),
            "functions": strict_json.loads(row.functions or "[]"),
        }
        for row in rows
    ]


def _lives(node: Row[Any], now: datetime) -> bool:
    return node.lease_until is not None and node.lease_until > now and not process.is_gone(node)


def _upcoming(task: dict[str, Any], now: datetime) -> dict[str, Any]:
    names = ("id", "name", "schedule", "next_execution")
    return {name: task[name] for name in names} | {"due": in_human_words(task["next_execution"], now)}


def in_human_words(moment: datetime, now: datetime) -> str:
    """Return how far away a moment is, to its two largest units: `in 2h`, `in 3m 5s`, `now`, `5m late`."""
    seconds = round((moment - now).total_seconds())
    if abs(seconds) < 1:
        return "now"
    distance = " ".join(in_words(timedelta(seconds=abs(seconds))).split()[:2])
    return f"in {distance}" if seconds > 0 else f"{distance} late"
