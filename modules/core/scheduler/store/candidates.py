"""The beginnings of the lines in the database: who may be claimed, and which functions are in line at all."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Row

from framework.database import run

FIRST = float("-inf")  # before every rank
FUNCTIONS_AT_ONCE = 100  # of one statement: SQLite takes 500 parts at most
OF_QUEUE = "x.queue = :queue AND x.rank >= :rank AND x.function_key IN (:functions)"
CANDIDATES = f"""
    SELECT x.id, x.event_id, x.scheduled_for, x.attempt, x.origin, x.function_key, x.queue, x.limit_key, x.slots,
        x.open_key, x.payload, x.missed_count, x.missed_since, x.retries_used, x.crashes, x.rank,
        e.name, e.module_id, e.parameters, e.policies, e.delivery, e.status AS task_status, e.recurring,
        coalesce(x.traceparent, e.traceparent) AS traceparent
    FROM scheduler_executions AS x JOIN scheduler_events AS e ON e.id = x.event_id
    WHERE x.state = 'pending' AND x.line = 'ready' AND {OF_QUEUE}
    ORDER BY x.rank, x.id LIMIT :most FOR UPDATE OF x SKIP LOCKED"""
HARMLESS = CANDIDATES.replace("ORDER BY", "AND x.crashes < :crashes_below ORDER BY")
# `state || ''`: else PostgreSQL may look ids up among all that is and was open, dead rows and all.
AMONG = CANDIDATES.replace(OF_QUEUE, "x.id IN (:ids)").replace("x.state", "x.state || ''")
FIRST_OF = """
    SELECT * FROM (
        SELECT x.rank, x.id FROM scheduler_executions AS x
        WHERE x.state = 'pending' AND x.line = 'ready' AND x.queue = :queue AND x.function_key = :{name}
            AND x.rank >= :rank
        ORDER BY x.rank, x.id LIMIT :most) AS {name}"""
# One walk along the index, which is dear where it is full of dead entries: each next one is sought behind the last.
IN_LINE = """
    WITH RECURSIVE first_of_each(queue, function_key, rank) AS (
        SELECT * FROM (
            SELECT queue, function_key, rank FROM scheduler_executions
            WHERE state = 'pending' AND line = 'ready' ORDER BY queue, function_key, rank LIMIT 1) AS first
        UNION ALL
        SELECT x.queue, x.function_key, x.rank FROM first_of_each JOIN scheduler_executions AS x ON x.id = coalesce((
            SELECT n.id FROM scheduler_executions AS n
            WHERE n.state = 'pending' AND n.line = 'ready'
                AND n.queue = first_of_each.queue AND n.function_key > first_of_each.function_key
            ORDER BY n.function_key, n.rank LIMIT 1), (
            SELECT n.id FROM scheduler_executions AS n
            WHERE n.state = 'pending' AND n.line = 'ready' AND n.queue > first_of_each.queue
            ORDER BY n.queue, n.function_key, n.rank LIMIT 1)))
    SELECT queue, function_key, rank FROM first_of_each"""


def candidates(
    c: Connection, queue: str, functions: Collection[str], below: int | None, limit: int, rank: float = FIRST
) -> Sequence[Row[Any]]:
    """Return the first in line of a queue that this node can run, with what their task says, locked against others.

    Of those from a rank on, and that have crashed less than `below` times. Their moments are as the driver has them.
    """
    if not functions:
        return []
    text, of = (CANDIDATES, {}) if below is None else (HARMLESS, {"crashes_below": below})
    return run(c, text, queue=queue, functions=functions, most=limit, rank=rank, **of).rows


def candidates_among(c: Connection, ids: Collection[str], limit: int) -> Sequence[Row[Any]]:
    """Return, of these rows, the first in line, in the same way."""
    return run(c, AMONG, ids=ids, most=limit).rows if ids else []


def first_of(
    c: Connection, queue: str, functions: Iterable[str], below: int | None, limit: int, rank: float = FIRST
) -> list[str]:
    """Return the ids of the first in line of a queue for some functions, whatever others stand between; locks none."""
    found: list[tuple[float, str]] = []
    names = sorted(functions)
    for first in range(0, len(names), FUNCTIONS_AT_ONCE):
        of = {f"f{number}": name for number, name in enumerate(names[first : first + FUNCTIONS_AT_ONCE])}
        scalars = {"queue": queue, "most": limit, "rank": rank} | ({} if below is None else {"crashes_below": below})
        text = _first_of(len(of), harmless=below is not None)
        found += [(row.rank, row.id) for row in run(c, text, **of, **scalars).rows]
    return [row_id for _, row_id in sorted(found)[:limit]]


@lru_cache(maxsize=2 * FUNCTIONS_AT_ONCE)
def _first_of(count: int, *, harmless: bool) -> str:
    one = FIRST_OF.replace("ORDER BY", "AND x.crashes < :crashes_below ORDER BY") if harmless else FIRST_OF
    return " UNION ALL ".join(one.format(name=f"f{number}") for number in range(count))


def in_line(c: Connection) -> dict[str, dict[str, float]]:
    """Return the functions of those in line, by queue, each with the rank of its first, by one look for each."""
    functions: dict[str, dict[str, float]] = {}
    for row in run(c, IN_LINE).rows:
        functions.setdefault(row.queue, {})[row.function_key] = row.rank
    return functions
