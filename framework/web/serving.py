"""An application served over HTTP, by uvicorn, inside the event loop that the application runs in."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator, Sequence

import uvicorn

from framework.context import AppContext
from framework.errors import FrameworkError
from framework.settings import FrameworkSettings
from framework.web.assembling import open_paths, pages, web_application
from framework.web.authentication import access_service, any_token
from framework.web.ending import Ending
from framework.web.guard import guarded
from framework.web.prefixed import Prefixed
from framework.web.protocol import BoundedProtocol
from framework.web.rules import Rules
from framework.web.sockets import are_for_here_only, listen, url_of

GRACE = 5  # seconds that requests have to end when the server stops


@contextlib.asynccontextmanager
async def serving(app_context: AppContext, sockets: Sequence[socket.socket] | None = None) -> AsyncIterator[str]:
    """Serve a running application inside; yields its URL. The sockets, by default those of http_host, are closed after.

    Raises `FrameworkError` where the port is taken, and where others than this machine could reach the server while
    there is no token.
    """
    own = app_context.settings(FrameworkSettings)
    bound = list(listen(own.http_host, own.http_port) if sockets is None else sockets)
    try:
        await _refuse_to_be_open_to_all(app_context, bound)
        app = web_application(app_context)
        stopping = asyncio.Event()
        guard = guarded(app, Rules(app_context, open_paths(app), pages(app)))
        server = _server(Ending(Prefixed(guard, own.http_root_path), stopping))
        running = asyncio.create_task(server.serve(sockets=bound), name="http server")
        await _up(server, running)
        try:
            yield url_of(bound)
        finally:
            stopping.set()
            server.should_exit = True
            await running
    finally:
        for each in bound:
            each.close()


class _Server(uvicorn.Server):
    """A server that leaves the signals to the application, and says when it is up."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()


def _server(app: Ending) -> _Server:
    return _Server(
        uvicorn.Config(
            app,
            http=BoundedProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="warning",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=GRACE,
        )
    )


async def _up(server: _Server, running: asyncio.Task[None]) -> None:
    waiting = asyncio.create_task(server.up.wait())
    await asyncio.wait({waiting, running}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if running.done():
        await running
        raise FrameworkError("the HTTP server did not start")


async def _refuse_to_be_open_to_all(app_context: AppContext, sockets: Sequence[socket.socket]) -> None:
    access = access_service(app_context)
    if are_for_here_only(sockets) or await any_token(access):
        return
    cure = "create one with `chamberlain tokens create NAME --scope admin`"
    if access is None:
        cure = "list the module core.access, which knows tokens"
    raise FrameworkError(
        f"the HTTP server would be open to other machines at {url_of(sockets)}, and there is no token yet; {cure}, "
        "or listen on 127.0.0.1"
    )
