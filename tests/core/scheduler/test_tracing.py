"""A trace leads from where a task was scheduled to where its function ran, and costs nothing where nobody traces."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from nodes import Stuck
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from modules.core.scheduler import ExecutionContext
from modules.core.scheduler.tables import events

only_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def exporter(monkeypatch: Any) -> Iterator[InMemorySpanExporter]:
    """Tracing as an application sets it up, for one test."""
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
    monkeypatch.setattr(trace, "get_tracer", lambda *names, **_: provider.get_tracer(*names[:2]))
    yield exporter
    provider.shutdown()


def spans(exporter: InMemorySpanExporter, kind: SpanKind) -> list[ReadableSpan]:
    return [span for span in exporter.get_finished_spans() if span.kind is kind]


async def test_a_function_runs_in_a_trace_of_its_own_that_links_to_where_it_was_scheduled(
    node: Any, exporter: InMemorySpanExporter
) -> None:
    seen: list[Any] = []

    def note(context: ExecutionContext) -> None:
        seen.append((context.execution_id, trace.get_current_span().get_span_context().span_id))

    node.register("trace", note)
    with trace.get_tracer("the shop").start_as_current_span("order") as order:
        task_id = await node.add("trace", queue="mails")
        await node.add("trace", delay=60, key="named", queue="mails")

    await node.scheduler.run_due()
    await node.pass_time(60)

    (sent, later), (processed, again) = spans(exporter, SpanKind.PRODUCER), spans(exporter, SpanKind.CONSUMER)
    assert (sent.name, processed.name) == ("send mails", "process mails")
    assert sent.parent is not None
    assert sent.parent.span_id == order.get_span_context().span_id
    assert processed.parent is None
    assert [link.context.span_id for link in (*processed.links, *again.links)] == [
        sent.context.span_id,
        later.context.span_id,
    ]
    assert processed.links[0].context.trace_id == sent.context.trace_id != processed.context.trace_id
    assert seen[0] == (dict(processed.attributes or {})["messaging.message.id"], processed.context.span_id)
    assert dict(sent.attributes or {}) == {
        "messaging.system": "chamberlain",
        "messaging.operation.name": "send",
        "messaging.operation.type": "send",
        "messaging.destination.name": "mails",
        "messaging.message.id": task_id,
    }


async def test_each_occurrence_and_each_retry_links_to_where_the_task_was_scheduled(
    node: Any, exporter: InMemorySpanExporter
) -> None:
    node.register("fail", lambda: 1 / 0)
    await node.add_every(60, "fail", max_retries=1, retry_delay=10, retry_jitter=0)
    (sent,) = spans(exporter, SpanKind.PRODUCER)

    for _ in range(2):
        await node.pass_time(60)
        await node.pass_time(10)

    processed = spans(exporter, SpanKind.CONSUMER)
    assert [dict(span.attributes or {})["chamberlain.attempt"] for span in processed] == [1, 2, 1, 2]
    assert {span.links[0].context.span_id for span in processed} == {sent.context.span_id}
    assert {dict(span.attributes or {})["error.type"] for span in processed} == {"ZeroDivisionError"}
    assert {span.status.status_code for span in processed} == {StatusCode.ERROR}


async def test_a_run_by_hand_and_an_event_link_to_who_asked_for_it(node: Any, exporter: InMemorySpanExporter) -> None:
    task_id = await node.add(delay=3_600)
    await node.add(trigger={"type": "event", "event": "paid"})
    with trace.get_tracer("a person").start_as_current_span("click") as click:
        await node.scheduler.execute_task(task_id)
        await node.scheduler.emit("paid")

    await node.scheduler.run_due()

    links = [span.links[0].context.span_id for span in spans(exporter, SpanKind.CONSUMER)]
    assert links == [click.get_span_context().span_id] * 2


@only_sqlite
async def test_a_timeout_is_an_error_of_its_span(node: Any, exporter: InMemorySpanExporter) -> None:
    stuck = Stuck()
    node.register("hang", stuck.run)
    await node.add("hang", timeout=1)
    await node.scheduler.turn()
    await stuck.started.wait()
    await node.pass_time(2)

    (processed,) = spans(exporter, SpanKind.CONSUMER)
    assert dict(processed.attributes or {})["error.type"] == "TIMEOUT"


@only_sqlite
async def test_a_batch_is_one_span_and_a_refusal_its_error(node: Any, exporter: InMemorySpanExporter) -> None:
    task = {"name": "n", "module_id": "acme.test", "function_name": "note", "schedule_time": "now"}
    await node.scheduler.schedule_tasks([task, {**task, "queue": "mails"}])

    await node.scheduler.schedule_task({**task, "key": "k"})
    await node.scheduler.schedule_task({**task, "key": "k", "on_conflict": "error"})

    batch, _, refused = spans(exporter, SpanKind.PRODUCER)
    assert (batch.name, dict(batch.attributes or {})["messaging.batch.message_count"]) == ("send several", 2)
    assert dict(refused.attributes or {})["error.type"] == "ALREADY_EXISTS"


@only_sqlite
async def test_a_stored_trace_that_is_none_is_ignored(node: Any, exporter: InMemorySpanExporter) -> None:
    task_id = await node.add(delay=60)
    await node.damage(task_id, traceparent="00-zz-01")

    await node.pass_time(60)

    (processed,) = spans(exporter, SpanKind.CONSUMER)
    assert (processed.links, await node.states(task_id)) == ((), ["succeeded"])


@only_sqlite
async def test_without_tracing_nothing_is_remembered(node: Any) -> None:
    await node.add()
    await node.scheduler.run_due()

    stored = await node.app_context.database.read(lambda c: c.execute(events.select()).all())
    assert {row.traceparent for row in stored} == {None}
