"""PgQueuer on PostgreSQL, on asyncpg: an ended job is moved to its log table."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import timedelta
from time import time

import asyncpg
from pgqueuer import AsyncpgDriver, PgQueuer, Queries
from pgqueuer.models import Job

from benchmarks.peers import recorder
from benchmarks.peers.peer import Order, Peer
from benchmarks.peers.serving import serve


class PGQueuer(Peer):
    """A batch is as large as the concurrency allows, and nothing else limits it: its fastest setting."""

    def __init__(self, order: Order) -> None:
        super().__init__(order)
        logging.disable(logging.WARNING)

    async def open(self) -> None:
        """Connect; install its tables in an empty database."""
        self.connection = await asyncpg.connect(self.order.dsn)
        self.queries = Queries(AsyncpgDriver(self.connection))
        if await self.connection.fetchval("SELECT to_regclass('pgqueuer') IS NULL"):
            await self.queries.install()

    async def close(self) -> None:
        """Disconnect."""
        await self.connection.close()

    async def add(self, number: int, due: float | None) -> None:
        """Enqueue one job."""
        await self.queries.enqueue("record", str(number).encode(), execute_after=_delay(due))

    async def add_many(self, numbers: Sequence[int], dues: Sequence[float | None]) -> None:
        """Enqueue jobs in one statement."""
        payloads: list[bytes | None] = [str(number).encode() for number in numbers]
        delays = [_delay(due) for due in dues]
        await self.queries.enqueue(["record"] * len(payloads), payloads, [0] * len(payloads), delays)

    async def work(self, stop: asyncio.Event, up: Callable[[], None]) -> None:
        """Run a worker until told to stop."""
        await self.open()
        connection = await asyncpg.connect(self.order.dsn)
        worker = PgQueuer.from_asyncpg_connection(connection)

        @worker.entrypoint("record")
        async def record(job: Job) -> None:
            recorder.record(int(job.payload or b"0"))

        running = asyncio.create_task(worker.run(batch_size=self.order.width))
        up()
        await stop.wait()
        worker.shutdown.set()
        await asyncio.wait_for(running, 30)
        await self.close()


def _delay(due: float | None) -> timedelta:
    return timedelta(seconds=max(0.0, due - time())) if due is not None else timedelta(0)


if __name__ == "__main__":
    serve(PGQueuer)
