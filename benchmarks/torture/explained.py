"""Explained: what may become of an execution in a torment beside success; anything else is a complaint."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from benchmarks.torture.evidence import Evidence, Row

LOST = "lost NODE_LOST"
SET_ASIDE = "failed CRASH_LIMIT"
HANDED_BACK = "cancelled SHUTDOWN"
OVERLAPPED = "skipped OVERLAP"
KILLED = frozenset({LOST, SET_ASIDE})  # where processes are killed, again and again
CRASH_LIMIT = 3  # how often an execution may take its node with it
SUCCEEDED = "succeeded"
UNFINISHED = frozenset({"pending", "running"})


def only_what_is_allowed(evidence: Evidence, allowed: Collection[str]) -> Iterator[str]:
    """Complain of each row that ended in a way that this torment does not explain.

    `allowed` holds states with their reason, or with the function whose they may be, such as `failed of hog`.
    """
    for row in evidence.rows:
        task = evidence.task_by_id.get(row["event_id"], {})
        ways = {f"{row['state']} {row['reason']}", f"{row['state']} of {task.get('function_name')}"}
        if row["state"] not in {SUCCEEDED, *UNFINISHED} and not ways & set(allowed):
            yield f"nothing here explains {row['state']} ({row['reason']}): {row['event_id']}, attempt {row['attempt']}"


def what_was_asked_for_was_tried(evidence: Evidence) -> Iterator[str]:
    """A one-time task has run, or has begun to: a row that says that it was skipped or missed is not enough."""
    for task in evidence.tasks:
        rows = evidence.by_task.get(task["id"], ())
        if rows and not task["recurring"] and not any(row["attempt"] > 0 for row in rows):
            yield f"asked for and never tried: {task['id']} ({', '.join(row['state'] for row in rows)})"


def set_aside_only_after_its_crashes(evidence: Evidence) -> Iterator[str]:
    """What is set aside has taken its node with it as often as the limit says, and was run each time."""
    for (event, moment), rows in evidence.occurrences.items():
        crashes = sum(_crashed(row) for row in rows)
        if rows[-1]["reason"] == "CRASH_LIMIT" and crashes < CRASH_LIMIT:
            yield f"set aside after {crashes} crashes: {event} at {moment}"


def _crashed(row: Row) -> bool:
    return row["state"] == "lost" or row["reason"] == "CRASH_LIMIT"
