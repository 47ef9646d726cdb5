"""How fast old rows and files go, and how long who writes meanwhile has to wait."""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.children import Child, wait
from benchmarks.errors import BrokenError, SkippedError
from benchmarks.measures.measuring import Figures, order
from benchmarks.peers.peer import Order
from benchmarks.scale import Scale
from benchmarks.stores import Store

YOUNG = 10  # one of so many stays
A_FOLDER = 1_000
WEEK = 7 * 86_400
LONGEST = 1_800.0  # seconds until a cleanup counts as broken
BETWEEN = 0.002  # seconds between two writes

ON_SQLITE = (
    "CREATE TABLE items (id INTEGER PRIMARY KEY, at DATETIME NOT NULL, note TEXT NOT NULL)",
    (
        "INSERT INTO items WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n WHERE id < {count})"
        " SELECT id, strftime('%Y-%m-%d %H:%M:%f000', 'now', iif(id % {young} = 0, '0 days', '-7 days')),"
        " 'row ' || id || ' of a table that is not wide' FROM n"
    ),
)
ON_POSTGRES = (
    "CREATE TABLE items (id bigint PRIMARY KEY, at timestamptz NOT NULL, note text NOT NULL)",
    (
        "INSERT INTO items SELECT id, now() - CASE id % {young} WHEN 0 THEN interval '0' ELSE interval '7 days' END,"
        " 'row ' || id || ' of a table that is not wide' FROM generate_series(1, {count}) id"
    ),
)


def rows(peer: str, store: Store, scale: Scale) -> Figures:
    """Delete nine of ten rows, by an index on the date; ours and by hand a thousand in a transaction."""
    count = _fill(store, scale.rows)
    told = _cleaned(peer, order(store, f"rows|{peer}", count=count))
    _check(store, count)
    return _figures(told, count - count // YOUNG)


def rows_beside_writers(peer: str, store: Store, scale: Scale) -> Figures:
    """The same while somebody else writes single rows: how long a write takes, its own commit included."""
    count = _fill(store, scale.rows)
    store.rows("CREATE TABLE others (id INTEGER PRIMARY KEY, note TEXT)")
    told: dict[str, Any] = {}
    waits: list[float] = []
    with _beside(peer, order(store, f"rows|{peer}", count=count), told) as is_busy:
        while is_busy():
            began = time.perf_counter()
            store.rows(f"INSERT INTO others VALUES ({len(waits)}, 'a row')")
            waits.append(time.perf_counter() - began)
            wait(BETWEEN)
    _check(store, count)
    if not waits:
        raise BrokenError("nothing was written meanwhile")
    waits.sort()
    worst = {"longest write ms": waits[-1] * 1e3, "write p99 ms": waits[len(waits) * 99 // 100] * 1e3}
    return worst | {"per second": (count - count // YOUNG) / told["seconds"]}


def files(peer: str, _store: Store, scale: Scale) -> Figures:
    """Delete nine of ten files, a thousand in a folder, by their mtime."""
    with tempfile.TemporaryDirectory(prefix="benchmark-") as name:
        folder = Path(name) / "files"
        _make(folder, scale.files)
        told = _cleaned(peer, Order(role=f"files|{peer}", path=str(folder), count=scale.files))
        left = sum(len(names) for _, _, names in os.walk(folder))
    stays = len(range(0, scale.files, YOUNG))
    if left != stays:
        raise BrokenError(f"{left} files are left instead of {stays}")
    return _figures(told, scale.files - stays)


def _figures(told: dict[str, Any], deleted: int) -> Figures:
    found = {"per second": deleted / told["seconds"]}
    if "cpu" in told:
        found |= {"us CPU": told["cpu"] / deleted * 1e6, "MiB more": told["mib"]}
    return found


def _cleaned(peer: str, wanted: Order) -> dict[str, Any]:
    told: dict[str, Any] = {}
    with _beside(peer, wanted, told):
        pass
    return told


@contextmanager
def _beside(peer: str, wanted: Order, told: dict[str, Any]) -> Iterator[Any]:
    """Let a process clean; yield what tells whether it still does; fill `told` with its answer."""
    child = Child(peer, wanted, program="cleaning")
    failures: list[BrokenError] = []

    def hear() -> None:
        try:
            told.update(child.hear(LONGEST))
        except BrokenError as error:
            failures.append(error)

    try:
        child.tell("go")
        hearing = threading.Thread(target=hear)
        hearing.start()
        try:
            yield hearing.is_alive
        finally:
            hearing.join()
    finally:
        child.close()
    if failures:
        raise failures[0]
    if "missing" in told:
        raise SkippedError(f"it cannot be run here: {told['missing']}")


def _fill(store: Store, count: int) -> int:
    if store.is_sqlite:
        store.rows("PRAGMA journal_mode = WAL")
        store.rows(f"PRAGMA synchronous = {store.synchronous}")
    for statement in ON_SQLITE if store.is_sqlite else ON_POSTGRES:
        store.rows(statement.format(count=count, young=YOUNG))
    store.rows("CREATE INDEX items_at ON items (at)")
    store.settle()
    return count


def _check(store: Store, count: int) -> None:
    left = store.value("SELECT count(*) FROM items")
    if left != count // YOUNG:
        raise BrokenError(f"{left} rows are left instead of {count // YOUNG}")


def _make(folder: Path, count: int) -> None:
    past = time.time() - WEEK
    for number in range(count):
        if number % A_FOLDER == 0:
            inner = folder / str(number // A_FOLDER)
            inner.mkdir(parents=True)
        path = f"{inner}/{number}"
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY))
        if number % YOUNG:
            os.utime(path, (past, past))
