"""The catalogue: every torment by its name, on which databases, and what its figures must show beside the rules."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from benchmarks.torture.arena import Arena, Verdict
from benchmarks.torture.server import Server, cut_connections
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

SQLITE, POSTGRESQL = "sqlite", "postgresql"
BOTH = (SQLITE, POSTGRESQL)

MINUTE = 60.0  # seconds in which SQLite survives 250 kills
MEMORY_SLACK = 4_096  # KiB: what a process takes from the system it takes in pieces

Facts = Mapping[str, float]


@dataclass(frozen=True)
class Torment:
    """One torment at full length; `scale` multiplies its counts. `expected` says what else its facts must show."""

    run: Callable[[Arena, float, Server | None], Verdict]
    databases: tuple[str, ...] = BOTH
    expected: Callable[[Facts], bool] = lambda _: True


def _times(number: float, scale: float, least: int = 1) -> int:
    return max(round(number * scale), least)


def _clean(facts: Facts) -> bool:
    return not facts["unclean_exits"]


def _struck(facts: Facts) -> bool:
    return facts["struck"] > 0


def _nothing_lost_and_clean(facts: Facts) -> bool:
    return _clean(facts) and not facts.get("lost")


def _is_flat(facts: Facts) -> bool:
    held = [facts.get(f"{what}_grown", MEMORY_SLACK) for what in soak.HELD]
    return held[0] < MEMORY_SLACK and max(held[1:]) <= 0


def _is_quick(facts: Facts) -> bool:
    slowest = max(facts["list_of_all"], facts["list_of_one"], facts["list_of_tasks"])
    return slowest < 100 and facts["beginning_slower_by"] < 10


def _is_pruned_beside_work(facts: Facts) -> bool:
    is_on_time = facts["latest"] < 1 and facts["longest_gap"] < 2
    return _clean(facts) and not facts["left_over"] and facts["longest_write"] < 0.25 and is_on_time


def _kills(arena: Arena, scale: float, _server: Server | None) -> Verdict:
    verdict = kills.kill_at_random(arena, executions=_times(9_000, scale), kills=_times(250, scale))
    seconds = MINUTE * scale if arena.url.startswith("sqlite") else math.inf
    return Verdict(verdict.complaints, {**verdict.facts, "seconds_allowed": seconds})


def _cut(arena: Arena, scale: float, _server: Server | None) -> Verdict:
    blow = partial(cut_connections, arena.url)
    return outages.cut_and_kill(arena, executions=_times(2_000, scale), blows=_times(40, scale), blow=blow)


def _crash(arena: Arena, scale: float, server: Server | None) -> Verdict:
    if server is None:
        raise ValueError("only a server can crash")
    return outages.cut_and_kill(
        arena, executions=_times(2_000, scale), blows=_times(20, scale), blow=server.crash, kill=True
    )


def _restarts(arena: Arena, scale: float, server: Server | None) -> Verdict:
    if server is None:
        raise ValueError("only a server can be restarted")
    pauses = (5 * min(scale, 1), 40 * min(scale, 1))
    return outages.restart_again_and_again(arena, seconds=1_200 * scale, restart=server.crash, pauses=pauses)


def _effects(arena: Arena, scale: float, _server: Server | None) -> Verdict:
    return effects.complete_in_and_kill(arena, executions=_times(2_000, scale), kills=_times(60, scale))


def _step(how: str) -> Callable[[Arena, float, Server | None], Verdict]:
    return lambda arena, scale, _: steps.strike_every_call_of_sqlite(arena, how=how, stride=_times(1, 1 / scale))


def _message(*, kill: bool, before: bool) -> Callable[[Arena, float, Server | None], Verdict]:
    return lambda arena, scale, _: steps.strike_every_message_to_postgresql(
        arena, kill=kill, before=before, stride=_times(1, 1 / scale)
    )


CATALOGUE: dict[str, Torment] = {
    "kills": Torment(
        _kills, expected=lambda facts: _clean(facts) and facts["seconds_of_killing"] <= facts["seconds_allowed"]
    ),
    "cut connections": Torment(_cut, (POSTGRESQL,), _clean),
    "server crashes": Torment(_crash, (POSTGRESQL,), _clean),
    "effects": Torment(_effects, expected=_clean),
    "killed at every call": Torment(_step("kill"), (SQLITE,), _struck),
    "locked at every call": Torment(_step("busy"), (SQLITE,), _struck),
    "broken at every call": Torment(_step("broken"), (SQLITE,), _struck),
    "killed before every message": Torment(_message(kill=True, before=True), (POSTGRESQL,), _struck),
    "killed after every message": Torment(_message(kill=True, before=False), (POSTGRESQL,), _struck),
    "cut before every message": Torment(_message(kill=False, before=True), (POSTGRESQL,), _struck),
    "cut after every message": Torment(_message(kill=False, before=False), (POSTGRESQL,), _struck),
    "frozen past the lease": Torment(
        lambda arena, scale, _: pauses.freeze_past_the_lease(arena, times=_times(10, scale)),
        expected=lambda facts: facts["lost"] > 0 and _clean(facts),
    ),
    "blocked loop": Torment(
        lambda arena, scale, _: pauses.block_the_loop(arena, times=_times(6, scale)), expected=_nothing_lost_and_clean
    ),
    "clock steps": Torment(
        lambda arena, scale, _: clocks.step_the_clock(arena, steps=_times(100, scale), largest=10), expected=_clean
    ),
    "one clock set": Torment(
        lambda arena, scale, _: clocks.set_one_clock(arena, steps=_times(100, scale)),
        (POSTGRESQL,),
        _nothing_lost_and_clean,
    ),
    "skewed nodes": Torment(
        lambda arena, scale, _: clocks.skew_the_nodes(arena, seconds=_times(20, scale)),
        (POSTGRESQL,),
        _nothing_lost_and_clean,
    ),
    "full disk": Torment(
        lambda arena, scale, _: storage.fill_the_disk(arena, times=_times(5, scale), seconds=4),
        (SQLITE,),
        lambda facts: _clean(facts) and facts["refused"] > 0,
    ),
    "no space": Torment(
        lambda arena, scale, _: storage.fill_the_filesystem(arena, times=_times(5, scale), seconds=4),
        (SQLITE,),
        lambda facts: "not_tested_for_lack_of_rights" in facts or (_clean(facts) and facts["refused"] > 0),
    ),
    "locked database": Torment(
        lambda arena, scale, _: storage.lock_the_database(arena, times=_times(2, scale), seconds=12), expected=_clean
    ),
    "poison": Torment(
        lambda arena, scale, _: poison.run_poison(arena, each=_times(5, scale), tasks=_times(500, scale)),
        expected=lambda facts: (
            facts["most_starts_of_a_deadly_one"] <= 3 and facts["good_tasks_set_aside"] <= facts["good_tasks"] / 100
        ),
    ),
    "stops": Torment(
        lambda arena, scale, _: stops.terminate_under_load(arena, times=_times(200, scale)),
        expected=lambda facts: _nothing_lost_and_clean(facts) and facts["longest_stop"] < stops.GRACE + 2,
    ),
    "overdue": Torment(
        lambda arena, scale, _: overdue.boot_with_many_overdue(
            arena, tasks=_times(5_000, scale), recurring=_times(5_000, scale)
        ),
        expected=lambda facts: facts["busiest_node"] <= facts["limit"] and facts["slowest_answer"] < 0.5,
    ),
    "eight nodes": Torment(
        lambda arena, scale, _: crowds.share_every_second(arena, seconds=_times(600, scale, 5)),
        expected=_nothing_lost_and_clean,
    ),
    "eight writers": Torment(
        lambda arena, scale, _: crowds.write_and_ask(arena, seconds=_times(300, scale, 5)),
        (SQLITE,),
        lambda facts: _clean(facts) and not facts["refused"] and facts["slowest_commit"] < 0.25,
    ),
    "restarts": Torment(_restarts, (POSTGRESQL,), _clean),
    "held snapshot": Torment(
        lambda arena, scale, _: bloat.hold_a_snapshot(arena, batches=_times(180, scale, 3)),
        (POSTGRESQL,),
        lambda facts: _clean(facts) and facts["rate_kept"] >= 0.6,
    ),
    "long history": Torment(
        lambda arena, scale, _: history.keep_millions(arena, rows=_times(2_000_000, scale)), expected=_is_quick
    ),
    "pruning": Torment(
        lambda arena, scale, _: pruning.prune_millions(arena, rows=_times(1_000_000, scale)),
        expected=_is_pruned_beside_work,
    ),
    "soak": Torment(
        lambda arena, scale, _: soak.soak(arena, executions=_times(20_000, scale), restarts=_times(40, scale)),
        expected=lambda facts: _clean(facts) and _is_flat(facts),
    ),
    "ticks": Torment(
        lambda arena, scale, _: ticks.tick_and_kill(arena, ticks=_times(150, scale), kills=_times(50, scale)),
        expected=_clean,
    ),
}
