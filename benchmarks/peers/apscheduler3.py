"""APScheduler 3 on SQLite: a job's row is deleted when it is handed to the loop; nothing records its end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime

from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from sqlalchemy import create_engine, event

from benchmarks.peers.peer import Order, Peer
from benchmarks.peers.recorder import record_async
from benchmarks.peers.serving import serve
from benchmarks.peers.sqlite_pragmas import set_pragmas


class APScheduler3(Peer):
    """Producers start a paused scheduler, as only a started one writes to its store."""

    def __init__(self, order: Order) -> None:
        super().__init__(order)
        logging.disable(logging.WARNING)
        url = f"sqlite:///{order.path}" if order.path else order.dsn
        self.engine = create_engine(url)
        if order.path:
            event.listen(self.engine, "connect", lambda connection, _: set_pragmas(connection, order.synchronous))
        defaults = {"misfire_grace_time": None, "max_instances": 1_000_000}
        stores = {"default": SQLAlchemyJobStore(engine=self.engine)}
        self.scheduler = AsyncIOScheduler(jobstores=stores, job_defaults=defaults, timezone=UTC)

    async def open(self) -> None:
        """Start it paused."""
        self.scheduler.start(paused=True)

    async def close(self) -> None:
        """Stop it."""
        self.scheduler.shutdown(wait=False)
        self.engine.dispose()

    async def add(self, number: int, due: float | None) -> None:
        """Add a job that runs once."""
        when = datetime.now(UTC) if due is None else datetime.fromtimestamp(due, UTC)
        self.scheduler.add_job(record_async, "date", run_date=when, args=[number])

    async def add_recurring(self, numbers: range, due: float) -> None:
        """Add jobs that run daily."""
        start = datetime.fromtimestamp(due, UTC)
        for number in numbers:
            self.scheduler.add_job(
                record_async, "interval", days=1, start_date=start, next_run_time=start, args=[number], coalesce=True
            )

    async def work(self, stop: asyncio.Event, up: Callable[[], None]) -> None:
        """Run the scheduler in this loop until told to stop."""
        self.scheduler.start()
        up()
        await stop.wait()
        await self.close()


if __name__ == "__main__":
    serve(APScheduler3)
