"""Overdue: a start after a long silence, with everything due at once."""

from __future__ import annotations

import time

from benchmarks.torture.arena import Arena, Verdict
from benchmarks.torture.evidence import Evidence
from benchmarks.torture.herd import until
from benchmarks.torture.worker import LONG_LEASE, ask, every, one_time

LIMIT = 5


def boot_with_many_overdue(arena: Arena, *, tasks: int, recurring: int, nodes: int = 2) -> Verdict:
    """Start nodes on so many overdue tasks: each runs once, never more at once than each node's limit allows."""
    slept_through = [every(f"recurring {number}", 1, 1) for number in range(recurring)]
    arena.schedule([*slept_through, *[one_time(f"task {number}") for number in range(tasks)]])
    time.sleep(1.1)  # every recurring task is overdue now
    with arena.herd(settings={"max_concurrent_tasks": LIMIT, "lease": LONG_LEASE}) as herd:
        herd.start(nodes)
        answers = _answer_times(arena)
        arena.until_settled()
        codes = herd.stop()
    found = arena.evidence()
    busiest = max(_busiest(found).values(), default=0)
    answers.sort()
    return arena.verdict(
        unclean_exits=sum(code != 0 for code in codes),
        busiest_node=busiest,
        limit=LIMIT,
        slowest_answer=round(answers[int(len(answers) * 0.99)], 3),
    )


def _answer_times(arena: Arena) -> list[float]:
    """Return how long each list of tasks took, in seconds, while the nodes worked off what was overdue."""
    answers: list[float] = []

    async def look(scheduler: object) -> None:
        def is_done() -> bool:
            return arena.ledger.count("end") >= len(arena.acknowledged) * 0.9

        for _ in range(200):
            began = time.monotonic()
            (await scheduler.list_tasks(status="running", limit=50)).unwrap()  # type: ignore[attr-defined]
            answers.append(time.monotonic() - began)
            if is_done():
                return
            time.sleep(0.02)  # noqa: ASYNC251  # nothing else runs in this process

    until(lambda: arena.ledger.count("start") > 0, 30, what="the first run")
    ask(arena.asking_life(), look)
    return answers


def _busiest(found: Evidence) -> dict[int, int]:
    """Return for each process how many of its runs went on at the same time at most."""
    changes = [(entry.tick, 1 if entry.what == "start" else -1, entry.pid) for entry in found.ledger]
    now: dict[int, int] = {}
    most: dict[int, int] = {}
    for _, change, pid in sorted(changes):
        now[pid] = now.get(pid, 0) + change
        most[pid] = max(most.get(pid, 0), now[pid])
    return most
