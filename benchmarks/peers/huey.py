"""huey on SQLite: threads and plain functions; a task's row is deleted when a worker takes it, its result is stored."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime

from huey import SqliteHuey

from benchmarks.peers import recorder
from benchmarks.peers.peer import Order, Peer
from benchmarks.peers.serving import serve
from benchmarks.peers.sqlite_pragmas import connection_factory

THREADS = 10  # more of them are slower: they fight for one lock


class Huey(Peer):
    """The consumer is started as its own command does, without that command's signal handlers."""

    def __init__(self, order: Order) -> None:
        super().__init__(order)
        logging.disable(logging.WARNING)
        self.huey = SqliteHuey(
            filename=order.path, utc=True, store_none=True, factory=connection_factory(order.synchronous)
        )
        self.task = self.huey.task(name="record")(recorder.record)

    async def add(self, number: int, due: float | None) -> None:
        """Enqueue it, or store it in the schedule."""
        if due is None:
            self.task(number)
        else:
            self.task.schedule(args=(number,), eta=datetime.fromtimestamp(due, UTC))

    async def work(self, stop: asyncio.Event, up: Callable[[], None]) -> None:
        """Run the consumer's threads until told to stop."""
        consumer = self.huey.create_consumer(workers=min(self.order.width, THREADS), worker_type="thread")
        consumer.start()
        up()
        await stop.wait()
        consumer.stop(graceful=True)


if __name__ == "__main__":
    serve(Huey)
