"""Effects: functions commit a row of their own together with their ending, while they are killed and cut off."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from benchmarks.torture.arena import Arena, Verdict
from benchmarks.torture.evidence import query
from benchmarks.torture.explained import KILLED
from benchmarks.torture.worker import make, one_time

TABLE = "CREATE TABLE torture_effects (execution TEXT NOT NULL, task TEXT NOT NULL)"


def complete_in_and_kill(
    arena: Arena, *, executions: int, kills: int, blow: Callable[[], object] = lambda: None, seconds: float = 0.02
) -> Verdict:
    """Kill processes whose functions write one row each by `complete_in`; `blow` strikes the database beside it."""
    make(arena.asking_life(), TABLE)
    parameters = {"seconds": seconds}
    arena.schedule([one_time(f"effect {number}", "effect", parameters=parameters) for number in range(executions)])
    between = max(executions // (kills + 1), 1)
    with arena.herd(settings={"max_concurrent_tasks": 5}) as herd:
        herd.start(2)
        for _ in range(kills):
            arena.until_begun(arena.ledger.count("start") + arena.chance.randint(1, between))
            blow()
            herd.kill(herd.pick())
            herd.start()
        unclean = arena.finish(herd, meanwhile=herd.replace_dead)
    verdict = arena.verdict(allowed=KILLED, kills=kills, unclean_exits=unclean)
    return replace(verdict, complaints=[*verdict.complaints, *_wrong_effects(arena)])


def _wrong_effects(arena: Arena) -> list[str]:
    """Return where a row that succeeded has not exactly one effect, its own, or another row has any."""
    (effects,) = query(arena.url, "SELECT execution FROM torture_effects")
    counted = Counter(effect["execution"] for effect in effects)
    wanted = {row["id"]: int(row["state"] == "succeeded") for row in arena.evidence().rows}
    wrong = {row_id for row_id in {*counted, *wanted} if counted[row_id] != wanted.get(row_id, 0)}
    return [f"{counted[row_id]} effects of {row_id}, {wanted.get(row_id, 0)} wanted" for row_id in sorted(wrong)]
