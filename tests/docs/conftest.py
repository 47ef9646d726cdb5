"""Recipes of cleanups, cooked once: registered as they are written, and run."""

from __future__ import annotations

import os
import tomllib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aged_files import write
from cooking import RECIPES, Cook, Put, Shop

from framework import Application
from framework.testing import FakeClock
from modules.core.scheduler import SchedulerService

WRITTEN = 64 * 1024  # bytes of a file that are written; the rest is a hole


@pytest.fixture
def now(tmp_path: Path) -> datetime:
    """The moment of the runs: so far ahead that no file's ctime, which cannot be set, is younger than its mtime."""
    return datetime.fromtimestamp(tmp_path.stat().st_mtime, UTC).replace(hour=12) + timedelta(days=400)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The data folder."""
    return tmp_path / "shop" / "data"


@pytest.fixture
def put(data: Path, now: datetime) -> Put:
    """Write a file below the data folder, so many days old when the recipe runs."""

    def put(path: str, days: float, size: int = 10) -> None:
        file, moment = data / path, (now - timedelta(days=days)).timestamp()
        write(file, min(size, WRITTEN))
        os.truncate(file, size)
        os.utime(file, (moment, moment))

    return put


@pytest.fixture
async def cook(data: Path, now: datetime) -> AsyncIterator[Cook]:
    """Start an application on a database with the settings of a recipe, and run its cleanups once."""
    started: list[Application] = []

    async def cooked(recipe: str, url: str) -> SchedulerService:
        settings = tomllib.loads(RECIPES[recipe].replace("/srv/shop", str(data.parent)))
        settings["core.scheduler"] |= {"enabled": False, "timezone": "UTC", "housekeeper_pseudonym_key": "k" * 40}
        settings["framework"] = {"database_url": url, "data_dir": str(data)}
        started.append(Application(modules=["core.scheduler", Shop()], settings=settings, clock=FakeClock(now)))
        scheduler = (await started[0].start()).get_service(SchedulerService)
        for cleanup in settings["core.scheduler"]["cleanups"]:
            (await scheduler.run_cleanup(cleanup["cleanup_type"])).unwrap()
        return scheduler

    yield cooked
    for application in started:
        await application.stop()
