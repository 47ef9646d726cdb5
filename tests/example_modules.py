"""Modules and settings made up for the tests of the framework."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path

from pydantic import BaseModel, Field

from framework import AppContext, Application, Module
from framework.duration import Days, Seconds
from framework.settings import ModuleSettings
from framework.settings_loader import SettingsLoader
from framework.testing import FakeClock

GREETER = "from framework import Module\n\n\nclass Greeter(Module):\n    id = {id!r}\n    requires = {requires!r}\n"

Put = Callable[..., Path]
Write = Callable[[str, str], None]

MEMORY = {"framework": {"database_url": "sqlite+aiosqlite:///:memory:"}}


class Recorder(Module):
    """A module that writes down what happens to it, and fails where it is told to."""

    def __init__(self, events: list[str], fails_in: str = "") -> None:
        self.events = events
        self.fails_in = fails_in

    def register(self, app_context: AppContext) -> None:
        self.note("register")
        app_context.add_service(f"{self.id}.service", self)
        app_context.on_started(lambda: self.note("started"))
        app_context.on_stopping(lambda: self.note("stopping"))

    @contextlib.asynccontextmanager
    async def lifespan(self, app_context: AppContext) -> AsyncIterator[None]:
        self.note("start")
        yield
        self.note("stop")

    def stop_now(self) -> None:
        self.note("stop_now")

    def note(self, what: str) -> None:
        self.events.append(f"{self.id} {what}")
        if self.fails_in == what:
            raise ValueError(f"{self.id} cannot {what}")


class First(Recorder):
    id = "acme.first"


class Second(Recorder):
    id = "acme.second"
    requires = ("acme.first",)


class Third(Recorder):
    id = "acme.third"
    requires = ("acme.second",)


class Bystander(Recorder):
    id = "acme.bystander"


def application(*modules: Module, clock: FakeClock | None = None) -> Application:
    return Application(modules=modules, settings=MEMORY, clock=clock or FakeClock())


async def turns(clock: FakeClock) -> None:
    """Let everything that is ready run; no time passes."""
    for _ in range(50):
        await clock.sleep(0)


class Retry(BaseModel):
    base: Seconds = timedelta(seconds=1)
    factor: int = 2


class SchedulerSettings(ModuleSettings):
    max_concurrent_tasks: int = Field(default=10, ge=1, le=1000)
    lease: Seconds = timedelta(minutes=1)
    keep_execution_history: Days = timedelta(days=30)
    roots: tuple[Path, ...] = ()
    retry: Retry = Retry()


def load(**given: object) -> SchedulerSettings:
    loader = SettingsLoader({"core.scheduler": given} if given else {})
    return loader.load("core.scheduler", SchedulerSettings)
