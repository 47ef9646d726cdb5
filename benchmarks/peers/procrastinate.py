"""Procrastinate on PostgreSQL, on psycopg: a finished job keeps its row, and triggers write its events."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import procrastinate
import psycopg

from benchmarks.peers.peer import Order, Peer
from benchmarks.peers.recorder import record_async
from benchmarks.peers.serving import serve


class Procrastinate(Peer):
    """A worker with the concurrency of the order and everything else as shipped."""

    def __init__(self, order: Order) -> None:
        super().__init__(order)
        logging.disable(logging.WARNING)
        self.app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=order.dsn))
        self.task = self.app.task(name="record")(record_async)

    async def open(self) -> None:
        """Connect; make its tables in an empty database."""
        async with await psycopg.AsyncConnection.connect(self.order.dsn) as connection:
            found = await (await connection.execute("SELECT to_regclass('procrastinate_jobs')")).fetchone()
        await self.app.open_async()
        if found is None or found[0] is None:
            await self.app.schema_manager.apply_schema_async()

    async def close(self) -> None:
        """Disconnect."""
        await self.app.close_async()

    async def add(self, number: int, due: float | None) -> None:
        """Defer one job."""
        await self.task.configure(schedule_at=_moment(due)).defer_async(number=number)

    async def add_many(self, numbers: Sequence[int], dues: Sequence[float | None]) -> None:
        """Defer jobs in one statement, where they are due together; else one by one."""
        if len(set(dues)) > 1:
            await super().add_many(numbers, dues)
        elif numbers:
            jobs: list[dict[str, Any]] = [{"number": number} for number in numbers]
            await self.task.configure(schedule_at=_moment(dues[0])).batch_defer_async(*jobs)

    async def work(self, stop: asyncio.Event, up: Callable[[], None]) -> None:
        """Run a worker until told to stop."""
        await self.open()
        running = asyncio.create_task(
            self.app.run_worker_async(concurrency=self.order.width, install_signal_handlers=False)
        )
        up()
        await stop.wait()
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
        await self.close()


def _moment(due: float | None) -> datetime | None:
    return None if due is None else datetime.fromtimestamp(due, UTC)


if __name__ == "__main__":
    serve(Procrastinate)
