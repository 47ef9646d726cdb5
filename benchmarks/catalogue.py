"""Every case: what is measured, on which store, with which peers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from benchmarks.environments import AT_HOME, CLEANERS, OURS, RAW
from benchmarks.measures import cleaning, cron, drain, enqueue, idle, limits, punctuality, rest, screens
from benchmarks.measures.measuring import Measure
from benchmarks.scale import Scale
from benchmarks.stores import FULL, NORMAL, POSTGRES

ON_SQLITE = ("huey", "apscheduler3", "flowrra", "dbos", "apscheduler4")
ON_POSTGRES = ("pgqueuer", "procrastinate", "apscheduler4")
ONE_PROCESS = {"apscheduler3", "flowrra"}  # a second worker on the same store would run tasks twice
ONE_PROCESS_ON_SQLITE = {"apscheduler4"}  # it has no way to tell another process of it
FIRST_ROUND_ONLY = {"apscheduler4", "dbos", "flowrra", "procrastinate"}  # far from the best: once is enough
NO_STORE = "no-store"


@dataclass(frozen=True, slots=True)
class Case:
    """One line or more of the table; `id` is how it is chosen on the command line."""

    id: str
    title: str
    store: str
    peers: tuple[str, ...]
    measure: Measure

    def is_measured(self, peer: str, turn: int) -> bool:
        """Whether a peer is measured in this round: what takes long or decides nothing is measured in the first one."""
        return turn == 0 or (peer not in FIRST_ROUND_ONLY and not self.id.startswith(("idle", "rest", "screens")))


def cases(scale: Scale) -> list[Case]:
    """Return every case, the database's own limits first."""
    found: list[Case] = []
    for store, peers in ((NORMAL, ON_SQLITE), (FULL, ON_SQLITE), (POSTGRES, ON_POSTGRES)):
        found += _of_store(store, (OURS, *peers))
        if store != FULL:
            found += _of_latency(store, (OURS, *peers), scale)
            found += _of_cleanups(store)
            found.append(Case(f"screens/{store}", "pages of the dashboard", store, (OURS,), screens.screens))
            found.append(Case(f"rest/{store}", "lists of tasks over HTTP", store, (OURS,), rest.rest))
            apart = "lists of tasks over HTTP, a process beside"
            found.append(Case(f"rest/apart/{store}", apart, store, (OURS,), rest.apart))
    libraries = (OURS, "cronsim", "croniter", "apscheduler3")
    found.append(Case("cron", "cron, next times a second", NO_STORE, libraries, cron.evaluations))
    found.append(Case("cleanup/files", "cleanup of files", NO_STORE, (OURS, *CLEANERS), cleaning.files))
    return found


def quick(every: Sequence[Case]) -> list[Case]:
    """Return what a quick run measures: every measure with ours, and that peers can be measured at all."""
    chosen = []
    for case in every:
        some = {*AT_HOME, *(("huey", "pgqueuer") if case.id.startswith("drain/c100/") else ())}
        if case.store != FULL and not case.id.startswith(("drain/c10/", "drain/c10w2/")):
            chosen.append(replace(case, peers=tuple(peer for peer in case.peers if peer in some)))
    return chosen


def _of_store(store: str, peers: tuple[str, ...]) -> list[Case]:
    alone = ONE_PROCESS if store == POSTGRES else ONE_PROCESS | ONE_PROCESS_ON_SQLITE
    several = tuple(peer for peer in peers if peer not in alone)
    asynchronous = tuple(peer for peer in peers if peer not in ("huey", "dbos"))
    with_bulk = tuple(peer for peer in peers if peer in (OURS, "pgqueuer", "procrastinate"))
    on_all = [
        Case(f"limits/{store}", "the database itself", store, (RAW,), limits.raw),
        Case(f"enqueue/one/{store}", "enqueue, one caller", store, peers, enqueue.one_by_one),
        Case(f"enqueue/callers/{store}", "enqueue, 100 callers", store, asynchronous, enqueue.from_many_callers),
        Case(f"enqueue/bulk/{store}", "enqueue in bulk", store, with_bulk, enqueue.in_bulk),
        Case(f"drain/c100/{store}", "drain, 100 at once", store, peers, partial(drain.drained, width=100)),
    ]
    if store == FULL:
        return on_all
    two = partial(drain.drained, width=100, processes=2)
    two_narrow = partial(drain.drained, width=10, processes=2)
    fast = tuple(peer for peer in several if peer not in FIRST_ROUND_ONLY)
    recurring = tuple(peer for peer in peers if peer in (OURS, "apscheduler3"))
    return [
        *on_all,
        Case(f"drain/c10/{store}", "drain, 10 at once", store, peers, partial(drain.drained, width=10)),
        Case(f"drain/c100w2/{store}", "drain, 100 at once, 2 workers", store, several, two),
        Case(f"drain/c10w2/{store}", "drain, 10 at once, 2 workers", store, fast, two_narrow),
        Case(f"recurring/{store}", "recurring tasks due", store, recurring, drain.recurring),
        Case(f"overdue/{store}", "overdue recurring tasks at start", store, (OURS,), drain.overdue),
    ]


def _of_latency(store: str, peers: tuple[str, ...], scale: Scale) -> list[Case]:
    found = [
        Case(f"lateness/{store}", "lateness", store, peers, punctuality.lateness),
        Case(f"burst/{store}", "burst at one instant", store, peers, punctuality.burst),
    ]
    if store == POSTGRES:
        crossing = ("chamberlain", "pgqueuer", "procrastinate")
        found.append(Case(f"crossing/{store}", "stored here, started there", store, crossing, punctuality.crossing))
    for count in scale.idle:
        measure = partial(idle.idle, count=count)
        found.append(Case(f"idle/{count}/{store}", f"idle with {count:,}", store, _idlers(peers, count), measure))
    return found


def _of_cleanups(store: str) -> list[Case]:
    both = (OURS, RAW)
    return [
        Case(f"cleanup/rows/{store}", "cleanup of rows", store, both, cleaning.rows),
        Case(f"cleanup/writers/{store}", "cleanup beside a writer", store, both, cleaning.rows_beside_writers),
    ]


def _idlers(peers: Sequence[str], count: int) -> tuple[str, ...]:
    """Return who can have so many stored without filling them in for minutes."""
    at_most = {OURS: 10_000_000, "pgqueuer": 100_000, "huey": 100_000, "procrastinate": 100_000}
    return tuple(peer for peer in peers if count <= at_most.get(peer, 10_000))
