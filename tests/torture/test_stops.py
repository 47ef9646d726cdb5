"""Processes stopped under load, poisoned by their own functions, or started on a heap of overdue work."""

from __future__ import annotations

import pytest

from benchmarks.torture.arena import Arena
from benchmarks.torture.torments.overdue import boot_with_many_overdue
from benchmarks.torture.torments.poison import CRASH_LIMIT, run_poison
from benchmarks.torture.torments.stops import GRACE, terminate_under_load

pytestmark = pytest.mark.slow


def test_sigterm_under_load_loses_nothing_and_counts_as_no_crash(arena: Arena) -> None:
    verdict = terminate_under_load(arena, times=6)

    assert verdict.complaints == []
    assert "lost" not in verdict.facts
    assert verdict.facts["unclean_exits"] == 0
    assert verdict.facts["longest_stop"] < GRACE + 2


def test_poison_is_set_aside_after_its_crashes_and_everything_else_is_done(sqlite_arena: Arena) -> None:
    verdict = run_poison(sqlite_arena, each=1, tasks=30)

    assert verdict.complaints == []
    assert verdict.facts["most_starts_of_a_deadly_one"] <= CRASH_LIMIT
    assert verdict.facts["good_tasks_set_aside"] == 0


def test_a_start_on_a_heap_of_overdue_tasks_stays_within_the_limit_and_answers(arena: Arena) -> None:
    verdict = boot_with_many_overdue(arena, tasks=150, recurring=50)

    assert verdict.complaints == []
    assert verdict.facts["busiest_node"] <= verdict.facts["limit"]
