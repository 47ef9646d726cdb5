"""One life of an application after another, on one database: started and really stopped."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

from framework import AppContext, Application, Module
from framework.testing import FakeClock

Life = Callable[..., AbstractAsyncContextManager[AppContext]]


def lives(url: str, folder: Path, clock: FakeClock) -> Life:
    """Return `life(*modules, **settings)`: an application with the scheduler and these modules, driven by hand."""

    @asynccontextmanager
    async def life(*modules: Module, **settings: Any) -> AsyncIterator[AppContext]:
        tables = {
            "framework": {"database_url": url, "data_dir": str(folder / "data")},
            "core.scheduler": {"enabled": False, "timezone": "UTC", **settings},
        }
        async with Application(modules=["core.scheduler", *modules], settings=tables, clock=clock) as app_context:
            yield app_context

    return life
