"""What lies before a turn, in one look: a turn with nothing to do asks hardly anything else."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import Connection

from framework.database import read_moment, run

LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)
SOONEST = """
    SELECT next_execution FROM scheduler_events
    WHERE status = 'pending' AND next_execution IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM scheduler_pauses WHERE scope IN ('*', scheduler_events.module_id))
    ORDER BY next_execution LIMIT 1"""
LATER = "SELECT min(due_at) FROM scheduler_executions WHERE state = 'pending' AND line = 'later'"
ASKED = """
    SELECT 1 FROM scheduler_executions
    WHERE state = 'running' AND cancel_requested_at IS NOT NULL AND node_id = :node_id LIMIT 1"""
OUTLOOK = f"""
    SELECT ({SOONEST}) AS soonest, ({LATER}) AS later, ({ASKED}) AS asked,
        (SELECT 1 FROM scheduler_pauses LIMIT 1) AS pauses, (SELECT 1 FROM scheduler_queue_limits LIMIT 1) AS limits"""
FROM_THERE_ON = (
    ("next_execution IS NOT NULL", "next_execution IS NOT NULL AND next_execution >= :since"),
    ("line = 'later'", "line = 'later' AND due_at >= :since"),
)

UNATTENDED = """
    SELECT (SELECT 1 FROM scheduler_executions WHERE state = 'running' LIMIT 1) AS running,
        (SELECT 1 FROM scheduler_executions WHERE state = 'pending' AND line = 'ready' LIMIT 1) AS ready,
        (SELECT 1 FROM scheduler_executions WHERE state = 'pending' AND line = 'held' LIMIT 1) AS held"""


class Outlook(NamedTuple):
    """When the first task is or was due, and the first row that waits for its time; None where there is none.

    A row that does not say counts as due long ago: it must not hide the others. `is_asked` tells whether somebody wants
    an execution of the node ended, `is_held` whether anything is held back, `is_limited` whether any queue has a limit.
    """

    soonest: datetime | None
    later: datetime | None
    is_asked: bool
    is_held: bool
    is_limited: bool


def look(c: Connection, node_id: str, since: datetime | None = None) -> Outlook:
    """Return what lies before a node; of tasks and of rows that wait, with a moment, from then on."""
    seen = _run(c, OUTLOOK, since, node_id=node_id).rows[0]
    told = (value is not None for value in (seen.asked, seen.pauses, seen.limits))
    return Outlook(_when(seen.soonest), _when(seen.later), *told)


def is_anything_open(c: Connection) -> bool:
    """Whether anything runs, or waits for something else than its time."""
    return any(value is not None for value in run(c, UNATTENDED).rows[0])


def next_in_line(c: Connection, since: datetime | None = None) -> datetime | None:
    """Return the next moment at which a row gets in line, of those from a moment on."""
    return _when(_run(c, LATER, since).scalar())


def _run(c: Connection, statement: str, since: datetime | None, **scalars: Any) -> Any:
    if since is None:
        return run(c, statement, **scalars)
    return run(c, _from_there_on(statement), since=since, **scalars)


@lru_cache
def _from_there_on(statement: str) -> str:
    for each, from_there_on in FROM_THERE_ON:
        statement = statement.replace(each, from_there_on)
    return statement


def _when(value: Any) -> datetime | None:
    return None if value is None else read_moment(value) or LONG_AGO
