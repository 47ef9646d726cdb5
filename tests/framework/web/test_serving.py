"""An application served for real: on a socket, by uvicorn, in the application's own loop."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from collections.abc import AsyncIterator

import httpx2
import pytest
from example_modules import MEMORY
from fastapi import APIRouter, Depends
from fastapi.responses import StreamingResponse
from shopping import KEEPER, Keys, Shop

from framework import AppContext, Application, Module
from framework.caller import Scope
from framework.errors import FrameworkError
from framework.web import protocol
from framework.web.protocol import BoundedProtocol
from framework.web.scopes import requires
from framework.web.serving import serving
from framework.web.sockets import are_for_here_only, listen, port_of, url_of

ANY_PORT = {"http_port": 0}

pytestmark = pytest.mark.usefixtures("empty_project")


def application(*modules: Module, **settings: object) -> Application:
    return Application(modules=modules, settings={"framework": {**MEMORY["framework"], **ANY_PORT, **settings}})


class Radio(Module):
    """Sends for as long as somebody listens."""

    id = "acme.radio"

    def __init__(self) -> None:
        self.listeners = 0

    def register(self, app_context: AppContext) -> None:
        app_context.add_routes(self.routes)

    def routes(self, app_context: AppContext) -> APIRouter:
        router = APIRouter()

        async def music() -> AsyncIterator[bytes]:
            self.listeners += 1
            try:
                yield b"la"
                await asyncio.Event().wait()
            finally:
                self.listeners -= 1

        @router.get("/radio", dependencies=[Depends(requires(Scope.READ))])
        async def radio() -> StreamingResponse:
            return StreamingResponse(music(), media_type="text/event-stream")

        return router


async def test_an_application_is_served_while_it_runs_and_no_longer() -> None:
    handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    async with application(Shop()) as app_context:
        async with serving(app_context) as url, httpx2.AsyncClient() as client:
            phase = (await client.get(f"{url}/api/shop/phase")).json()
            assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == handlers
        async with httpx2.AsyncClient() as client:
            with pytest.raises(httpx2.ConnectError):
                await client.get(f"{url}/api/shop/phase")

    assert phase == "running"


async def test_a_stream_without_an_end_ends_when_the_server_stops() -> None:
    radio = Radio()
    async with application(radio) as app_context, httpx2.AsyncClient() as client:
        served = contextlib.AsyncExitStack()
        url = await served.enter_async_context(serving(app_context))
        async with client.stream("GET", f"{url}/radio") as answer:
            parts = answer.aiter_bytes()
            first = await anext(parts)
            playing = radio.listeners
            await served.aclose()
            rest = [part async for part in parts]  # a connection that is cut off would raise

    assert (first, playing, rest, radio.listeners) == (b"la", 1, [], 0)


async def test_a_port_that_is_taken_is_one_clear_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        async with application(http_port=port) as app_context:
            with pytest.raises(FrameworkError, match=f"port {port} of 127.0.0.1 is taken by another program; stop"):
                async with serving(app_context):
                    pass


async def test_a_host_that_is_none_of_ours_is_one_clear_sentence() -> None:
    with pytest.raises(FrameworkError, match=r"nothing can listen on 192\.0\.2\.1"):
        listen("192.0.2.1", 0)
    with pytest.raises(FrameworkError, match="FRAMEWORK_HTTP_HOST is 'no such host'"):
        listen("no such host", 0)


@pytest.mark.parametrize("host", ["0.0.0.0", ""])
async def test_other_machines_are_not_let_near_without_a_token(host: str) -> None:
    keys = Keys({})
    async with application(Shop(), keys, http_host=host) as app_context:
        with pytest.raises(FrameworkError, match="`chamberlain tokens create NAME --scope admin`"):
            async with serving(app_context):
                pass
        keys.tokens[KEEPER] = Scope.ADMIN
        async with serving(app_context) as url, httpx2.AsyncClient() as client:
            answer = await client.get(f"{url}/api/shop/who", headers={"authorization": f"Bearer {KEEPER}"})

    assert answer.json() == KEEPER


async def test_an_application_that_knows_no_tokens_is_for_this_machine_only() -> None:
    async with application(http_host="0.0.0.0") as app_context:
        with pytest.raises(FrameworkError, match=r"list the module core\.access, which knows"):
            async with serving(app_context):
                pass


async def test_nobody_is_several_by_a_header_nor_elsewhere() -> None:
    limits = {"http_rate_limit": 0.001, "http_rate_burst": 2}
    several = [{"x-forwarded-for": f"198.51.100.{number}"} for number in range(3)]
    async with application(**limits) as app_context, serving(app_context) as url, httpx2.AsyncClient() as client:
        answers = [await client.get(f"{url}/health/live", headers=headers) for headers in several]

    assert [answer.status_code for answer in answers] == [200, 200, 429]


def test_every_address_of_a_name_is_listened_on_at_one_port() -> None:
    sockets = listen("localhost", 0)
    try:
        assert len({each.getsockname()[1] for each in sockets}) == 1
        assert are_for_here_only(sockets)
        assert url_of(sockets).endswith(f":{port_of(sockets)}")
    finally:
        for each in sockets:
            each.close()


async def test_a_request_in_progress_may_end() -> None:
    arrived, may_end = asyncio.Event(), asyncio.Event()

    class Slow(Module):
        id = "acme.slow"

        def register(self, app_context: AppContext) -> None:
            app_context.add_routes(self.routes)

        def routes(self, app_context: AppContext) -> APIRouter:
            router = APIRouter()

            @router.get("/slow", dependencies=[Depends(requires(Scope.READ))])
            async def slow() -> str:
                arrived.set()
                await may_end.wait()
                return "done"

            return router

    async with application(Slow()) as app_context, httpx2.AsyncClient() as client:
        served = contextlib.AsyncExitStack()
        url = await served.enter_async_context(serving(app_context))
        asking = asyncio.create_task(client.get(f"{url}/slow"))
        await arrived.wait()
        stopping = asyncio.create_task(served.aclose())
        may_end.set()
        await stopping

    assert (await asking).json() == "done"


async def exchanged(url: str, *parts: bytes) -> bytes:
    """Send the parts over one connection; return what came until the server closed it."""
    reader, writer = await asyncio.open_connection(*url.removeprefix("http://").split(":"))
    answer = bytearray()
    with contextlib.suppress(ConnectionError):  # closed while we still sent
        for part in parts:
            writer.write(part)
            await writer.drain()
        while more := await reader.read(1000):
            answer += more
    writer.close()
    return bytes(answer)


async def test_a_request_with_too_long_a_head_is_cut_off() -> None:
    begin, end = b"GET /health/live HTTP/1.1\r\n", b"\r\nhost: localhost\r\nconnection: close\r\n\r\n"
    async with application() as app_context, serving(app_context) as url:
        short = await exchanged(url, begin, b"x: " + b"y" * 50_000, end)
        many = await exchanged(url, begin, *[b"x: y\r\n" * 50_000] * 3, end)
        long = await exchanged(url, begin, b"x: ", *[b"y" * 300_000] * 3, end)

    assert [b"200 OK" in answer for answer in (short, many, long)] == [True, False, False]


@pytest.mark.parametrize(
    "parts",
    [(), (b"GET /health/live HTTP/1.1\r\n",), (b"POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9\r\n\r\n{",)],
)
async def test_a_request_that_does_not_come_whole_in_time_is_cut_off(
    monkeypatch: pytest.MonkeyPatch, parts: tuple[bytes, ...]
) -> None:
    monkeypatch.setattr(protocol, "WHOLE_WITHIN", 0.05)
    async with application() as app_context, serving(app_context) as url:
        assert await exchanged(url, *parts) == b""


async def test_an_answer_may_take_longer_than_its_request(monkeypatch: pytest.MonkeyPatch) -> None:
    connections: list[BoundedProtocol] = []
    made = BoundedProtocol.connection_made
    monkeypatch.setattr(BoundedProtocol, "connection_made", lambda self, to: [connections.append(self), made(self, to)])
    async with (
        application(Radio()) as app_context,
        serving(app_context) as url,
        httpx2.AsyncClient() as client,
        client.stream("GET", f"{url}/radio") as answer,
    ):
        await anext(answer.aiter_bytes())
        (waiting,) = [each._too_late for each in connections]

    assert waiting is None


async def test_many_requests_come_over_one_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "MAX_HEAD", 300)
    request = b"GET /health/live HTTP/1.1\r\nhost: localhost\r\n\r\n"
    last = request.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n")
    async with application() as app_context, serving(app_context) as url:
        answer = await exchanged(url, *[request] * 20, last)

    assert answer.count(b"HTTP/1.1 200 OK") == 21
