"""Server-sent events: a stream that beats while nothing happens, and ends by itself now and then."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

from framework.clock import Clock
from framework.web.json_answer import JsonAnswer
from modules.core.scheduler.live import LiveEvent, Viewer

HEARTBEAT = 15.0  # seconds without an event until a comment is sent, so that proxies keep the connection
LONGEST = 900.0  # seconds of one stream; then the client comes again, and is asked who it is
HELLO = b"retry: 3000\n\n"
BEAT = b": still here\n\n"


async def sent(viewer: Viewer, clock: Clock) -> AsyncIterator[bytes]:
    """Yield the events that a viewer is told."""
    until = clock.monotonic() + LONGEST
    async with viewer:
        yield HELLO
        while clock.monotonic() < until:
            event = await viewer.next(HEARTBEAT)
            if event is not None:
                yield event.written(written)
            elif viewer.is_closed:
                return
            else:
                yield BEAT


async def sent_lines(lines: AsyncIterator[dict[str, Any]]) -> AsyncIterator[bytes]:
    """Yield log lines, each under its number, and an `end` when there are no more to come."""
    yield HELLO
    async for line in lines:
        yield written({"id": str(line["number"]), "kind": "log", **line})
    yield b"event: end\ndata: {}\n\n"


def written(event: LiveEvent | Mapping[str, Any]) -> bytes:
    """Return one event as it is sent; its JSON is ASCII, and one line."""
    data = JsonAnswer(dict(event)).body
    return f"id: {event['id']}\nevent: {event['kind']}\ndata: {bytes(data).decode()}\n\n".encode()
