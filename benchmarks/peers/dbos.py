"""DBOS on SQLite: a workflow without steps; its row keeps the output. One queue, polled once a second as shipped."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from time import time
from typing import Any

from dbos import DBOS, DBOSClient
from sqlalchemy import create_engine

from benchmarks.peers import recorder
from benchmarks.peers.peer import Order, Peer
from benchmarks.peers.serving import serve
from benchmarks.peers.sqlite_pragmas import connection_factory

QUEUE, VERSION = "benchmark", "1"


@DBOS.workflow(name="record")
def record(number: int) -> None:
    """Record the start."""
    recorder.record(number)


class DBOSPeer(Peer):
    """The queue has no limit of its own: with one it would run so many in a second, by construction."""

    def __init__(self, order: Order) -> None:
        super().__init__(order)
        logging.disable(logging.WARNING)
        driver = {"factory": connection_factory(order.synchronous), "isolation_level": "IMMEDIATE", "timeout": 30}
        self.engine = create_engine(f"sqlite:///{order.path}", connect_args=driver)  # else as its own would be

    async def open(self) -> None:
        """Make its tables and its queue by an application; add by its client."""
        await asyncio.to_thread(self._launch, ["nothing"])
        await asyncio.to_thread(DBOS.destroy)
        self.client = DBOSClient(system_database_engine=self.engine)

    def _launch(self, queues: list[str]) -> None:
        DBOS(
            config={
                "name": QUEUE,
                "system_database_engine": self.engine,
                "application_version": VERSION,
                "log_level": "ERROR",
            }
        )
        DBOS.listen_queues(queues)
        DBOS.launch()
        DBOS.register_queue(QUEUE)

    async def close(self) -> None:
        """Disconnect."""
        self.client.destroy()

    async def add(self, number: int, due: float | None) -> None:
        """Enqueue a workflow, delayed when it is due later."""
        options: Any = {"workflow_name": "record", "queue_name": QUEUE, "app_version": VERSION}
        if due is not None:
            options["delay_seconds"] = max(due - time(), 0.0)
        self.client.enqueue(options, number)

    async def work(self, stop: asyncio.Event, up: Callable[[], None]) -> None:
        """Run the application until told to stop."""
        await asyncio.to_thread(self._launch, [QUEUE])
        self.client = DBOSClient(system_database_engine=self.engine)
        up()
        await stop.wait()
        await asyncio.to_thread(DBOS.destroy)


if __name__ == "__main__":
    serve(DBOSPeer)
