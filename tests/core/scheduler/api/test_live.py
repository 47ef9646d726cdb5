"""Watching over HTTP: a stream of events, asked of the application itself, and the log of an execution."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from asking import PREFIX, Api

from framework.clock import SystemClock

log = logging.getLogger("acme.work")


class Stream:
    """A client that hears a stream, and goes when it likes."""

    def __init__(self) -> None:
        self.heard = b""
        self.status = 0
        self.headers: dict[bytes, bytes] = {}
        self.gone = asyncio.Event()
        self.ended = False
        self._asked = False

    async def receive(self) -> dict[str, Any]:
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], dict(message["headers"])
        else:
            self.heard += message.get("body", b"")
            self.ended = not message.get("more_body", False)

    def events(self) -> list[dict[str, Any]]:
        """Return what has come, but for comments."""
        found = []
        for block in self.heard.split(b"\n\n"):
            fields = dict(line.split(b": ", 1) for line in block.split(b"\n") if line and line[:1] != b":")
            if b"data" in fields:
                told = {"event": fields[b"event"].decode(), "id": fields.get(b"id", b"").decode()}
                found.append(json.loads(fields[b"data"]) | told)
        return found


@asynccontextmanager
async def streaming(api: Api, path: str, query: str = "", **headers: str) -> AsyncIterator[Stream]:
    """Hear a stream inside; at the end the client goes."""
    stream = Stream()
    named = [(name.replace("_", "-").lower().encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http"}
    scope |= {"path": PREFIX + path, "raw_path": (PREFIX + path).encode(), "query_string": query.encode()}
    scope |= {"root_path": "", "headers": [(b"host", b"127.0.0.1"), *named], "client": ("127.0.0.1", 1)}
    scope |= {"server": ("127.0.0.1", 8000)}
    serving = asyncio.create_task(api.app(scope, stream.receive, stream.send))  # type: ignore[arg-type]
    try:
        await until(lambda: stream.heard != b"" or serving.done())
        yield stream
    finally:
        stream.gone.set()
        await serving


async def until(holds: Any) -> None:
    while not holds():
        await SystemClock().sleep(0.002)


async def test_events_are_streamed_each_with_its_id_and_kind(api: Api, node: Any) -> None:
    node.clock.advance(10)
    async with streaming(api, "/events/stream", "kind=task&kind=execution") as stream:
        task_id = await node.add(name="naïve\u2028")
        await node.scheduler.run_due()
        await node.scheduler.live.look()
        await until(lambda: stream.events() and stream.events()[-1].get("what") == "succeeded")
    created, *_, ended = stream.events()

    assert stream.status == 200
    assert stream.headers[b"content-type"].startswith(b"text/event-stream")
    assert stream.headers[b"cache-control"] == b"no-store"
    assert (created["event"], created["task_id"], created["task_name"]) == ("task", task_id, "naïve\u2028")
    assert (ended["event"], ended["what"], ended["end_time"]) == ("execution", "succeeded", "2026-01-05T12:00:10Z")
    assert created["id"] < ended["id"]


async def test_a_stream_of_one_task_leaves_the_others_out(api: Api, node: Any) -> None:
    node.clock.advance(10)
    wanted = await node.add_every(60, name="wanted")
    async with streaming(api, "/events/stream", f"task={wanted}&kind=execution") as stream:
        await node.add(delay=60)
        await node.pass_time(60)
        await node.scheduler.live.look()
        await until(stream.events)

    assert {event["task_id"] for event in stream.events()} == {wanted}


async def test_a_client_that_comes_again_hears_what_it_has_missed(api: Api, node: Any) -> None:
    node.clock.advance(10)
    async with streaming(api, "/events/stream", "kind=execution") as stream:
        await node.add()
        await node.scheduler.run_due()
        await node.scheduler.live.look()
        await until(stream.events)
    (first,) = stream.events()
    node.clock.advance(60)
    missed = await node.add()
    await node.scheduler.run_due()
    async with streaming(api, "/events/stream", "kind=execution", last_event_id=first["id"]) as again:
        await node.scheduler.live.look()
        await until(again.events)

    assert missed in [event["task_id"] for event in again.events()]


@pytest.mark.parametrize("kind", ["events", "log"])
async def test_a_silent_stream_beats_and_one_of_the_old_age_ends(api: Api, node: Any, task_id: str, kind: str) -> None:
    execution_id = (await node.scheduler.execute_task(task_id)).unwrap()["execution_id"]
    node.clock.advance(10)
    ways = {"events": ("/events/stream", "kind=cleanup"), "log": (f"/executions/{execution_id}/logs", "follow=true")}
    async with streaming(api, *ways[kind]) as stream:
        while b": still here" not in stream.heard:
            node.clock.advance(1)
            await SystemClock().sleep(0.002)
        while not stream.ended:
            node.clock.advance(60)
            await SystemClock().sleep(0.002)

    assert stream.events() == []


async def test_a_stream_ends_when_the_client_goes_and_when_the_scheduler_stops(api: Api, node: Any) -> None:
    node.clock.advance(10)
    ticker = node.scheduler.live._ticker
    async with streaming(api, "/events/stream"):
        assert len(ticker._viewers) == 1
    assert len(ticker._viewers) == 0

    async with streaming(api, "/events/stream") as stream:
        await node.scheduler.stop_background_processing()
        await until(lambda: stream.ended)


async def test_the_log_of_an_execution_is_read_by_pages_and_streamed_to_its_end(
    api: Api, node: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="acme")

    async def work() -> None:
        for number in range(1, 4):
            log.info("line %d \x1b[31m\n\ndata: {}", number)

    node.register("work", work)
    task_id = await node.add("work")
    await node.scheduler.run_due()
    (execution,) = await node.history(task_id)
    path = f"/executions/{execution['id']}/logs"
    page = await api.get(path, after=1, limit=1)
    async with streaming(api, path, "follow=true") as whole:
        await until(lambda: whole.ended)
    async with streaming(api, path, "follow=true", last_event_id="2") as rest:
        await until(lambda: rest.ended)

    assert (page["state"], page["next_after"]) == ("succeeded", 2)
    assert [(line["number"], line["message"]) for line in page["lines"]] == [(2, "line 2 \x1b[31m\n\ndata: {}")]
    assert [(each["event"], each["id"]) for each in whole.events()] == [
        ("log", "1"),
        ("log", "2"),
        ("log", "3"),
        ("end", ""),
    ]
    assert [each["id"] for each in rest.events()] == ["3", ""]
    assert b"\x1b" not in whole.heard


async def test_what_cannot_be_streamed_is_refused_before_it_begins(api: Api) -> None:
    assert (await api.get("/events/stream", 422, kind="taks"))["code"] == "INVALID_KIND"
    assert (await api.get("/executions/nobody/logs", 404, follow=True))["code"] == "EXECUTION_NOT_FOUND"
    assert (await api.get("/executions/nobody/logs", 422, after=-1))["code"] == "INVALID_CURSOR"


async def test_statistics_are_answered_of_all_and_of_one_task(api: Api, node: Any) -> None:
    task_id = await node.add_every(60)
    await node.pass_time(60)
    everything = await api.get("/stats", window="1h")
    of_one = await api.get("/stats", task=task_id, window="7d")

    assert (everything["executions"], everything["by_state"], of_one["success_rate"]) == (1, {"succeeded": 1}, 1.0)
    assert (await api.get("/stats", 422, window="1y"))["code"] == "INVALID_WINDOW"
    assert (await api.get("/stats", 404, task="nobody"))["code"] == "TASK_NOT_FOUND"
