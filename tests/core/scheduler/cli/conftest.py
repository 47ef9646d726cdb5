"""A desk to call commands from, on a database of its own."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from commands import Desk

from framework.application import Application
from framework.sync import SyncApplication
from framework.web.serving import serving


@pytest.fixture(scope="session")
def new_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file of a database that has all tables and nothing in them."""
    file = tmp_path_factory.mktemp("new") / "new.db"
    framework = {"database_url": f"sqlite+aiosqlite:///{file}", "data_dir": str(file.parent)}
    asyncio.run(Application(settings={"framework": framework}).upgrade())
    return file


@pytest.fixture
def desk(tmp_path: Path, new_database: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """The command line, with no server running."""
    file = tmp_path / "app.db"
    shutil.copy(new_database, file)
    return Desk(
        tmp_path,
        monkeypatch,
        FRAMEWORK_DATABASE_URL=f"sqlite+aiosqlite:///{file}",
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
