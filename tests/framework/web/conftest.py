"""The shop, open for a test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from shopping import Keys, Street, open_shop


@pytest.fixture
async def shop(empty_project: Path) -> AsyncIterator[Street]:
    """A shop that knows no tokens."""
    async with open_shop() as street:
        yield street


@pytest.fixture
async def locked_shop(empty_project: Path) -> AsyncIterator[Street]:
    """A shop that has tokens: a reader's and a keeper's."""
    async with open_shop(Keys()) as street:
        yield street
