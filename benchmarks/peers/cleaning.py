"""Deletes what is old, rows of a table or files below a folder: ours, by hand, and by the tools for it."""

from __future__ import annotations

import asyncio
import logging
import os
import resource
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.peers.peer import Order
from benchmarks.peers.serving import answer_once

BATCH = 1_000
DAYS = 1
OLD = "SELECT id FROM items WHERE at < {moment} ORDER BY at LIMIT {batch}"

Told = dict[str, Any]


def clean(order: Order) -> Told:
    """Delete rows, or files where the role names a folder: `{"seconds", "cpu"}`, and `mib` of a Python process."""
    what, _, who = order.role.partition("|")
    return {"rows": _rows, "files": _files}[what](order, who)


def _rows(order: Order, who: str) -> Told:
    if who == "chamberlain":
        url = f"sqlite+aiosqlite:///{order.path}" if order.path else order.dsn
        config = {"table_name": "items", "date_column": "at", "max_age": f"{DAYS} days", "batch_size": BATCH}
        return asyncio.run(_ours(order, url, "", config | {"count_kept": False, "shrink": False}))
    if order.path:
        return _timed(lambda: _by_hand_on_sqlite(order))
    return asyncio.run(_by_hand_on_postgres(order))


def _by_hand_on_sqlite(order: Order) -> None:
    db = sqlite3.connect(order.path, isolation_level=None, timeout=30)
    db.execute(f"PRAGMA synchronous = {order.synchronous}")
    moment = (datetime.now(UTC) - timedelta(days=DAYS)).strftime("%Y-%m-%d %H:%M:%S.%f")
    statement = f"DELETE FROM items WHERE id IN ({OLD.format(moment='?', batch=BATCH)})"
    while db.execute(statement, (moment,)).rowcount:
        pass
    db.close()


async def _by_hand_on_postgres(order: Order) -> Told:
    import asyncpg

    db = await asyncpg.connect(order.dsn)
    moment = datetime.now(UTC) - timedelta(days=DAYS)
    statement = await db.prepare(f"DELETE FROM items WHERE id IN ({OLD.format(moment='$1', batch=BATCH)}) RETURNING 1")

    async def work() -> None:
        while await statement.fetch(moment):
            pass

    told = await _awaited(work)
    await db.close()
    return told


def _files(order: Order, who: str) -> Told:
    folder = Path(order.path)
    if who == "chamberlain":
        url = f"sqlite+aiosqlite:///{folder.parent / 'store.db'}"
        config = {"directory": str(folder), "recursive": True, "max_age": f"{DAYS} days", "age_by": "mtime"}
        return asyncio.run(_ours(order, url, str(folder.parent), config))
    if who == "os.walk":
        return _timed(lambda: _by_hand(folder))
    program = shutil.which(who)
    if program is None:
        return {"missing": who}
    rules = folder.parent / "tmpfiles.conf"
    rules.write_text(f"e {folder} - - - m:{DAYS}d\n")
    tmpfiles = [program, "--clean", str(rules)]
    command = [program, str(folder), "-type", "f", "-mtime", f"+{DAYS}", "-delete"] if who == "find" else tmpfiles
    began = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        return {"missing": f"{who}: {done.stderr.strip()[-200:]}"}
    return {"seconds": time.perf_counter() - began}


def _by_hand(folder: Path) -> None:
    limit = time.time() - DAYS * 86_400
    for path, _, names in os.walk(folder):
        for name in names:
            file = os.path.join(path, name)  # noqa: PTH118  # as such a cleaner is written
            if os.lstat(file).st_mtime < limit:
                os.unlink(file)  # noqa: PTH108


async def _ours(order: Order, url: str, data: str, config: dict[str, Any]) -> Told:
    from framework import Application
    from modules.core.scheduler import SchedulerService

    logging.disable(logging.WARNING)
    framework = {"database_url": url, "data_dir": data or ".", "sqlite_synchronous": order.synchronous}
    settings: dict[str, Any] = {"framework": framework, "core.scheduler": {"enabled": False}}
    async with Application(modules=["core.scheduler"], settings=settings) as app_context:
        scheduler = app_context.get_service(SchedulerService)
        (await scheduler.register_cleanup_task("benchmarks.cleaning", "old", config)).unwrap()

        async def work() -> None:
            (await scheduler.run_cleanup("old")).unwrap()

        return await _awaited(work)


def _timed(work: Callable[[], None]) -> Told:
    began, cpu, peak = time.perf_counter(), time.process_time(), _peak()
    work()
    return {"seconds": time.perf_counter() - began, "cpu": time.process_time() - cpu, "mib": _peak() - peak}


async def _awaited(work: Callable[[], Awaitable[None]]) -> Told:
    began, cpu, peak = time.perf_counter(), time.process_time(), _peak()
    await work()
    return {"seconds": time.perf_counter() - began, "cpu": time.process_time() - cpu, "mib": _peak() - peak}


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    answer_once(clean)
