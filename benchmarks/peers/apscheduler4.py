"""APScheduler 4 (alpha) on SQLite and on PostgreSQL: a job's result is a row."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta

from apscheduler import AsyncScheduler
from apscheduler.datastores.sqlalchemy import SQLAlchemyDataStore
from apscheduler.eventbrokers.asyncpg import AsyncpgEventBroker
from apscheduler.eventbrokers.local import LocalEventBroker
from apscheduler.triggers.date import DateTrigger
from sqlalchemy import event
from sqlalchemy.ext.asyncio import create_async_engine

from benchmarks.peers.peer import Order, Peer
from benchmarks.peers.recorder import record_async
from benchmarks.peers.serving import serve
from benchmarks.peers.sqlite_pragmas import set_pragmas

KEEP = timedelta(hours=1)  # how long a result is kept: without it, none is written


class APScheduler4(Peer):
    """What is due at once is a job, what is due later a schedule."""

    def __init__(self, order: Order) -> None:
        super().__init__(order)
        logging.disable(logging.WARNING)
        url = f"sqlite+aiosqlite:///{order.path}" if order.path else f"postgresql+asyncpg{order.dsn[10:]}"
        engine = create_async_engine(url)
        if order.path:
            event.listen(engine.sync_engine, "connect", lambda c, _: set_pragmas(c, order.synchronous))
        broker = LocalEventBroker() if order.path else AsyncpgEventBroker.from_async_sqla_engine(engine)
        self.scheduler = AsyncScheduler(SQLAlchemyDataStore(engine), broker, max_concurrent_jobs=order.width)
        self.stack = AsyncExitStack()

    async def open(self) -> None:
        """Connect and make its tables; nothing is carried out yet."""
        await self.stack.enter_async_context(self.scheduler)
        await self.scheduler.configure_task("record", func=record_async, max_running_jobs=100_000)

    async def close(self) -> None:
        """Stop it."""
        await self.stack.aclose()

    async def add(self, number: int, due: float | None) -> None:
        """Add a job, or a schedule with one date."""
        if due is None:
            await self.scheduler.add_job("record", args=[number], result_expiration_time=KEEP)
            return
        await self.scheduler.add_schedule(
            "record", DateTrigger(datetime.fromtimestamp(due, UTC)), args=[number], job_result_expiration_time=KEEP
        )

    async def work(self, stop: asyncio.Event, up: Callable[[], None]) -> None:
        """Run the scheduler until told to stop."""
        await self.open()
        await self.scheduler.start_in_background()
        up()
        await stop.wait()
        await self.close()


if __name__ == "__main__":
    serve(APScheduler4)
