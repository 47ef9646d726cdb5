"""A way to a PostgreSQL server that a test may close, silence, or make behave as a transaction pooler does."""

from __future__ import annotations

import asyncio
from asyncio import StreamReader, StreamWriter

from sqlalchemy import make_url

READY, NOTIFICATION = b"Z", b"A"  # of the messages that a server sends
IDLE = b"I"


class DatabaseProxy:
    """Passes on what is said, from `url` to the server and back.

    With `pools_transactions`, a connection hears notifications only during its own transactions; with `is_silent`,
    connections are accepted and nothing is answered. `accepted` counts the connections.
    """

    def __init__(self, server: str) -> None:
        self._server = make_url(server)
        self._port = 0
        self._door: asyncio.Server | None = None
        self._serving: set[asyncio.Task[None]] = set()
        self.pools_transactions = False
        self.is_silent = False
        self.accepted = 0

    @property
    def url(self) -> str:
        """The server's URL by this way; it stays the same when the proxy is closed and opened again."""
        options = {"ssl": "disable", "prepared_statement_cache_size": "0"}  # of the driver, and of SQLAlchemy
        url = self._server.set(host="127.0.0.1", port=self._port, query=options)
        return url.render_as_string(hide_password=False)

    async def open(self) -> None:
        """Accept connections."""
        self._door = await asyncio.start_server(self._accept, "127.0.0.1", self._port)
        self._port = self._door.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Refuse connections and cut those that stand."""
        if self._door is not None:
            self._door.close()
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    def _accept(self, reader: StreamReader, writer: StreamWriter) -> None:
        self.accepted += 1
        task = asyncio.ensure_future(self._serve(reader, writer))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    async def _serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        far_reader, far_writer = await self._connect()
        talk = Talk(self)
        both = [
            asyncio.ensure_future(talk.ask(reader, far_writer)),
            asyncio.ensure_future(talk.answer(far_reader, writer)),
        ]
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in both:
                task.cancel()
            await asyncio.gather(*both, return_exceptions=True)
            for each in (writer, far_writer):
                each.transport.abort()

    async def _connect(self) -> tuple[StreamReader, StreamWriter]:
        host, port = self._server.host or str(self._server.query["host"]), self._server.port or 5432
        if host.startswith("/"):
            return await asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}")
        return await asyncio.open_connection(host, port)


class Talk:
    """One connection's messages; whether it is in a transaction is seen from them."""

    def __init__(self, proxy: DatabaseProxy) -> None:
        self._proxy = proxy
        self._is_idle = False

    async def ask(self, client: StreamReader, server: StreamWriter) -> None:
        """Pass on what the client says."""
        while data := await client.read(65536):
            self._is_idle = False
            if not self._proxy.is_silent:
                server.write(data)
                await server.drain()

    async def answer(self, server: StreamReader, client: StreamWriter) -> None:
        """Pass on what the server says: messages of a letter, a length that counts itself, and the rest."""
        while True:
            head = await server.readexactly(5)
            body = await server.readexactly(int.from_bytes(head[1:]) - 4)
            kind = head[:1]
            if kind == READY:
                self._is_idle = body == IDLE
            if kind != NOTIFICATION or not self._is_idle or not self._proxy.pools_transactions:
                client.write(head + body)
                await client.drain()
