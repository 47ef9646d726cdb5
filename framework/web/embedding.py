"""Plugs an application into a FastAPI or Starlette application of the user's own; imports neither."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from framework.application import Application


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


def install(app: Any, application: Application) -> None:
    """Start and stop the application with an existing web application, inside the lifespan that this already has.

    The user's lifespan starts first and stops last, and its state is kept. The web application must be the one that
    the server runs: lifespans of mounted applications do not run.
    """
    users_own = app.router.lifespan_context
    ours = lifespan(application)

    @asynccontextmanager
    async def both(running: Any) -> AsyncIterator[Any]:
        async with users_own(running) as state, ours(running):
            yield state

    app.router.lifespan_context = both
