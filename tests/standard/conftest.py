"""An application of the scheduler and one example module, driven by hand on a clock that the test moves."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest

from framework import AppContext, Application
from framework.testing import FakeClock

Start = Callable[..., AbstractAsyncContextManager[AppContext]]


@pytest.fixture
def clock() -> FakeClock:
    """The time of the test."""
    return FakeClock()


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """The application's data folder; it is made at start."""
    return tmp_path / "data"


@pytest.fixture
def application(clock: FakeClock, data_dir: Path) -> Start:
    """`async with application(module_id, database_url, **settings) as app_context`, with settings of the module."""

    def build(module_id: str, database_url: str, **settings: Any) -> Application:
        tables = {
            "framework": {"data_dir": str(data_dir), "database_url": database_url},
            "core.scheduler": {"enabled": False, "timezone": "UTC"},
            module_id: settings,
        }
        return Application(modules=["core.scheduler", module_id], settings=tables, clock=clock)

    return build
