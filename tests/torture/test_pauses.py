"""Processes that stand still for longer than their lease, and clocks that are wrong."""

from __future__ import annotations

import pytest

from benchmarks.torture.arena import Arena
from benchmarks.torture.torments.clocks import set_one_clock, skew_the_nodes, step_the_clock
from benchmarks.torture.torments.pauses import block_the_loop, freeze_past_the_lease

pytestmark = pytest.mark.slow


def test_a_process_frozen_past_its_lease_writes_nothing_more_about_what_others_took_over(arena: Arena) -> None:
    verdict = freeze_past_the_lease(arena, times=1, tasks=20)

    assert verdict.complaints == []
    assert verdict.facts["lost"] > 0
    assert verdict.facts["unclean_exits"] == 0


def test_a_loop_blocked_for_three_leases_costs_no_run_its_node(sqlite_arena: Arena) -> None:
    verdict = block_the_loop(sqlite_arena, times=1)

    assert verdict.complaints == []
    assert "lost" not in verdict.facts


def test_a_machine_whose_clock_is_set_repeats_and_skips_nothing(sqlite_arena: Arena) -> None:
    verdict = step_the_clock(sqlite_arena, steps=6, largest=3)

    assert verdict.complaints == []
    assert verdict.facts["unclean_exits"] == 0


@pytest.mark.postgres
def test_a_node_whose_clock_is_set_between_two_heartbeats_starts_nothing_early(postgres_arena: Arena) -> None:
    verdict = set_one_clock(postgres_arena, steps=6)

    assert verdict.complaints == []
    assert "lost" not in verdict.facts


@pytest.mark.postgres
def test_nodes_whose_clocks_differ_by_minutes_start_nothing_early_and_take_nothing_away(postgres_arena: Arena) -> None:
    verdict = skew_the_nodes(postgres_arena, seconds=2, skew=90)

    assert verdict.complaints == []
    assert "lost" not in verdict.facts
