"""flowrra on SQLite: a one-time task is disabled before it runs, its result stays in memory."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from datetime import datetime
from functools import partial
from time import time

from flowrra import Config, ExecutorConfig, Flowrra
from flowrra.scheduler.backends.sqlite import SQLiteSchedulerBackend

from benchmarks.peers.peer import Order, Peer
from benchmarks.peers.recorder import record_async
from benchmarks.peers.serving import serve
from benchmarks.peers.sqlite_pragmas import connection_factory

EVERYTHING = 10_000_000  # places in its queue in memory: a full one would drop what is due


class FlowrraPeer(Peer):
    """It opens its file itself and sets no pragma, so the default of sqlite3 in this process is changed instead."""

    def __init__(self, order: Order) -> None:
        super().__init__(order)
        logging.disable(logging.CRITICAL)
        sqlite3.connect = partial(sqlite3.connect, factory=connection_factory(order.synchronous))
        executor = ExecutorConfig(io_workers=order.width, max_queue_size=EVERYTHING)
        self.app = Flowrra(config=Config(executor=executor))
        self.app.task(name="record")(record_async)
        self.scheduler = self.app.create_scheduler(SQLiteSchedulerBackend(order.path))

    async def open(self) -> None:
        """Make its table, which it does at the first call."""
        await self.scheduler.list_scheduled_tasks()

    async def close(self) -> None:
        """Close its connection."""
        await self.scheduler.backend.close()

    async def add(self, number: int, due: float | None) -> None:
        """Schedule it once; its times are naive and local."""
        moment = datetime.fromtimestamp(time() if due is None else due)  # noqa: DTZ006
        await self.scheduler.schedule_once("record", moment, args=(number,))

    async def work(self, stop: asyncio.Event, up: Callable[[], None]) -> None:
        """Run the application until told to stop."""
        await self.app.start()
        up()
        await stop.wait()
        await self.app.stop()


if __name__ == "__main__":
    serve(FlowrraPeer)
