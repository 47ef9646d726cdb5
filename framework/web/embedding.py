"""Plugs an application into a web application of the user's own, or makes an ASGI object of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Any

from framework.application import Application
from framework.errors import one_line

if TYPE_CHECKING:
    from starlette import types

    from framework.context import AppContext
    from framework.web.rules import Authorize


def lifespan(application: Application) -> Callable[[Any], AbstractAsyncContextManager[None]]:
    """Return what `FastAPI(lifespan=…)` takes: it starts and stops the application with the server.

    The `AppContext` is then `request.app.state.app_context`.
    """

    @asynccontextmanager
    async def run(app: Any) -> AsyncIterator[None]:
        async with application as app_context:
            app.state.app_context = app_context
            yield

    return run


def install(app: Any, application: Application, path: str | None = None, authorize: Authorize | None = None) -> None:
    """Start and stop the application with an existing web application, inside the lifespan that this already has.

    The user's lifespan starts first and stops last, and its state is kept. The web application must be the one that
    the server runs: lifespans of mounted applications do not run. Where a `path` is given, `router` is mounted there.
    """
    users_own = app.router.lifespan_context
    ours = lifespan(application)

    @asynccontextmanager
    async def both(running: Any) -> AsyncIterator[Any]:
        async with users_own(running) as state, ours(running):
            yield state

    app.router.lifespan_context = both
    if path is not None:
        app.mount(path, router(application, authorize))


def router(application: Application, authorize: Authorize | None = None) -> Embedded:
    """Return what is mounted in a web application to serve the API there, guarded: `app.mount("/chamberlain", …)`.

    A token is always needed, unless `authorize`, given the Starlette request, returns the `Caller` or None for nobody:
    the application around it may stand where we cannot see who is on this machine.
    """
    return Embedded(application, authorize, mounted=True)


def asgi(application: Application, authorize: Authorize | None = None) -> Embedded:
    """Return an ASGI application for any server; its lifespan starts and stops the application."""
    return Embedded(application, authorize, mounted=False)


class Embedded:
    """An ASGI application that serves an `Application` while that runs, and answers 503 while it does not."""

    def __init__(self, application: Application, authorize: Authorize | None, *, mounted: bool) -> None:
        self._application, self._authorize, self._mounted = application, authorize, mounted
        self._served: tuple[AppContext, types.ASGIApp] | None = None

    async def __call__(self, scope: types.Scope, receive: types.Receive, send: types.Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        await self._app()(scope, receive, send)

    def _app(self) -> types.ASGIApp:
        from framework.web.assembling import open_paths, pages, web_application
        from framework.web.guard import guarded
        from framework.web.problems import Problem
        from framework.web.rules import Rules

        app_context = self._application.app_context
        if app_context is None:
            return Problem(503, "NOT_READY", "the application does not run", headers={"Retry-After": "5"}).response()
        if self._served is None or self._served[0] is not app_context:
            app = web_application(app_context)
            rules = Rules(app_context, open_paths(app), pages(app), mounted=self._mounted, authorize=self._authorize)
            self._served = app_context, guarded(app, rules)
        return self._served[1]

    async def _live(self, receive: types.Receive, send: types.Send) -> None:
        await receive()
        try:
            await self._application.start()
            self._app()
        except Exception as error:
            await self._application.stop()
            await send({"type": "lifespan.startup.failed", "message": one_line(error)})
            raise
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._application.stop()
        await send({"type": "lifespan.shutdown.complete"})
