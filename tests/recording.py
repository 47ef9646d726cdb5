"""Modules that write down what happens to them, for the tests of an application."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from framework import AppContext, Application, Module
from framework.testing import FakeClock

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
