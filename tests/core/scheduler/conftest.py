"""A scheduler on a fresh database, driven by hand on a clock that the test moves."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from declaring import Started
from nodes import release_all
from outside import Outside
from pooler import POOLED
from sessions import Mine

from framework import AppContext, Application, Module
from framework.testing import FakeClock
from modules.core.scheduler import SchedulerService
from modules.core.scheduler.tables import events, executions
from modules.core.scheduler.task import WAYS

MODULE = "acme.test"


class Node:
    """One scheduler of an application: its services, its clock, and short words for what tests do all day."""

    def __init__(self, app_context: AppContext, clock: FakeClock) -> None:
        self.app_context = app_context
        self.clock = clock
        self.scheduler = app_context.get_service(SchedulerService)
        self.runs: list[Any] = []

    def register(self, name: str, function: Callable[..., Any], **options: Any) -> None:
        """Register a function of the test's module."""
        self.scheduler.register_function(MODULE, name, function, **options)

    async def add(self, function_name: str = "note", **config: Any) -> str:
        """Schedule a task, by default of the function `note` and due now, and return its id."""
        named = {"name": function_name, "module_id": MODULE, "function_name": function_name}
        if config.keys().isdisjoint(WAYS):
            named["schedule_time"] = "now"
        scheduled = await self.scheduler.schedule_task({**named, **config})
        return str(scheduled.unwrap()["task_id"])

    async def add_every(self, seconds: float, function_name: str = "note", **config: Any) -> str:
        """Schedule a task at an interval and return its id."""
        timing = {"recurring": True, "interval_type": "seconds", "interval_value": seconds}
        return await self.add(function_name, **timing, **config)

    async def task(self, task_id: str) -> dict[str, Any]:
        """Return a task as it is shown."""
        return (await self.scheduler.get_task(task_id)).unwrap()

    async def history(self, task_id: str | None = None) -> list[dict[str, Any]]:
        """Return executions, oldest first."""
        page = (await self.scheduler.get_executions(task_id, limit=500)).unwrap()
        return list(reversed(page["executions"]))

    async def states(self, task_id: str | None = None) -> list[str]:
        """Return the states of executions, oldest first."""
        return [row["state"] for row in await self.history(task_id)]

    async def reasons(self, task_id: str | None = None) -> list[str | None]:
        """Return the reasons of executions, oldest first."""
        return [row["reason"] for row in await self.history(task_id)]

    async def pass_time(self, seconds: float) -> None:
        """Let time pass and do what is due then."""
        self.clock.advance(seconds)
        await self.scheduler.run_due()

    async def damage(self, task_id: str, **columns: Any) -> None:
        """Write into a task's row what no caller of the service could."""
        statement = events.update().where(events.c.id == task_id).values(columns)
        await self.app_context.database.write(lambda c: c.execute(statement))

    async def damage_execution(self, execution_id: str, **columns: Any) -> None:
        """Write into an execution's row what no caller of the service could."""
        statement = executions.update().where(executions.c.id == execution_id).values(columns)
        await self.app_context.database.write(lambda c: c.execute(statement))


Start = Callable[..., Awaitable[Node]]


@pytest.fixture
def clock() -> FakeClock:
    """The time of the test."""
    return FakeClock()


@pytest.fixture
async def start_node(database_url: str, clock: FakeClock, tmp_path: Path) -> AsyncIterator[Start]:
    """Start schedulers on one database: `await start_node()` for each, settings as keywords.

    Settings of the application itself are `framework={…}`, and `modules=[…]` are others than the scheduler alone. What
    is still stuck in the end is let go, so that a test that fails does not hang as well.
    """
    async with AsyncExitStack() as stack:

        async def start(**settings: Any) -> Node:
            return await stack.enter_async_context(_node(database_url, clock, tmp_path, settings))

        yield start
        release_all()


@asynccontextmanager
async def _node(url: str, clock: FakeClock, folder: Path, settings: dict[str, Any]) -> AsyncIterator[Node]:
    modules = settings.pop("modules", ["core.scheduler"])
    is_pooled = POOLED in os.environ
    framework = {"database_url": url, "data_dir": str(folder / "data"), "database_pooled": is_pooled}
    not_waiting = {"sqlite_synchronous": "normal"}  # for the disk at each commit: no test here loses its power
    tables = {
        "framework": {**framework, **not_waiting, **settings.pop("framework", {})},
        "core.scheduler": {"enabled": False, "timezone": "UTC", **({"notify": False} if is_pooled else {}), **settings},
    }
    async with Application(modules=modules, settings=tables, clock=clock) as app_context:
        node = Node(app_context, clock)

        async def note(parameters: dict[str, Any]) -> dict[str, Any]:
            """Remember that it ran."""
            node.runs.append(parameters)
            return {"run": len(node.runs)}

        node.register("note", note)
        yield node


@pytest.fixture
async def node(start_node: Start) -> Node:
    """One scheduler with the function `note`, on SQLite and on PostgreSQL."""
    return await start_node()


@pytest.fixture
async def mine(node: Node, database_url: str) -> AsyncIterator[Mine]:
    """A caller with engines and a table of its own, beside that scheduler's tables."""
    mine = Mine(database_url)
    await mine.make_table()
    yield mine
    await mine.engine.dispose()


@pytest.fixture
def outside() -> Iterator[Outside]:
    """A service outside that hears of alerts and pings."""
    outside = Outside()
    yield outside
    outside.close()


@pytest.fixture
def started(database_url: str, tmp_path: Path) -> Started:
    """Start an application with these modules on the test's database."""

    def start(*modules: Module, clock: FakeClock | None = None) -> AbstractAsyncContextManager[AppContext]:
        framework = {"database_url": database_url, "data_dir": str(tmp_path)}
        settings: dict[str, Any] = {"framework": framework, "core.scheduler": {"enabled": False, "timezone": "UTC"}}
        return Application(modules=["core.scheduler", *modules], settings=settings, clock=clock or FakeClock())

    return start
