"""Steps: the process dies, or the database fails, at each call of the road from due to done, one after the other."""

from __future__ import annotations

import itertools

from benchmarks.torture.arena import Arena, Verdict
from benchmarks.torture.explained import HANDED_BACK, LOST
from benchmarks.torture.herd import Herd
from benchmarks.torture.wire import Wire
from benchmarks.torture.worker import every, one_time

LAST = 1_000  # no road is so long
SOON = 0.05  # seconds, over by the time that a process has started


def strike_every_call_of_sqlite(arena: Arena, *, how: str, stride: int = 1) -> Verdict:
    """One tick after another, struck at call 1, 2, 3, … until one is not reached; `how`: kill, busy or broken."""
    struck = 0
    with arena.herd(mode="tick") as herd:
        for number in itertools.takewhile(lambda at: at < LAST, itertools.count(1, stride)):
            _lay_road(arena, herd, number)
            process = herd.start(strike=(number, how))
            herd.buried(process)
            herd.buried(herd.start())
            if not (arena.folder / f"armed-{process.pid}.struck").exists():
                break
            struck += 1
        _finish(arena)
    return arena.verdict(allowed={LOST, HANDED_BACK}, struck=struck, last=number)


def strike_every_message_to_postgresql(arena: Arena, *, kill: bool, before: bool, stride: int = 1) -> Verdict:
    """The same on the wire: the process is killed, or its connection cut, at message 1, 2, 3, …"""
    struck = 0
    with Wire(arena.url) as wire, arena.herd(mode="tick") as herd:
        for number in itertools.takewhile(lambda at: at < LAST, itertools.count(1, stride)):
            _lay_road(arena, herd, number)
            process = herd.start(url=wire.url, gate=True)
            gate = arena.folder / f"armed-{process.pid}"
            while not gate.exists() and process.is_alive():
                process.join(0.01)
            wire.strike(number, before=before, blow=process.kill if kill else lambda: None)
            gate.with_suffix(".open").touch()
            herd.buried(process)
            herd.buried(herd.start())
            if not wire.struck:
                break
            struck += 1
        _finish(arena)
    return arena.verdict(allowed={LOST, HANDED_BACK}, struck=struck, last=number)


def _lay_road(arena: Arena, herd: Herd, number: int) -> None:
    """Leave everything to do that one tick can meet: what a dead node ran, what is due, and what will fire."""
    arena.schedule([one_time(f"lost {number}", "leave_at_first")])
    herd.buried(herd.start())
    arena.schedule(
        [
            one_time(f"task {number}"),
            one_time(f"once {number}", delivery="at_most_once"),
            one_time(f"soon {number}", schedule_time=None, delay=SOON),
            every(f"recurring {number}", SOON, 1),
        ]
    )


def _finish(arena: Arena) -> None:
    """Let processes that nobody strikes do what is left."""
    with arena.herd() as healthy:
        healthy.start()
        arena.until_settled()
        healthy.stop()
