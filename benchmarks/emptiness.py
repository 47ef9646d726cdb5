"""How a look from outside tells, for each peer, that no work is left, how much was stored, and how much was done."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.environments import OURS
from benchmarks.stores import Store


@dataclass(frozen=True, slots=True)
class Look:
    """SQL of one peer: whether due work is left, how many tasks are stored, how many runs are recorded as done."""

    left: str
    stored: str
    done: str | None = None  # None: the peer records no end


OF_OURS = "module_id = 'benchmarks.recording'"
_OPEN = "EXISTS (SELECT 1 FROM scheduler_executions WHERE state IN ('pending', 'running'))"
_DUE = (
    "EXISTS (SELECT 1 FROM scheduler_events"
    " WHERE status = 'pending' AND next_execution IS NOT NULL AND next_execution <= {now})"
)
_NOW = {True: "strftime('%Y-%m-%d %H:%M:%f000', 'now')", False: "now()"}

_LOOKS = {
    "apscheduler3": Look(
        "EXISTS (SELECT 1 FROM apscheduler_jobs WHERE next_run_time <= (julianday('now') - 2440587.5) * 86400.0)",
        "SELECT count(*) FROM apscheduler_jobs",
    ),
    "apscheduler4": Look(
        "EXISTS (SELECT 1 FROM jobs)",
        "SELECT (SELECT count(*) FROM jobs) + (SELECT count(*) FROM schedules)",
        "SELECT count(*) FROM job_results WHERE outcome = 'success'",
    ),
    "dbos": Look(
        "EXISTS (SELECT 1 FROM {dbos}workflow_status WHERE status IN ('ENQUEUED', 'DELAYED', 'PENDING'))",
        "SELECT count(*) FROM {dbos}workflow_status",
        "SELECT count(*) FROM {dbos}workflow_status WHERE status = 'SUCCESS'",
    ),
    "flowrra": Look("EXISTS (SELECT 1 FROM scheduled_tasks WHERE enabled)", "SELECT count(*) FROM scheduled_tasks"),
    "huey": Look(
        "EXISTS (SELECT 1 FROM task) OR EXISTS (SELECT 1 FROM schedule)",
        "SELECT (SELECT count(*) FROM task) + (SELECT count(*) FROM schedule)",
        "SELECT count(*) FROM kv",
    ),
    "pgqueuer": Look(
        "EXISTS (SELECT 1 FROM pgqueuer)",
        "SELECT count(*) FROM pgqueuer",
        "SELECT count(*) FROM pgqueuer_log WHERE status = 'successful'",
    ),
    "procrastinate": Look(
        "EXISTS (SELECT 1 FROM procrastinate_jobs WHERE status IN ('todo', 'doing'))",
        "SELECT count(*) FROM procrastinate_jobs",
        "SELECT count(*) FROM procrastinate_jobs WHERE status = 'succeeded'",
    ),
}


def look(peer: str, store: Store) -> Look:
    """Return how to look at this peer on this store."""
    if peer == OURS:
        return Look(
            f"{_OPEN} OR {_DUE.format(now=_NOW[store.is_sqlite])}",
            f"SELECT count(*) FROM scheduler_events WHERE {OF_OURS}",
            "SELECT count(*) FROM scheduler_executions WHERE state = 'succeeded' AND success"
            f" AND event_id IN (SELECT id FROM scheduler_events WHERE {OF_OURS})",
        )
    found = _LOOKS[peer]
    schema = "" if store.is_sqlite else "dbos."
    return Look(*(text and text.replace("{dbos}", schema) for text in (found.left, found.stored, found.done)))


def is_work_left(peer: str, store: Store) -> bool:
    """Say whether anything due is still open."""
    return bool(store.value(f"SELECT {look(peer, store).left}"))
