"""The example modules, each in an application of the test kit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from templates import postgres_template, sqlite_template

from framework.testing import FakeClock
from modules.core.scheduler.testing import TestApplication

__all__ = ["postgres_template", "sqlite_template"]  # the databases of these tests have the tables already

Start = Callable[..., TestApplication]


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
    """`async with application(module_id, database_url, **settings) as app`, with settings of the module."""

    def build(module_id: str, database_url: str, **settings: Any) -> TestApplication:
        tables = {"framework": {"data_dir": str(data_dir)}, module_id: settings}
        return TestApplication([module_id], tables, clock=clock, database_url=database_url)

    return build
