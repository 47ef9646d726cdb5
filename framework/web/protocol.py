"""Connections that do not go on for ever: uvicorn bounds neither a request's head nor its time."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEAD = 64 * 1024  # bytes of request line and headers
WHOLE_WITHIN = 60.0  # seconds in which a request must have come, from the connection or its first byte


class BoundedProtocol(HttpToolsProtocol):
    """Ends a connection whose request has too long a head, or does not come whole in time."""

    _head = 0
    _is_in_head = True
    _too_late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._expect()

    def connection_lost(self, exc: Exception | None) -> None:
        self._expect_no_more()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        self._head += len(data) if self._is_in_head else 0
        super().data_received(data)
        if self._is_in_head and self._head > MAX_HEAD:
            self.send_400_response("The head of the request is too large.")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        if self._too_late is None:
            self._expect()

    def on_headers_complete(self) -> None:
        self._is_in_head, self._head = False, 0
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._is_in_head = True
        self._expect_no_more()
        super().on_message_complete()

    def _expect(self) -> None:
        self._too_late = self.loop.call_later(WHOLE_WITHIN, self.transport.close)

    def _expect_no_more(self) -> None:
        if self._too_late is not None:
            self._too_late.cancel()
            self._too_late = None
