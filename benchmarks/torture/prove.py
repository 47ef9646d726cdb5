"""`python -m benchmarks.torture.prove`: torments without a protection; exit status 1 where nobody misses it."""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.torture.arena import Arena, Verdict
from benchmarks.torture.catalogue import CATALOGUE, POSTGRESQL, SQLITE
from benchmarks.torture.server import cut_connections, server
from benchmarks.torture.torments import (
    bloat,
    clocks,
    crowds,
    effects,
    history,
    kills,
    outages,
    overdue,
    pauses,
    poison,
    pruning,
    soak,
    steps,
    stops,
    storage,
    ticks,
)
from benchmarks.torture.without import PROTECTIONS, STATEMENTS, can_be_removed
from benchmarks.torture.worker import make

PATIENCE = 12.0  # seconds for what may never end now


@dataclass(frozen=True)
class Proof:
    """A torment of the catalogue, short, without one protection."""

    torment: str
    without: str
    run: Callable[[Arena], Verdict]
    database: str = SQLITE


def _cut(arena: Arena) -> Verdict:
    return outages.cut_and_kill(arena, executions=150, blows=4, blow=partial(cut_connections, arena.url), kill=False)


def _crash(arena: Arena) -> Verdict:
    if arena.server is None:
        raise ValueError("only a server can crash")
    return outages.cut_and_kill(arena, executions=150, blows=2, blow=arena.server.crash, kill=False)


def _restart(arena: Arena) -> Verdict:
    if arena.server is None:
        raise ValueError("only a server can be restarted")
    return outages.restart_again_and_again(arena, seconds=5, restart=arena.server.crash, pauses=(1, 3))


def _strike(arena: Arena, *, how: str) -> Verdict:
    return steps.strike_every_call_of_sqlite(arena, how=how, stride=3)


def _messages(arena: Arena, *, kill: bool, before: bool) -> Verdict:
    return steps.strike_every_message_to_postgresql(arena, kill=kill, before=before, stride=30)


