"""What the database itself allows: the writes that cannot be avoided, into the scheduler's own tables."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable, Iterator
from typing import Any

from benchmarks.peers.peer import Order
from benchmarks.peers.serving import answer_once

BATCH = 1_000
CLAIM = 100
TAKE = "UPDATE scheduler_executions SET state = 'running', node_id = 'raw', start_time = created_at WHERE id"
END = (
    "UPDATE scheduler_executions SET state = 'succeeded', success = {true}, end_time = created_at, result = 'null'"
    " WHERE id"
)
SAMPLE = {
    "scheduler_events": "SELECT * FROM scheduler_events WHERE module_id = 'benchmarks.recording'",
    "scheduler_executions": "SELECT * FROM scheduler_executions",
}
PENDING = "SELECT id FROM scheduler_executions WHERE state = 'pending' ORDER BY id LIMIT {limit}"


def limits(order: Order) -> dict[str, Any]:
    """Return rates a second: rows committed one by one, rows in batches, executions claimed and ended in batches."""
    return on_sqlite(order) if order.path else asyncio.run(on_postgres(order))


def rated(count: int, seconds: float, work: Callable[[], Any], size: int) -> float:
    """Call `work` until it has done `count` or the time is over; return how many a second."""
    began, done = time.perf_counter(), 0
    while done < count and time.perf_counter() - began < seconds:
        work()
        done += size
    return done / (time.perf_counter() - began)


def copies(row: tuple[Any, ...], changed: dict[int, Callable[[int], Any]]) -> Iterator[tuple[Any, ...]]:
    """Yield copies of a row without end, with some columns made from a running number."""
    number = 0
    while True:
        copy = list(row)
        for column, make in changed.items():
            copy[column] = make(number)
        number += 1
        yield tuple(copy)


def changes(names: list[str]) -> dict[int, Callable[[int], Any]]:
    """Return what makes a copy of this row another row."""
    made: dict[str, Callable[[int], Any]] = {
        "id": lambda number: f"raw-{number:012d}",
        "attempt": lambda number: number + 2,
        "state": lambda _: "pending",
        "success": lambda _: None,
        "end_time": lambda _: None,
    }
    return {names.index(name): make for name, make in made.items() if name in names}


def on_sqlite(order: Order) -> dict[str, float]:
    """Measure with the standard library's driver."""
    db = sqlite3.connect(order.path, isolation_level=None)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute(f"PRAGMA synchronous = {order.synchronous}")

    def rows_of(table: str) -> tuple[str, Iterator[tuple[Any, ...]]]:
        cursor = db.execute(f"{SAMPLE[table]} LIMIT 1")
        names = [column[0] for column in cursor.description]
        statement = f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"
        return statement, copies(cursor.fetchone(), changes(names))

    def store(statement: str, rows: Iterator[tuple[Any, ...]], size: int) -> None:
        db.execute("BEGIN IMMEDIATE")
        db.executemany(statement, [next(rows) for _ in range(size)])
        db.execute("COMMIT")

    def cycle() -> None:
        db.execute("BEGIN IMMEDIATE")
        taken = db.execute(f"{TAKE} IN ({PENDING.format(limit=CLAIM)}) RETURNING id").fetchall()
        db.execute("COMMIT")
        db.execute("BEGIN IMMEDIATE")
        ids = [row[0] for row in taken]
        db.execute(f"{END.format(true=1)} IN ({', '.join('?' * len(ids))})", ids)
        db.execute("COMMIT")

    event, events = rows_of("scheduler_events")
    execution, executions = rows_of("scheduler_executions")
    one = rated(order.count, order.seconds, lambda: store(event, events, 1), 1)
    many = rated(order.count, order.seconds, lambda: store(event, events, BATCH), BATCH)
    for _ in range(0, order.count, BATCH):
        store(execution, executions, BATCH)
    cycles = rated(order.count, order.seconds, cycle, CLAIM)
    return {"commits": one, "batched": many, "cycles": cycles}


async def on_postgres(order: Order) -> dict[str, float]:
    """Measure with asyncpg on one connection."""
    import asyncpg

    db = await asyncpg.connect(order.dsn)
    names, events = await _rows_of(db, "scheduler_events")
    places = ", ".join(f"${number + 1}" for number in range(len(names)))
    insert = await db.prepare(f"INSERT INTO scheduler_events ({', '.join(names)}) VALUES ({places})")
    one = await _timed(order, 1, lambda: insert.fetch(*next(events)))
    many = await _timed(order, BATCH, lambda: _copy(db, "scheduler_events", names, events))
    columns, executions = await _rows_of(db, "scheduler_executions")
    for _ in range(0, order.count, BATCH):
        await _copy(db, "scheduler_executions", columns, executions)
    await db.execute("ANALYZE scheduler_executions")
    taken = f"{PENDING.format(limit=CLAIM)} FOR UPDATE SKIP LOCKED"
    claiming = await db.prepare(f"{TAKE} = ANY (ARRAY({taken})) RETURNING id")
    ending = await db.prepare(f"{END.format(true='true')} = ANY ($1::text[])")

    async def cycle() -> None:
        await ending.fetch([row[0] for row in await claiming.fetch()])

    cycles = await _timed(order, CLAIM, cycle)
    await db.close()
    return {"commits": one, "batched": many, "cycles": cycles}


async def _timed(order: Order, size: int, work: Callable[[], Any]) -> float:
    began, done = time.perf_counter(), 0
    while done < order.count and time.perf_counter() - began < order.seconds:
        await work()
        done += size
    return done / (time.perf_counter() - began)


async def _rows_of(db: Any, table: str) -> tuple[list[str], Iterator[tuple[Any, ...]]]:
    row = await db.fetchrow(f"{SAMPLE[table]} LIMIT 1")
    names = list(row.keys())
    return names, copies(tuple(row), changes(names))


async def _copy(db: Any, table: str, columns: list[str], rows: Iterator[tuple[Any, ...]]) -> None:
    records = [next(rows) for _ in range(BATCH)]
    await db.copy_records_to_table(table, columns=columns, records=records)


if __name__ == "__main__":
    answer_once(limits)
