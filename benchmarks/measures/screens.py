"""How long the dashboard's pages take, with very many tasks and executions stored."""

from __future__ import annotations

import asyncio
import queue
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.environments import OURS
from benchmarks.errors import BrokenError
from benchmarks.measures.drain import columns_of, copy_tasks, run_all
from benchmarks.measures.measuring import Figures, fill
from benchmarks.scale import Scale
from benchmarks.stores import Store

TIMES = 5
PATIENCE = 300.0  # seconds until the server counts as broken
MOMENTS = ("scheduled_for", "due_at", "start_time", "end_time", "created_at")
OF_EACH_TASK = 86_400  # seconds between two executions of a task
FAILING = 50  # one of so many

# What each screen shows first; those of one task and one execution are added.
PAGES = (
    "/",
    "/tasks",
    "/tasks?search=record",
    "/executions",
    "/executions?state=failed",
    "/failures",
    "/failures?window=7d",
)
OF_ONE = ("/tasks/copy-000000000001", "/executions/run-000000000000")
MORE = ("/timeline", "/cleanups", "/nodes", "/modules", "/settings", "/audit")


def screens(_peer: str, store: Store, scale: Scale) -> Figures:
    """Ask for every page, after a commit each time; return the middle of the slowest page, and which one that is."""
    fill(OURS, store, count=1)
    run_all(OURS, store, 1, scale.seconds, width=1)
    copy_tasks(store, scale.shown_tasks)
    copy_executions(store, scale.shown_tasks, scale.shown_executions)
    with _served(store) as url:
        taken = {page: _asked(store, url + page) for page in (*PAGES, *MORE, *OF_ONE)}
    return {"slowest page ms": max(taken.values()), **{f"{page} ms": taken[page] for page in sorted(taken)}}


def copy_executions(store: Store, tasks: int, count: int) -> None:
    """Copy the one stored execution so many times, spread over the copied tasks and over the days before now."""
    columns = columns_of(store, "scheduler_executions")
    if store.is_sqlite:
        source = (
            f"(WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {count - 1}) SELECT i FROM n)"
        )
        pattern, ago = "printf('{}-%012d', {})", "strftime('%Y-%m-%d %H:%M:%f000', 'now', '-' || ({}) || ' seconds')"
    else:
        source, pattern = f"generate_series(0::bigint, {count - 1}) AS n(i)", "'{}-' || lpad(({})::text, 12, '0')"
        ago = "now() - make_interval(secs => {})"
    moment = ago.format(f"i / {tasks} * {OF_EACH_TASK} + i % {tasks} * {OF_EACH_TASK} / {tasks}")
    changed = {
        "id": pattern.format("run", "i"),
        "event_id": pattern.format("copy", f"i % {tasks} + 1"),
        "state": f"CASE WHEN i % {FAILING} = 0 THEN 'failed' ELSE 'succeeded' END",
        **dict.fromkeys(MOMENTS, moment),
    }
    shown = ", ".join(changed.get(column, f"one.{column}") for column in columns)
    one = "(SELECT * FROM scheduler_executions LIMIT 1) AS one"
    store.rows(f"INSERT INTO scheduler_executions ({', '.join(columns)}) SELECT {shown} FROM {source} CROSS JOIN {one}")
    _sum_up(store)
    store.rows("ANALYZE")
    store.settle()


def _sum_up(store: Store) -> None:
    """Let all but the newest half minute count as summed up, as it is where a node carries out."""
    ago = "strftime('%Y-%m-%d %H:%M:%f000', 'now', '-30 seconds')"
    ago = ago if store.is_sqlite else "now() - interval '30 seconds'"
    store.rows("DELETE FROM scheduler_rollup_position")
    store.rows(f"INSERT INTO scheduler_rollup_position (id, end_time, execution_id) VALUES (1, {ago}, '')")


@contextmanager
def _served(store: Store) -> Iterator[str]:
    """Serve the pages from a thread of their own; yields their URL."""
    up: queue.Queue[str] = queue.Queue()
    asked = threading.Event()
    server = threading.Thread(target=lambda: asyncio.run(_serve(store, up, asked)))
    server.start()
    try:
        yield up.get(timeout=PATIENCE)
    except queue.Empty:
        raise BrokenError("the server did not start") from None
    finally:
        asked.set()
        server.join()


async def _serve(store: Store, up: queue.Queue[str], asked: threading.Event) -> None:
    from framework import Application
    from framework.web.serving import serving
    from framework.web.sockets import listen

    url = f"sqlite+aiosqlite:///{store.path}" if store.is_sqlite else store.dsn
    folder = str(Path(store.path).parent) if store.is_sqlite else "."
    settings: dict[str, Any] = {
        "framework": {"database_url": url, "data_dir": folder, "sqlite_synchronous": store.synchronous},
        "core.scheduler": {"enabled": False},
    }
    async with (
        Application(modules=["core.scheduler"], settings=settings) as app_context,
        serving(app_context, listen("127.0.0.1", 0)) as served,
    ):
        up.put(served)
        await asyncio.to_thread(asked.wait)


def _asked(store: Store, address: str) -> float:
    """Return the middle of some times, in milliseconds; what was answered before is never the answer again."""
    times = []
    for _ in range(TIMES):
        store.rows("UPDATE scheduler_events SET priority = priority WHERE id = 'copy-000000000001'")
        began = time.perf_counter()
        _read(address)
        times.append(time.perf_counter() - began)
    return median(times) * 1_000


def _read(address: str) -> None:
    try:
        with urllib.request.urlopen(address, timeout=60) as answer:
            answer.read()
    except OSError as error:
        raise BrokenError(f"{address}: {error}") from error
