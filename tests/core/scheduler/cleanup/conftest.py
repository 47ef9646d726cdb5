"""Cleanups of tables that stand alone: their databases are empty."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def postgres_template() -> str:
    """The database that a server comes with."""
    return "template1"


@pytest.fixture(scope="session")
def sqlite_template() -> Path | None:
    """There is none."""
    return None
