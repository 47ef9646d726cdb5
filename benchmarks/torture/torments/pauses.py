"""Pauses: a process that stands still for longer than its lease, from outside (SIGSTOP) or by blocking its own loop."""

from __future__ import annotations

from functools import partial
from multiprocessing.process import BaseProcess

from benchmarks.torture.arena import Arena, Verdict
from benchmarks.torture.explained import LOST
from benchmarks.torture.herd import Herd, until
from benchmarks.torture.worker import LEASE, one_time


def freeze_past_the_lease(arena: Arena, *, times: int, tasks: int = 40, seconds: float = 0.25) -> Verdict:
    """SIGSTOP one of two nodes while it works, until the other has taken over; then SIGCONT, and it wants to go on."""
    with arena.herd(settings={"max_concurrent_tasks": 5}) as herd:
        herd.start(2)
        for number in range(times):
            arena.schedule([one_time(f"{number}.{each}", parameters={"seconds": seconds}) for each in range(tasks)])
            lost = arena.states()["lost"]
            victim = _freeze_a_busy_one(arena, herd)
            until(partial(_has_lost_more, arena, lost), 20 * LEASE, what="the other node to take over")
            herd.thaw(victim)
            arena.until_settled()
        codes = herd.stop()
    return arena.verdict(allowed={LOST}, freezes=times, unclean_exits=sum(code != 0 for code in codes))


def _freeze_a_busy_one(arena: Arena, herd: Herd) -> BaseProcess:
    """Stop a node in the midst of its work: one that has ended it meanwhile is let go, for it has nothing to lose."""
    while True:
        until(lambda: bool(_busy(arena, herd)), 30, what="a node to work")
        victim = arena.chance.choice(_busy(arena, herd) or herd.living)
        herd.freeze(victim)
        if victim in _busy(arena, herd):
            return victim
        herd.thaw(victim)


def _has_lost_more(arena: Arena, lost: int) -> bool:
    return arena.states()["lost"] > lost


def _busy(arena: Arena, herd: Herd) -> list[BaseProcess]:
    """Return the processes in which something runs at this moment."""
    running = {row["id"] for row in arena.evidence().rows if row["state"] == "running"}
    at_work = {entry.pid for entry in arena.ledger.entries() if entry.what == "start" and entry.execution in running}
    return [process for process in herd.living if process.pid in at_work]


def block_the_loop(arena: Arena, *, times: int, leases: float = 3) -> Verdict:
    """Hold up the event loop of each node for several leases; a node that is busy is not dead, so nothing is lost."""
    blocking = [one_time(f"block {number}", "block", parameters={"seconds": leases * LEASE}) for number in range(times)]
    others = [one_time(f"task {number}") for number in range(20 * times)]
    arena.schedule([*blocking, *others])
    with arena.herd(settings={"max_concurrent_tasks": 3}) as herd:
        herd.start(2)
        arena.until_settled(5 * LEASE * times + 60)
        codes = herd.stop()
    return arena.verdict(blocked=times, unclean_exits=sum(code != 0 for code in codes))
