"""The module of tokens at work, on a clock that the test moves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from framework import AppContext, Application
from framework.testing import FakeClock
from modules.core.access import AccessService


@pytest.fixture
def clock() -> FakeClock:
    """The time of the test."""
    return FakeClock()


def application(url: str, folder: Path, clock: FakeClock) -> Application:
    """An application of this module alone."""
    settings = {"framework": {"database_url": url, "data_dir": str(folder / "data")}}
    return Application(modules=["core.access"], settings=settings, clock=clock)


@pytest.fixture
async def app_context(sqlite_url: str, tmp_path: Path, clock: FakeClock) -> AsyncIterator[AppContext]:
    """The module on SQLite, for what is not about the database."""
    async with application(sqlite_url, tmp_path, clock) as app_context:
        yield app_context


@pytest.fixture
def access(app_context: AppContext) -> AccessService:
    """Its service."""
    return app_context.get_service(AccessService)


@pytest.fixture
async def anywhere(database_url: str, tmp_path: Path, clock: FakeClock) -> AsyncIterator[AppContext]:
    """The module on SQLite and on PostgreSQL."""
    async with application(database_url, tmp_path, clock) as app_context:
        yield app_context
