"""How fast stored tasks are carried out."""

from __future__ import annotations

import socket
import time
from http import HTTPStatus
from http.client import HTTPConnection

from benchmarks.children import PATIENCE, start, stop, workers
from benchmarks.emptiness import OF_OURS, look
from benchmarks.errors import BrokenError, SkippedError
from benchmarks.measures.measuring import (
    Figures,
    check_done,
    fill,
    order,
    quantiles,
    starts_of,
    until_drained,
)
from benchmarks.scale import Scale
from benchmarks.stores import Store

DAY = 86_400
ASK_EVERY = 0.1
LIST = "GET /tasks"
LONGER = 3  # a drain may take so many times as long as the filling


def drained(peer: str, store: Store, scale: Scale, *, width: int, processes: int = 1) -> Figures:
    """Run what another process stored; from the start of the worker until the store shows that no work is left."""
    count = fill(peer, store, count=scale.drain, seconds=scale.seconds)
    return run_all(peer, store, count, scale.seconds, width=width, processes=processes)


def recurring(peer: str, store: Store, scale: Scale) -> Figures:
    """The same with daily tasks whose time has just come: each is fired, run, recorded, and given its next time."""
    due = time.time() - 1
    count = fill(peer, store, "recurring", count=scale.recurring, seconds=3 * scale.seconds, due_from=due)
    make_due(store, due)
    return run_all(peer, store, count, scale.seconds, width=100)


def overdue(peer: str, store: Store, scale: Scale) -> Figures:
    """Start with many daily tasks that missed a week: each runs once, memory stays, HTTP answers meanwhile."""
    week_ago = time.time() - 7 * DAY
    fill(peer, store, "recurring", count=1, due_from=week_ago)
    count = copy_tasks(store, scale.overdue - 1) + 1
    make_due(store, week_ago)
    answers: list[float] = []
    port = _free_port()
    with workers(peer, order(store, "work", width=100, port=port)) as children:
        (first,) = start(children)
        asked, highest = time.time(), first["mib"]

        def ask() -> None:
            nonlocal asked, highest
            if time.time() - asked > ASK_EVERY:
                answers.append(_answer_time(port))
                highest = max(highest, children[0].ask("sample")["mib"])
                asked = time.time()

        end = until_drained(peer, store, children, count, scale.overdue_seconds, ask)
        starts = [at for words in stop(children) for _, at in words["starts"]]
    executions = store.value(f"SELECT count(*) FROM ({look_at_done(peer, store)}) AS done")
    if end.complete and not len(starts) == executions == count:
        raise BrokenError(f"{count} tasks were overdue, {len(starts)} runs were started, {executions} recorded")
    if not starts:
        raise SkippedError("nothing was run within the time")
    took = end.at - min(first["at"], *starts)
    waits = {f"{LIST} {name} ms": value * 1_000 for name, value in quantiles(answers or [0.0]).items() if name != "p50"}
    return {"per second": len(starts) / took, "MiB more": highest - first["mib"], **waits}


def _free_port() -> int:
    """Return a port of this machine that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _answer_time(port: int) -> float:
    """Ask for a page of tasks as a client of its own; return how long that took, in seconds."""
    began = time.perf_counter()
    client = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    client.request("GET", "/api/v1/scheduler/tasks?limit=10")
    answer = client.getresponse()
    answer.read()
    client.close()
    if answer.status != HTTPStatus.OK:
        raise BrokenError(f"a list was answered with {answer.status}")
    return time.perf_counter() - began


def look_at_done(peer: str, store: Store) -> str:
    """Return a query of the tasks that have a recorded end, each once."""
    done = look(peer, store).done or ""
    return done.replace("count(*)", "DISTINCT event_id")


def run_all(peer: str, store: Store, count: int, seconds: float, *, width: int, processes: int = 1) -> Figures:
    """Start workers, wait until all is done or the time is over, and check that each task was run, and once."""
    with workers(peer, order(store, "work", width=width), processes) as children:
        before = start(children)
        end = until_drained(peer, store, children, count, LONGER * seconds)
        after = [child.ask("sample") for child in children]
        starts = starts_of(stop(children))
    ran = sum(1 for at in starts.values() if end.complete or at <= end.at)
    if not ran:
        raise SkippedError("nothing was run within the time")
    if end.complete:
        if len(starts) != count:
            raise BrokenError(f"{count} tasks were stored and {len(starts)} were run")
        check_done(peer, store, count)
    began = min(*(told["at"] for told in before), *starts.values())
    took = max(end.at, max(starts.values()) if end.complete else end.at) - began
    cpu = sum(late["cpu"] - early["cpu"] for early, late in zip(before, after, strict=True))
    return {"per second": ran / took, "us CPU": cpu / max(sum(each["ran"] for each in after), 1) * 1e6}


def make_due(store: Store, moment: float) -> None:
    """Let every stored task of ours be due since this moment: scheduling a past one would ask for its next time."""
    if "scheduler_events" not in _tables(store):
        return
    at = f"strftime('%Y-%m-%d %H:%M:%f000', {moment}, 'unixepoch')" if store.is_sqlite else f"to_timestamp({moment})"
    store.rows(f"UPDATE scheduler_events SET next_execution = {at} WHERE {OF_OURS}")
    store.settle()


def copy_tasks(store: Store, count: int) -> int:
    """Copy the one stored task of ours so many times by SQL, each with an id of its own; return how many."""
    if count < 1:
        return 0
    columns = columns_of(store, "scheduler_events")
    if store.is_sqlite:
        numbers = f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) "
        name, source = "printf('copy-%012d', i)", "n"
    else:
        numbers, name, source = "", "'copy-' || lpad(i::text, 12, '0')", f"generate_series(1, {count}) AS n(i)"
    rest = ", ".join(column for column in columns if column != "id")
    one = f"(SELECT {rest} FROM scheduler_events WHERE {OF_OURS} LIMIT 1) AS one"
    store.rows(
        f"{numbers if store.is_sqlite else ''}INSERT INTO scheduler_events (id, {rest}) "
        f"SELECT {name}, {rest} FROM {source} CROSS JOIN {one}"
    )
    store.settle()
    return count


def _tables(store: Store) -> set[str]:
    catalogue = "sqlite_master" if store.is_sqlite else "pg_tables"
    return {row[0] for row in store.rows(f"SELECT {'name' if store.is_sqlite else 'tablename'} FROM {catalogue}")}


def columns_of(store: Store, table: str) -> list[str]:
    """Return the names of a table's columns."""
    if store.is_sqlite:
        return [row[1] for row in store.rows(f"PRAGMA table_info({table})")]
    sql = f"SELECT column_name FROM information_schema.columns WHERE table_name = '{table}'"
    return [row[0] for row in store.rows(sql)]
