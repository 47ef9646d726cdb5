"""How fast tasks are scheduled and carried out on SQLite, beside what raw SQLite can do at most in the same run."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sqlite3
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from framework import AppContext, Application, Module
from modules.core.scheduler import SchedulerService

BATCH = 500
WIDE = 250

Rates = dict[str, float]


class NothingToDo(Module):
    """Registers the function that does nothing."""

    id = "benchmarks.nothing"
    requires = ("core.scheduler",)

    @asynccontextmanager
    async def lifespan(self, app_context: AppContext) -> AsyncIterator[None]:
        """Register it."""
        app_context.get_service(SchedulerService).register_function(self.id, "nothing", nothing)
        yield


async def nothing() -> None:
    """Do nothing."""


def task(number: int) -> dict[str, object]:
    """Return the config of a one-time task that is due at once."""
    return {
        "name": f"Nothing {number}",
        "module_id": NothingToDo.id,
        "function_name": "nothing",
        "schedule_time": datetime(2026, 1, 1, tzinfo=UTC),
    }


async def measure(folder: Path, count: int, width: int) -> Rates:
    """Schedule `count` tasks in bulk and a tenth of that one by one, then carry all out, `width` at once."""
    settings: dict[str, dict[str, object]] = {
        "framework": {"data_dir": str(folder), "database_url": f"sqlite+aiosqlite:///{folder / 'scheduler.db'}"},
        "core.scheduler": {"enabled": False, "max_concurrent_tasks": width},
    }
    async with Application(modules=["core.scheduler", NothingToDo()], settings=settings) as app_context:
        scheduler = app_context.get_service(SchedulerService)
        started = time.perf_counter()
        for number in range(count // 10):
            (await scheduler.schedule_task(task(number))).unwrap()
        one_by_one = time.perf_counter()
        for first in range(0, count, BATCH):
            numbers = range(first, min(first + BATCH, count))
            (await scheduler.schedule_tasks([task(number) for number in numbers])).unwrap()
        in_bulk = time.perf_counter()
        await scheduler.run_due()
        drained = time.perf_counter()
        await check(scheduler)
    return {
        "one by one": count // 10 / (one_by_one - started),
        "in bulk": count / (in_bulk - one_by_one),
        "drain": (count + count // 10) / (drained - in_bulk),
    }


async def check(scheduler: SchedulerService) -> None:
    """Raise when anything was left undone: a rate of work that did not happen is no rate."""
    for status in ("pending", "running", "failed"):
        left = (await scheduler.list_tasks(status=status, module_id=NothingToDo.id, limit=1)).unwrap()["tasks"]
        if left:
            raise RuntimeError(f"a task is still {status} after the drain: {left[0]['id']}")


def measure_raw(folder: Path, count: int) -> Rates:
    """Do the writes that cannot be avoided, in the fewest transactions, with nothing around them."""
    with contextlib.closing(sqlite3.connect(folder / "raw.db", isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("CREATE TABLE jobs (id TEXT PRIMARY KEY, state TEXT, node TEXT, payload TEXT)")
        started = time.perf_counter()
        for number in range(count // 10):
            insert_raw(db, range(-1 - number, -number))
        one_by_one = time.perf_counter()
        for first in range(0, count, BATCH):
            insert_raw(db, range(first, min(first + BATCH, count)))
        in_bulk = time.perf_counter()
        for first in range(0, count, BATCH):
            ids = [(f"{number:08d}",) for number in range(first, min(first + BATCH, count))]
            for change in ("state = 'running', node = 'me'", "state = 'succeeded'"):
                db.execute("BEGIN IMMEDIATE")
                db.executemany(f"UPDATE jobs SET {change} WHERE id = ?", ids)
                db.execute("COMMIT")
        drained = time.perf_counter()
    return {
        "one by one": count // 10 / (one_by_one - started),
        "in bulk": count / (in_bulk - one_by_one),
        "drain": count / (drained - in_bulk),
    }


def insert_raw(db: sqlite3.Connection, numbers: range) -> None:
    """Insert one row for each number, in one transaction."""
    rows = [(f"{number:08d}", "pending", None, "{}") for number in numbers]
    db.execute("BEGIN IMMEDIATE")
    db.executemany("INSERT INTO jobs VALUES (?, ?, ?, ?)", rows)
    db.execute("COMMIT")


def report(title: str, ours: Rates, raw: Rates) -> None:
    """Print what was measured, per second, and its share of the raw limit."""
    print(title)
    for name, rate in ours.items():
        print(f"  {name:<12}{rate:>10,.0f}/s   raw SQLite {raw[name]:>10,.0f}/s   {rate / raw[name]:>7.2%} of it")


def main() -> None:
    """Measure with the default of ten executions at once, and with many."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="a few seconds, to see that it works; the numbers mean little"
    )
    parser.add_argument("--count", type=int, default=2_000, help="how many tasks are scheduled in bulk")
    arguments = parser.parse_args()
    count = 100 if arguments.quick else max(arguments.count, 10)
    with tempfile.TemporaryDirectory() as name:
        raw = measure_raw(Path(name), count)
    for width in (10, WIDE):
        with tempfile.TemporaryDirectory() as name:
            ours = asyncio.run(measure(Path(name), count, width))
        report(f"{count:,} tasks, {width} at once, WAL with synchronous=FULL", ours, raw)


if __name__ == "__main__":
    main()
