"""How many lists of tasks are answered over HTTP, with very many stored, while executions run."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import Iterator
from itertools import cycle
from urllib.parse import quote, urlsplit

from benchmarks.children import Child, wait
from benchmarks.environments import OURS
from benchmarks.errors import BrokenError
from benchmarks.measures.drain import copy_tasks, run_all
from benchmarks.measures.measuring import Figures, fill, order, quantiles
from benchmarks.scale import Scale
from benchmarks.stores import Store

RATE = 1_000  # executions a second beside it
WIDTH = 100
CLIENTS = 16  # connections, each of which asks again as soon as it has been answered
PAGES = 500  # different ones, so that few answers are given twice
LIMIT = 20
LIST = f"/api/v1/scheduler/tasks?limit={LIMIT}"
WARM_UP = 1.0


def rest(_peer: str, store: Store, scale: Scale) -> Figures:
    """Ask one process, which also executes, for pages all over the list.

    Returns requests a second, how long they took, and executions a second.
    """
    return _measured(store, scale, ("serve",))


def apart(_peer: str, store: Store, scale: Scale) -> Figures:
    """Do the same where one process serves and another executes."""
    return _measured(store, scale, ("web", "worker"))


def _measured(store: Store, scale: Scale, roles: tuple[str, ...]) -> Figures:
    fill(OURS, store, count=1)
    run_all(OURS, store, 1, scale.seconds, width=1)
    copy_tasks(store, scale.shown_tasks)
    store.rows("ANALYZE")
    paths = _pages(str(store.value("SELECT max(created_at) FROM scheduler_events")), scale.shown_tasks)
    children: list[Child] = []
    try:
        children.extend(Child(OURS, order(store, role, count=RATE, width=WIDTH), "rest") for role in roles)
        urls = [str(child.ask("go")["url"]) for child in children]
        wait(WARM_UP)
        for child in children:
            child.tell("begin")
        began = time.perf_counter()
        taken = asyncio.run(_ask_all(urls[0], paths, scale.seconds))
        asked = time.perf_counter() - began
        executed = sum(child.ask("end")["per second"] for child in children)
    finally:
        for child in children:
            child.close()
    times = {f"{name} ms": value * 1_000 for name, value in quantiles(taken).items()}
    return {"per second": len(taken) / asked, **times, "executions a second": executed}


def _pages(created_at: str, count: int) -> list[str]:
    """Return the addresses of pages that begin behind tasks all over the list, which were all created at once."""
    moment = created_at.replace(" ", "T") + ("" if "+" in created_at else "+00:00")
    behind = [f"copy-{1 + place * count // PAGES:012d}" for place in range(PAGES)]
    cursors = [base64.urlsafe_b64encode(json.dumps([moment, each]).encode()) for each in behind]
    return [LIST, *(f"{LIST}&cursor={quote(cursor.decode())}" for cursor in cursors)]


async def _ask_all(url: str, paths: list[str], seconds: float) -> list[float]:
    """Let every client ask until the time is over; return the seconds that each answer took."""
    ends = time.perf_counter() + seconds
    taken: list[float] = []
    each = len(paths) // CLIENTS
    clients = [_ask(url, cycle(paths[n * each :] + paths[: n * each]), ends, taken) for n in range(CLIENTS)]
    await asyncio.gather(*clients)
    return taken


async def _ask(url: str, paths: Iterator[str], ends: float, taken: list[float]) -> None:
    where = urlsplit(url)
    reader, writer = await asyncio.open_connection(where.hostname, where.port)
    while (began := time.perf_counter()) < ends:
        writer.write(f"GET {next(paths)} HTTP/1.1\r\nHost: {where.netloc}\r\n\r\n".encode())
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        await reader.readexactly(int(head.split(b"content-length: ")[1].split(b"\r\n")[0]))
        if not head.startswith(b"http/1.1 200"):
            raise BrokenError(f"a list was answered with {head.splitlines()[0].decode()}")
        taken.append(time.perf_counter() - began)
    writer.close()