PROOFS = (
    Proof("kills", "recovery of the dead", lambda arena: kills.kill_at_random(arena, executions=300, kills=6)),
    Proof("kills", "at most once", lambda arena: kills.kill_at_random(arena, executions=300, kills=12)),
    Proof("kills", "claim by compare and set", lambda a: kills.kill_at_random(a, executions=300, kills=3), POSTGRESQL),
    Proof("cut connections", "loops that survive", _cut, POSTGRESQL),
    Proof("server crashes", "loops that survive", _crash, POSTGRESQL),
    Proof("restarts", "loops that survive", _restart, POSTGRESQL),
    Proof(
        "effects",
        "effect and ending in one transaction",
        lambda arena: effects.complete_in_and_kill(arena, executions=150, kills=6),
    ),
    Proof("killed at every call", "firing in one transaction", partial(_strike, how="kill")),
    Proof("killed at every call", "recovery in one transaction", partial(_strike, how="kill")),
    Proof("locked at every call", "undoing", partial(_strike, how="busy")),
    Proof("broken at every call", "undoing", partial(_strike, how="broken")),
    *(
        Proof(
            f"{what} {when} every message",
            "recovery of the dead",
            partial(_messages, kill=kill, before=before),
            POSTGRESQL,
        )
        for what, kill in (("killed", True), ("cut", False))
        for when, before in (("before", True), ("after", False))
    ),
    Proof("frozen past the lease", "fencing", lambda arena: pauses.freeze_past_the_lease(arena, times=2)),
    Proof("blocked loop", "heartbeat thread", lambda arena: pauses.block_the_loop(arena, times=1)),
    Proof("clock steps", "stored times", lambda arena: clocks.step_the_clock(arena, steps=6, largest=3)),
    Proof("skewed nodes", "agreement on the time", lambda arena: clocks.skew_the_nodes(arena, seconds=3), POSTGRESQL),
    Proof("one clock set", "steady clock", lambda arena: clocks.set_one_clock(arena, steps=6), POSTGRESQL),
    Proof(
        "skewed nodes",
        "uniqueness of occurrences",
        lambda arena: clocks.skew_the_nodes(arena, seconds=4, skew=0),
        POSTGRESQL,
    ),
    Proof(
        "eight nodes",
        "uniqueness of occurrences",
        lambda arena: crowds.share_every_second(arena, seconds=4),
        POSTGRESQL,
    ),
    Proof("full disk", "loops that survive", lambda arena: storage.fill_the_disk(arena, times=3, seconds=2)),
    Proof("no space", "loops that survive", lambda arena: storage.fill_the_filesystem(arena, times=3, seconds=2)),
    Proof(
        "locked database",
        "loops that survive",
        lambda arena: storage.lock_the_database(arena, times=1, seconds=14),
    ),
    Proof("locked database", "steady judges", lambda arena: storage.lock_the_database(arena, times=3, seconds=11)),
    Proof("poison", "crash limit", lambda arena: poison.run_poison(arena, each=1, tasks=20)),
    Proof("stops", "handing back", lambda arena: stops.terminate_under_load(arena, times=8)),
    Proof("overdue", "limit of a node", lambda a: overdue.boot_with_many_overdue(a, tasks=200, recurring=20)),
    Proof("eight writers", "write lock from the beginning", lambda arena: crowds.write_and_ask(arena, seconds=5)),
    Proof("held snapshot", "indexes of what is open", lambda a: bloat.hold_a_snapshot(a, batches=8), POSTGRESQL),
    Proof("long history", "executions found by their id", lambda a: history.keep_millions(a, rows=128_000), POSTGRESQL),
    Proof("pruning", "small batches of retention", lambda arena: pruning.prune_millions(arena, rows=128_000)),
    Proof("soak", "letting go", lambda arena: soak.soak(arena, executions=6_000, restarts=2)),
    Proof("ticks", "recovery of the dead", lambda arena: ticks.tick_and_kill(arena, ticks=10, kills=5)),
)


def first_complaint(proof: Proof, arena: Arena) -> str | None:
    """Return what the checker says first, or that the figures are wrong; None: nobody misses the protection."""
    if not can_be_removed(proof.without):
        return None
    if proof.without in STATEMENTS:
        make(arena.asking_life(), *STATEMENTS[proof.without])
    try:
        verdict = proof.run(arena)
    except TimeoutError as error:
        return f"{error}"
    if verdict.complaints:
        return f"{verdict.complaints[0]} (and {len(verdict.complaints) - 1} more)"
    if not CATALOGUE[proof.torment].expected(verdict.facts):
        return f"figures that it must not show: {verdict.facts}"
    return None


def main() -> None:
    """Prove each, or those that are named."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.torture.prove", description=__doc__)
    parser.add_argument("--only", action="append", metavar="PROTECTION", help="only without this protection")
    parser.add_argument(
        "--torment", action="append", metavar="NAME", choices=sorted(CATALOGUE), help="only in this one"
    )
    wanted = parser.parse_args()
    todo = [
        proof
        for proof in PROOFS
        if proof.without in (wanted.only or PROTECTIONS) and proof.torment in (wanted.torment or CATALOGUE)
    ]
    unnoticed = 0
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))
        postgresql = stack.enter_context(server()) if any(each.database == POSTGRESQL for each in todo) else None
        for number, proof in enumerate(todo):
            place = folder / str(number)
            url = postgresql.new_database() if postgresql and proof.database == POSTGRESQL else None
            url = url or f"sqlite+aiosqlite:///{place / 'torture.db'}"
            arena = Arena(url, place, without=(proof.without,), server=postgresql)
            arena.patience = PATIENCE
            complaint = first_complaint(proof, arena)
            unnoticed += complaint is None
            print(f"{proof.torment}, without {proof.without}: {complaint or 'NOBODY MISSES IT'}", flush=True)
    sys.exit(1 if unnoticed else 0)


if __name__ == "__main__":
    main()
