"""A full disk and a locked database: work waits, and goes on where it stood."""

from __future__ import annotations

import pytest

from benchmarks.torture.arena import Arena
from benchmarks.torture.torments.storage import fill_the_disk, lock_the_database

pytestmark = pytest.mark.slow


def test_a_full_disk_loses_nothing_and_work_goes_on_once_there_is_room(sqlite_arena: Arena) -> None:
    verdict = fill_the_disk(sqlite_arena, times=1, seconds=1, tasks=60)

    assert verdict.complaints == []
    assert verdict.facts["refused"] > 0
    assert verdict.facts["unclean_exits"] == 0


def test_a_database_locked_for_longer_than_the_lease_loses_nothing(arena: Arena) -> None:
    verdict = lock_the_database(arena, times=1, seconds=2.5, tasks=60)

    assert verdict.complaints == []
    assert verdict.facts["unclean_exits"] == 0
