"""A scheduler on SQLite, whose executors are what is tested."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from far import Far


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """No executor knows of a database."""
    return sqlite_url


@pytest.fixture
async def far(node: Any, tmp_path: Path) -> Far:
    """A node whose functions run in processes."""
    return Far(node, tmp_path)
