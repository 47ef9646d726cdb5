"""Killed at one call of the database after another, or cut off there: nothing is lost, nothing is done twice."""

from __future__ import annotations

import pytest

from benchmarks.torture.arena import Arena
from benchmarks.torture.torments.steps import strike_every_call_of_sqlite, strike_every_message_to_postgresql

pytestmark = pytest.mark.slow


def test_a_process_killed_at_any_call_of_sqlite_loses_nothing(sqlite_arena: Arena) -> None:
    verdict = strike_every_call_of_sqlite(sqlite_arena, how="kill", stride=19)

    assert verdict.complaints == []
    assert verdict.facts["struck"] > 2


@pytest.mark.postgres
@pytest.mark.parametrize("before", [True, False], ids=["before the server has it", "before its answer has come"])
def test_a_process_killed_at_any_message_to_postgresql_loses_nothing(postgres_arena: Arena, before: bool) -> None:
    verdict = strike_every_message_to_postgresql(postgres_arena, kill=True, before=before, stride=61)

    assert verdict.complaints == []
    assert verdict.facts["struck"] > 2


@pytest.mark.postgres
def test_a_connection_cut_before_the_answer_to_any_message_loses_nothing(postgres_arena: Arena) -> None:
    verdict = strike_every_message_to_postgresql(postgres_arena, kill=False, before=False, stride=61)

    assert verdict.complaints == []
    assert verdict.facts["struck"] > 2
