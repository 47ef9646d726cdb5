"""An arena for a short torment, on SQLite and on PostgreSQL."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.torture.arena import Arena


@pytest.fixture
def arena(database_url: str, tmp_path: Path) -> Arena:
    """An empty database and an empty ledger, once on SQLite and once on PostgreSQL."""
    return Arena(database_url, tmp_path / "arena")


@pytest.fixture
def sqlite_arena(sqlite_url: str, tmp_path: Path) -> Arena:
    """The same on SQLite only."""
    return Arena(sqlite_url, tmp_path / "arena")


@pytest.fixture
def postgres_arena(postgres_url: str, tmp_path: Path) -> Arena:
    """The same on PostgreSQL only."""
    return Arena(postgres_url, tmp_path / "arena")
