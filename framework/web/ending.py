"""Answers that stream without an end are ended when the server stops, instead of holding it up."""

from __future__ import annotations

import asyncio

from starlette import types as asgi


class Ending:
    """Once `stopping` is set, every request hears that its client has gone, and an answer half given is completed."""

    def __init__(self, app: asgi.ASGIApp, stopping: asyncio.Event) -> None:
        self._app, self._stopping = app, stopping

    async def __call__(self, scope: asgi.Scope, receive: asgi.Receive, send: asgi.Send) -> None:
        is_read = is_open = False

        async def receive_until_stopping() -> asgi.Message:
            nonlocal is_read
            if is_read:
                return await self._until_stopping(receive)
            message = await receive()
            is_read = not message.get("more_body", False)
            return message

        async def noting(message: asgi.Message) -> None:
            nonlocal is_open
            is_open = message["type"] == "http.response.start" or message.get("more_body", False)
            await send(message)

        try:
            await self._app(scope, receive_until_stopping, noting)
        finally:
            if is_open and self._stopping.is_set():
                await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _until_stopping(self, receive: asgi.Receive) -> asgi.Message:
        hearing = asyncio.ensure_future(receive())
        stopping = asyncio.ensure_future(self._stopping.wait())
        try:
            await asyncio.wait({hearing, stopping}, return_when=asyncio.FIRST_COMPLETED)
            return hearing.result() if hearing.done() else {"type": "http.disconnect"}
        finally:
            hearing.cancel()
            stopping.cancel()
