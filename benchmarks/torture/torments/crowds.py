"""Crowds: many processes share one database, each with the same tasks, or each with something to write."""

from __future__ import annotations

import time

from benchmarks.torture.arena import Arena, Verdict
from benchmarks.torture.explained import OVERLAPPED
from benchmarks.torture.worker import LONG_LEASE, ask, every, one_time

NODES = 8


def share_every_second(arena: Arena, *, seconds: int, tasks: int = 5, nodes: int = NODES) -> Verdict:
    """Many nodes, and tasks that are due every second: each nominal time has one row, or is counted by one."""
    arena.schedule([every(f"each second {number}", 1, seconds) for number in range(tasks)])
    with arena.herd(settings={"lease": LONG_LEASE}) as herd:
        herd.start(nodes)
        arena.until_settled(2 * seconds + 60)
        codes = herd.stop()
    return arena.verdict(allowed={OVERLAPPED}, unclean_exits=sum(code != 0 for code in codes))


def write_and_ask(arena: Arena, *, seconds: float, writers: int = NODES) -> Verdict:
    """Many processes store and carry out tasks, while one more asks and stores: nobody is refused for a lock.

    The facts say how long the slowest commit but one in a hundred took, as who stores a task sees it.
    """
    took: list[float] = []
    tasks: list[str] = []

    async def look(scheduler: object) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            (await scheduler.list_tasks(status="running", limit=50)).unwrap()  # type: ignore[attr-defined]
            began = time.monotonic()
            stored = await scheduler.schedule_task(one_time(f"asked {len(tasks)}"))  # type: ignore[attr-defined]
            took.append(time.monotonic() - began)
            tasks.append(stored.unwrap()["task_id"])

    arena.schedule([one_time("first")])  # makes the tables, too
    with arena.herd(produce=round(seconds * 10), settings={"lease": LONG_LEASE}) as herd:
        herd.start(writers)
        arena.until_begun(1)
        ask(arena.asking_life(), look)
        arena.acknowledged |= dict.fromkeys(tasks)
        unclean = arena.finish(herd)
    took.sort()
    slowest = round(took[int(len(took) * 0.99)], 3)
    refused = (arena.folder / "log").read_text(errors="replace").count("is locked")
    return arena.verdict(unclean_exits=unclean, refused=refused, commits_seen=len(took), slowest_commit=slowest)
