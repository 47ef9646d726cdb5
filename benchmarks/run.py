"""Runs the cases, round after round, each peer in turn, and shows what came out."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

from benchmarks import goals, page
from benchmarks.catalogue import NO_STORE, Case, cases, quick
from benchmarks.environments import AT_HOME, interpreter
from benchmarks.errors import BrokenError, NoEnvironmentError, SkippedError
from benchmarks.report import for_terminal, number
from benchmarks.results import Results, load
from benchmarks.scale import FULL, QUICK, Scale
from benchmarks.stores import Store, Stores


def main() -> None:
    """Measure what the command line asks for; exit with 1 when a measure is broken."""
    parser = _arguments()
    asked = parser.parse_args()
    if asked.write_docs and (asked.quick or asked.peers):
        parser.error("the page shows whole runs: leave --quick and --peers out")
    scale = QUICK if asked.quick else FULL
    try:
        scale = replace(scale, rounds=asked.rounds or scale.rounds).changed(asked.set)
    except ValueError as error:
        parser.error(str(error))
    every = cases(scale)
    chosen = _chosen(every, asked.only, asked.peers)
    if asked.quick and not asked.only and not asked.peers:
        chosen = quick(chosen)
    if asked.list:
        print("\n".join(f"{case.id:<32}{' '.join(case.peers)}" for case in chosen))
        return
    results = measured(chosen, scale, _progress)
    results.about |= {"changed": asked.set, "load": os.getloadavg()[0]}
    earlier = load(asked.compare) if asked.compare else None
    print(for_terminal(chosen, results, earlier))
    print(goals.for_terminal(results))
    if asked.json:
        results.save(asked.json)
    if asked.write_docs:
        page.write(every, results)
    for what, why in results.broken.items():
        print(f"BROKEN  {what}: {why}", file=sys.stderr)
    sys.exit(1 if results.broken else 0)


def measured(chosen: Sequence[Case], scale: Scale, progress: Callable[[str], None]) -> Results:
    """Measure every case with every peer, in interleaved rounds: what disturbs the machine disturbs all alike."""
    results = Results()
    usable = _usable(chosen, progress)
    stores = Stores()

    def measure(turn: int, case: Case, peer: str) -> None:
        began = time.perf_counter()
        said = _measure(case, peer, stores, scale, results)
        progress(f"{turn + 1}/{scale.rounds} {case.id:<30} {peer:<14} {said}  ({_since(began)})")

    steps = list(_steps(chosen, usable, scale.rounds))
    try:
        _carry_out([partial(measure, *step) for step in steps], scale.at_once)
        if scale.at_once > 1:  # what broke beside others counts if it breaks alone as well
            for turn, case, peer in steps:
                if results.broken.pop(_place(case, peer), None):
                    measure(turn, case, peer)
    except KeyboardInterrupt:
        progress("stopped; what was measured so far follows")
    finally:
        stores.close()
    return results


def _place(case: Case, peer: str) -> str:
    return f"{case.id} {peer}"


def _steps(chosen: Sequence[Case], usable: set[str], rounds: int) -> Iterator[tuple[int, Case, str]]:
    for turn in range(rounds):
        for case in chosen:
            peers = [peer for peer in case.peers if peer in usable and case.is_measured(peer, turn)]
            shift = turn % max(len(peers), 1)
            for peer in peers[shift:] + peers[:shift]:
                yield turn, case, peer


def _carry_out(steps: Sequence[Callable[[], None]], at_once: int) -> None:
    if at_once == 1:
        for step in steps:
            step()
        return
    with ThreadPoolExecutor(at_once) as pool:
        try:
            for done in [pool.submit(step) for step in steps]:
                done.result()
        except KeyboardInterrupt:
            pool.shutdown(cancel_futures=True)
            raise


def _measure(case: Case, peer: str, stores: Stores, scale: Scale, results: Results) -> str:
    """Measure once, note what came out, and say it in a few words."""
    place = _place(case, peer)
    if place in results.skipped:
        return "skipped"
    try:
        if case.store == NO_STORE:
            figures = case.measure(peer, Store(), scale)
        else:
            with stores.fresh(case.store) as store:
                figures = case.measure(peer, store, scale)
    except BrokenError as error:
        results.broken[place] = str(error)
        return f"BROKEN: {error}"
    except SkippedError as error:
        results.skipped[place] = str(error)
        return f"skipped: {error}"
    except Exception as error:  # noqa: BLE001  # one measure must not end an hour of others
        results.broken[place] = repr(error)
        return f"BROKEN: {error!r}"
    results.add(case.id, peer, figures)
    return ", ".join(f"{name} {number(value)}" for name, value in figures.items())


def _usable(chosen: Sequence[Case], progress: Callable[[str], None]) -> set[str]:
    """Return the peers that can be run here; say why another one cannot."""
    usable = set(AT_HOME)
    for peer in sorted({peer for case in chosen for peer in case.peers} - AT_HOME):
        try:
            interpreter(peer)
            usable.add(peer)
        except NoEnvironmentError as error:
            progress(f"without {peer}, which cannot be installed: {error}")
    return usable


def _chosen(every: Sequence[Case], only: Sequence[str], peers: Sequence[str]) -> list[Case]:
    wanted = [case for case in every if not only or any(part in case.id for part in only)]
    if peers:
        wanted = [replace(case, peers=tuple(peer for peer in case.peers if peer in peers)) for case in wanted]
    return [case for case in wanted if case.peers]


def _progress(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _since(began: float) -> str:
    return f"{time.perf_counter() - began:.0f} s"


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="under two minutes, four at once, to see that all works")
    parser.add_argument("--list", action="store_true", help="show the cases and stop")
    parser.add_argument("--only", nargs="+", default=[], metavar="PART", help="cases whose id holds one of these")
    parser.add_argument("--peers", nargs="+", default=[], metavar="PEER", help="these peers only; raw is one of them")
    parser.add_argument("--rounds", type=int, help="how often each case is measured; the median counts")
    parser.add_argument("--set", nargs="+", default=[], metavar="NAME=N", help="how much: drain=100000 seconds=5 …")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every value there")
    parser.add_argument("--compare", type=Path, metavar="FILE", help="show beside it what an earlier run wrote there")
    parser.add_argument("--write-docs", action="store_true", help="bring docs/benchmarks.md up to date")
    return parser
