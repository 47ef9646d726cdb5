"""Sockets of the server: what is written to a connection is sent at once."""

from __future__ import annotations

import asyncio
import socket

from framework.web.sockets import listen, port_of


async def test_no_answer_waits_for_the_one_before_to_be_acknowledged() -> None:
    sends_at_once: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def look(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = writer.get_extra_info("socket")
        sends_at_once.set_result(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    listening = listen("127.0.0.1", 0)
    async with await asyncio.start_server(look, sock=listening[0]):
        _, writer = await asyncio.open_connection("127.0.0.1", port_of(listening))
        assert await sends_at_once
        writer.close()
        await writer.wait_closed()
