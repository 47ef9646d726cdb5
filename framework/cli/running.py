"""The commands `chamberlain run` and `chamberlain worker`."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping
from socket import socket
from types import ModuleType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from framework.cli.opening import own_settings

if TYPE_CHECKING:
    from framework.context import AppContext

Host = Annotated[str | None, typer.Option(help="Address to listen on, instead of FRAMEWORK_HTTP_HOST.")]
Port = Annotated[int | None, typer.Option(min=0, max=65535, help="Port, instead of FRAMEWORK_HTTP_PORT; 0: any.")]
NoUi = Annotated[bool, typer.Option("--no-ui", help="Serve the API, and no pages for browsers.")]
NoHttp = Annotated[bool, typer.Option("--no-http", help="Serve nothing, as worker.")]


def run(
    context: typer.Context, host: Host = None, port: Port = None, no_ui: NoUi = False, no_http: NoHttp = False
) -> None:
    """Start the application of ./settings and the environment, and serve it over HTTP; Ctrl-C drains it and stops."""
    asked = (("http_host", host), ("http_port", port), ("http_ui", False if no_ui else None))
    given = {name: value for name, value in asked if value is not None}
    sockets = [] if no_http else _listening(given)
    try:
        _run(context.obj, given, sockets)
    finally:
        for each in sockets:
            each.close()


def worker(context: typer.Context) -> None:
    """Start it without serving anything: it only carries out tasks; Ctrl-C drains it and stops."""
    _run(context.obj, {}, [])


def _listening(given: Mapping[str, Any]) -> list[socket]:
    """Return sockets that listen already, before anything starts: whoever comes early waits."""
    from framework.web.sockets import listen

    own = own_settings().model_copy(update=given)
    return listen(own.http_host, own.http_port)


def _run(doors: Mapping[str, ModuleType], given: Mapping[str, Any], sockets: list[socket]) -> None:
    from framework.application import Application
    from framework.banner import OWN_LINES, Lines, announce
    from framework.foreground import carry_through, until_asked_to_stop
    from framework.logging import configure

    own = own_settings()
    as_json = own.log_format == "json"
    configure(own.log_level, "json" if as_json else "console")
    wordings = dict(OWN_LINES)
    for door in doors.values():
        wordings.update(getattr(door, "log_lines", {}))
    lines = Lines({} if as_json else wordings)
    announcements = {name: door.announce for name, door in doors.items() if hasattr(door, "announce")}

    async def work(app_context: AppContext) -> None:
        async with _served(app_context, sockets) as url:
            await announce(app_context, announcements, url=url, as_json=as_json)
            lines.release()
            await until_asked_to_stop()

    carry_through(Application(settings={"framework": given}), work)


@contextlib.asynccontextmanager
async def _served(app_context: AppContext, sockets: list[socket]) -> AsyncIterator[str | None]:
    if not sockets:
        yield None
        return
    from framework.web.serving import serving  # FastAPI takes a while to import

    async with serving(app_context, sockets) as url:
        yield url
