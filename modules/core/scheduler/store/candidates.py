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
        e.name, e.module_id, e.parameters, e.policies, e.delivery, e.status AS task_status,
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
IN_LINE = """
    WITH RECURSIVE each_queue(queue) AS (
        SELECT min(queue) FROM scheduler_executions WHERE state = 'pending' AND line = 'ready'
        UNION ALL
        SELECT (SELECT min(x.queue) FROM scheduler_executions AS x
                WHERE x.state = 'pending' AND x.line = 'ready' AND x.queue > each_queue.queue)
        FROM each_queue WHERE each_queue.queue IS NOT NULL),
    each_function(queue, function_key) AS (
        SELECT each_queue.queue, (
            SELECT min(x.function_key) FROM scheduler_executions AS x
            WHERE x.state = 'pending' AND x.line = 'ready' AND x.queue = each_queue.queue)
        FROM each_queue WHERE each_queue.queue IS NOT NULL
        UNION ALL
        SELECT each_function.queue, (
            SELECT min(x.function_key) FROM scheduler_executions AS x
            WHERE x.state = 'pending' AND x.line = 'ready' AND x.queue = each_function.queue
                AND x.function_key > each_function.function_key)
        FROM each_function WHERE each_function.function_key IS NOT NULL)
    SELECT queue, function_key FROM each_function WHERE function_key IS NOT NULL"""


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


def in_line(c: Connection) -> dict[str, set[str]]:
    """Return the functions of those in line, by queue, by one look into the index for each."""
    functions: dict[str, set[str]] = {}
    for row in run(c, IN_LINE).rows:
        functions.setdefault(row.queue, set()).add(row.function_key)
    return functions
