"""What the scheduler is doing right now: measured, never declared."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row

from framework import strict_json
from framework.context import AppContext
from framework.database import is_transient
from framework.duration import in_words
from framework.errors import one_line
from framework.repeat import LONGEST_SLEEP
from framework.result import Result
from modules.core.scheduler import process
from modules.core.scheduler.freezing import CLEANUPS
from modules.core.scheduler.membership import offset_of
from modules.core.scheduler.runner import Runner
from modules.core.scheduler.settings import SchedulerSettings
from modules.core.scheduler.store import cleanups, executions, gauges, nodes, tasks
from modules.core.scheduler.views import task_view

SILENCE = 30.0
UPCOMING = 5
NODE_FIELDS = ("id", "host", "pid", "version", "slots", "clock_offset", "draining_since", "started_at", "lease_until")


async def status_of(app_context: AppContext, runner: Runner) -> dict[str, Any]:
    """Return `{"active", "node_id", "running", "missed", "running_everywhere", "nodes", "paused", "cleanups",
    "upcoming", "lateness", "listeners"}`.

    `missed` is how many occurrences this node has found missed since it started, `lateness` for how many seconds what
    waits longest could have run.

    `nodes` are as `list_nodes` returns them, but for `functions`, which is how many each has. `cleanups` are `{"on",
    "off", "frozen"}`: two numbers, and whether an operator lets none of them delete.
    """
    now = app_context.clock.now()
    stored = await app_context.database.read(lambda c: _stored(c, now))
    here = {"active": runner.is_looping, "node_id": runner.node_id, "running": runner.running}
    here["missed"] = runner.tally.missed
    return here | stored | {"listeners": runner.listeners.counted()}


async def health_of(app_context: AppContext, runner: Runner, settings: SchedulerSettings) -> Result[dict[str, Any]]:
    """Return the status with `seconds_since_turn` and `clock_offset`, the seconds by which this machine is ahead.

    `STORE_UNREACHABLE` where the database does not answer, `LOOP_STUCK` where the loop should turn and has not for
    `SILENCE` seconds, `CLOCK_OFF` where this machine's clock is off the database's by more than the settings tolerate.
    """
    silence, clock = runner.seconds_since_turn(), app_context.clock
    offset = offset_of(clock)
    measured = {"seconds_since_turn": silence, "clock_offset": offset}
    try:
        shown = await status_of(app_context, runner) | measured
    except Exception as error:
        if not is_transient(error):
            raise
        return Result.error("STORE_UNREACHABLE", f"the database does not answer: {one_line(error)}", measured)
    if runner.is_looping and silence is not None and silence > longest_silence(runner.settings):
        return Result.error("LOOP_STUCK", f"the scheduler's loop has not turned for {silence:.0f} s", shown)
    if abs(offset) > settings.clock_tolerance.total_seconds():
        ahead = f"{abs(offset):.0f} s {'ahead of' if offset > 0 else 'behind'} the database's"
        return Result.error("CLOCK_OFF", f"this machine's clock is {ahead}; let NTP set it", shown)
    return Result.success(shown)


def longest_silence(settings: SchedulerSettings) -> float:
    """Return after how many seconds without a turn the loop counts as stuck; where it may sleep longer, they are more.

    It turns at least as often as it looks at the database, and as it keeps up its node.
    """
    sleeps = (settings.poll_interval.total_seconds(), settings.lease.total_seconds() / 4, LONGEST_SLEEP)
    return max(SILENCE, 1.5 * min(sleeps))


def _stored(c: Connection, now: datetime) -> dict[str, Any]:
    held, counted, since = held_back(c), cleanups.counted(c), gauges.longest_due(c, now)
    is_frozen = any(each["scope"] == CLEANUPS for each in held)
    return {
        "running_everywhere": executions.count_running(c),
        "nodes": [node | {"functions": len(node["functions"])} for node in nodes_now(c, now)],
        "paused": held,
        "cleanups": {"on": counted.get(True, 0), "off": counted.get(False, 0), "frozen": is_frozen},
        "upcoming": [_upcoming(task_view(row, is_open=False), now) for row in tasks.upcoming(c, UPCOMING)],
        "lateness": 0.0 if since is None else max((now - since).total_seconds(), 0.0),
    }


def held_back(c: Connection) -> list[dict[str, Any]]:
    """Return what an operator holds back: `{"scope", "reason", "since"}` each."""
    return [{"scope": row.scope, "reason": row.reason, "since": row.since} for row in nodes.held(c)]


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
