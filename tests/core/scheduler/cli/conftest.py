"""A desk to call commands from, on a database of its own."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from commands import Desk

from framework.sync import SyncApplication
from framework.web.serving import serving


@pytest.fixture
def desk(tmp_path: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """The command line, with no server running."""
    return Desk(
        tmp_path,
        monkeypatch,
        FRAMEWORK_DATABASE_URL=sqlite_url,
        FRAMEWORK_DATA_DIR=str(tmp_path),
        CORE_SCHEDULER_TIMEZONE="UTC",
    )


@pytest.fixture
def served(desk: Desk) -> Iterator[str]:
    """Return the URL of a server on the desk's database, which carries out nothing."""
    settings = {"framework": {"http_port": 0}, "core.scheduler": {"enabled": False}}
    with SyncApplication(["core.scheduler", "core.access"], settings) as application:
        serves = contextlib.AsyncExitStack()
        url = application.call(serves.enter_async_context, serving(application.app_context))
        yield url
        application.call(serves.aclose)
