"""This project's scheduler, started by `Application` as anybody would start it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.peers.peer import Order, Peer
from benchmarks.peers.recorder import record_async
from benchmarks.peers.serving import serve
from framework import AppContext, Application, Module
from modules.core.scheduler import SchedulerService

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


class Recording(Module):
    """Registers the function that is carried out."""

    id = "benchmarks.recording"
    requires = ("core.scheduler",)

    @asynccontextmanager
    async def lifespan(self, app_context: AppContext) -> AsyncIterator[None]:
        """Register it."""
        app_context.get_service(SchedulerService).register_function(self.id, "record", record_async)
        yield


class Chamberlain(Peer):
    """Producers run an application whose scheduler carries out nothing; a worker runs an ordinary one."""

    def __init__(self, order: Order) -> None:
        super().__init__(order)
        logging.disable(logging.WARNING)
        self.application = Application(modules=["core.scheduler", Recording()], settings=_settings(order))

    async def open(self) -> None:
        """Start it, migrations included."""
        self.scheduler = (await self.application.start()).get_service(SchedulerService)

    async def close(self) -> None:
        """Stop it."""
        await self.application.stop()

    async def add(self, number: int, due: float | None) -> None:
        """Schedule one task."""
        (await self.scheduler.schedule_task(_task(number, due))).unwrap()

    async def add_many(self, numbers: Sequence[int], dues: Sequence[float | None]) -> None:
        """Schedule tasks in one transaction."""
        tasks = [_task(number, due) for number, due in zip(numbers, dues, strict=True)]
        (await self.scheduler.schedule_tasks(tasks)).unwrap()

    async def add_recurring(self, numbers: Sequence[int], due: float) -> None:
        """Schedule daily tasks in one transaction."""
        daily = {"recurring": True, "interval_type": "days", "interval_value": 1}
        tasks = [_task(number, None) | daily | {"start_date": _moment(due)} for number in numbers]
        for task in tasks:
            del task["schedule_time"]
        (await self.scheduler.schedule_tasks(tasks)).unwrap()

    async def look(self) -> None:
        """Take a turn."""
        await self.scheduler.turn()

    async def work(self, stop: asyncio.Event, up: Callable[[], None]) -> None:
        """Run the application until told to stop, with its HTTP server where a port is given."""
        async with self.application as app_context, _served(app_context, self.order.port):
            self.scheduler = app_context.get_service(SchedulerService)
            up()
            await stop.wait()


@asynccontextmanager
async def _served(app_context: AppContext, port: int) -> AsyncIterator[None]:
    if not port:
        yield
        return
    from framework.web.serving import serving
    from framework.web.sockets import listen

    async with serving(app_context, listen("127.0.0.1", port)):
        yield


def _settings(order: Order) -> dict[str, dict[str, Any]]:
    url = f"sqlite+aiosqlite:///{order.path}" if order.path else order.dsn
    folder = str(Path(order.path).parent) if order.path else "."
    return {
        "framework": {"database_url": url, "data_dir": folder, "sqlite_synchronous": order.synchronous},
        "core.scheduler": {"enabled": order.role == "work", "max_concurrent_tasks": order.width},
    }


def _task(number: int, due: float | None) -> dict[str, Any]:
    return {
        "name": f"Record {number}",
        "module_id": Recording.id,
        "function_name": "record",
        "parameters": {"number": number},
        "schedule_time": _moment(due),
    }


def _moment(due: float | None) -> datetime:
    return LONG_AGO if due is None else datetime.fromtimestamp(due, UTC)


if __name__ == "__main__":
    serve(Chamberlain)
