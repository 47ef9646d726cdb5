"""Spans of OpenTelemetry around scheduling and around functions, linked by what a row remembers.

Nothing happens, and nothing is imported, in an application that has set up no tracing.
"""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from importlib import metadata
from typing import TYPE_CHECKING, Any

from sqlalchemy import Row

from framework.result import Result
from modules.core.scheduler.execution import Outcome, Reason, State

if TYPE_CHECKING:
    from opentelemetry.trace import Link, Span, Tracer

SYSTEM = "chamberlain"
VERSION = metadata.version(SYSTEM)
MOST_ERROR = 200
Created = Result[list[dict[str, Any]]]
TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")  # W3C Trace Context, version 00


def tracer() -> Tracer | None:
    """Return the tracer where the application has set up tracing, else None."""
    api: Any = sys.modules.get("opentelemetry.trace")
    if api is None or isinstance(api.get_tracer_provider(), api.ProxyTracerProvider | api.NoOpTracerProvider):
        return None
    found: Tracer = api.get_tracer(SYSTEM, VERSION)
    return found


def traceparent() -> str | None:
    """Return the span in which this happens, as `traceparent` of W3C Trace Context; None outside of any."""
    api: Any = sys.modules.get("opentelemetry.trace")
    here = None if api is None else api.get_current_span().get_span_context()
    if here is None or not here.is_valid:
        return None
    return f"00-{here.trace_id:032x}-{here.span_id:016x}-{here.trace_flags:02x}"


@contextmanager
def sending(queues: Sequence[str]) -> Iterator[Callable[[Created], Created]]:
    """What happens inside schedules tasks of these queues: a span of its own, which is told what came of it."""
    found = tracer()
    if found is None:
        yield lambda stored: stored
        return
    from opentelemetry.trace import SpanKind

    queue = queues[0] if len(set(queues)) == 1 else "several"
    attributes: dict[str, Any] = _attributes("send", queue)
    if len(queues) != 1:
        attributes["messaging.batch.message_count"] = len(queues)
    with found.start_as_current_span(f"send {queue}", kind=SpanKind.PRODUCER, attributes=attributes) as span:
        yield partial(_told, span)


def _told(span: Span, stored: Created) -> Created:
    if stored.error is not None:
        _failed(span, stored.error.code, stored.error.message)
    elif len(stored.data) == 1:
        span.set_attribute("messaging.message.id", stored.data[0]["task_id"])
    return stored


async def processing(
    row: Row[Any], work: Callable[[], Awaitable[Outcome]], why: Callable[[], Reason | None]
) -> Outcome:
    """Do the work of an execution in a span that begins a trace of its own, with a link to where it was scheduled.

    `why` tells the reason where it is cancelled.
    """
    from opentelemetry.context import Context
    from opentelemetry.trace import SpanKind, get_tracer

    attributes = _attributes("process", row.queue) | {
        "messaging.message.id": row.id,
        "chamberlain.task.id": row.event_id,
        "chamberlain.task.name": row.name,
        "chamberlain.function": row.function_key,
        "chamberlain.attempt": row.attempt,
    }
    with get_tracer(SYSTEM, VERSION).start_as_current_span(
        f"process {row.queue}",
        context=Context(),
        kind=SpanKind.CONSUMER,
        links=_links(row.traceparent),
        attributes=attributes,
        record_exception=False,
        set_status_on_exception=False,
    ) as span:
        try:
            outcome = await work()
        except asyncio.CancelledError:
            _failed(span, str(why() or "cancelled"), None)
            raise
        if outcome.state is not State.SUCCEEDED:
            _failed(span, outcome.error_type or outcome.state.value, outcome.error)
        return outcome


def _attributes(operation: str, queue: str) -> dict[str, Any]:
    return {
        "messaging.system": SYSTEM,
        "messaging.operation.name": operation,
        "messaging.operation.type": operation,
        "messaging.destination.name": queue,
    }


def _links(text: str | None) -> list[Link]:
    """Return the link to a stored span; what is stored and no `traceparent` is left out."""
    from opentelemetry.trace import Link, SpanContext, TraceFlags

    read = TRACEPARENT.fullmatch(text or "")
    if read is None:
        return []
    trace_id, span_id, flags = (int(part, 16) for part in read.groups())
    return [Link(SpanContext(trace_id, span_id, is_remote=True, trace_flags=TraceFlags(flags)))]


def _failed(span: Span, kind: str, error: str | None) -> None:
    from opentelemetry.trace import Status, StatusCode

    span.set_attribute("error.type", kind)
    span.set_status(Status(StatusCode.ERROR, None if error is None else error[:MOST_ERROR]))
