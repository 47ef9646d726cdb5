"""Server-sent events: a stream that beats while nothing happens, and ends by itself now and then."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Mapping
from typing import Any, cast

from framework.clock import Clock
from framework.time_limit import finishes_within
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


async def sent_lines(lines: AsyncIterator[dict[str, Any]], clock: Clock) -> AsyncIterator[bytes]:
    """Yield log lines, each under its number, and an `end` when there are no more to come."""
    until = clock.monotonic() + LONGEST
    coming = _next_of(lines)
    try:
        yield HELLO
        while clock.monotonic() < until:
            if not await finishes_within(coming, clock, HEARTBEAT):
                yield BEAT
            elif (line := coming.result()) is None:
                yield b"event: end\ndata: {}\n\n"
                return
            else:
                yield written({"id": str(line["number"]), "kind": "log", **line})
                coming = _next_of(lines)
    finally:
        coming.cancel()
        await asyncio.wait([coming])


def _next_of(lines: AsyncIterator[dict[str, Any]]) -> asyncio.Task[dict[str, Any] | None]:
    coming = cast(Coroutine[Any, Any, dict[str, Any] | None], anext(lines, None))
    return asyncio.create_task(coming)


def written(event: LiveEvent | Mapping[str, Any]) -> bytes:
    """Return one event as it is sent; its JSON is ASCII, and one line."""
    data = JsonAnswer(dict(event)).body
    return f"id: {event['id']}\nevent: {event['kind']}\ndata: {bytes(data).decode()}\n\n".encode()
