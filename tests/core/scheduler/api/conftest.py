"""The API of a scheduler, asked over HTTP without a socket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from asking import HOURLY, Api, asked


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """SQLite: what goes through the service is tried on both databases there."""
    return sqlite_url


@pytest.fixture
async def api(node: Any) -> AsyncIterator[Api]:
    """The API of the test's scheduler."""
    async with asked(node.app_context) as api:
        yield api


@pytest.fixture
async def task_id(api: Api) -> str:
    """A task that runs every hour."""
    return str((await api.post("/tasks", 201, **HOURLY))["task_id"])
