"""An application lives inside a FastAPI or Starlette application of the user's own."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from fastapi import FastAPI, Request
from starlette.applications import Starlette
from starlette.requests import Request as StarletteRequest
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from framework import AppContext, Application, Module
from framework.web import install, lifespan

MEMORY = {"framework": {"database_url": "sqlite+aiosqlite:///:memory:"}}

pytestmark = pytest.mark.usefixtures("empty_project")

Lifespan = Callable[[Any], contextlib.AbstractAsyncContextManager[Any]]


class Greeter(Module):
    id = "acme.greeter"

    def __init__(self, events: list[str]) -> None:
        self.events = events

    @contextlib.asynccontextmanager
    async def lifespan(self, app_context: AppContext) -> AsyncIterator[None]:
        self.events.append("ours starts")
        yield
        self.events.append("ours stops")


@pytest.fixture
def application(events: list[str]) -> Application:
    return Application(modules=[Greeter(events)], settings=MEMORY)


@pytest.fixture
def users_own(events: list[str]) -> Lifespan:
    @contextlib.asynccontextmanager
    async def users_lifespan(app: Any) -> AsyncIterator[dict[str, str]]:
        events.append("user's starts")
        yield {"pool": "the user's pool"}
        events.append("user's stops")

    return users_lifespan


def test_a_fastapi_application_starts_and_stops_it(application: Application, events: list[str]) -> None:
    app = FastAPI(lifespan=lifespan(application))

    @app.get("/health")
    async def health(request: Request) -> Any:
        return await request.app.state.app_context.health()

    with TestClient(app) as client:
        answer = client.get("/health").json()

    assert answer["modules"] == {"acme.greeter": {"status": "healthy"}}
    assert events == ["ours starts", "ours stops"]


def test_an_existing_fastapi_application_keeps_its_own_lifespan_and_state(
    application: Application, events: list[str], users_own: Lifespan
) -> None:
    app = FastAPI(lifespan=users_own)
    install(app, application)

    @app.get("/")
    async def root(request: Request) -> dict[str, str]:
        return {"pool": request.state.pool, "phase": request.app.state.app_context.phase}

    with TestClient(app) as client:
        answer = client.get("/").json()

    assert answer == {"pool": "the user's pool", "phase": "running"}
    assert events == ["user's starts", "ours starts", "ours stops", "user's stops"]


def test_an_existing_starlette_application_keeps_its_own_lifespan_and_state(
    application: Application, events: list[str], users_own: Lifespan
) -> None:
    async def root(request: StarletteRequest) -> JSONResponse:
        return JSONResponse({"pool": request.state.pool, "phase": request.app.state.app_context.phase})

    app = Starlette(routes=[Route("/", root)], lifespan=users_own)
    install(app, application)

    with TestClient(app) as client:
        answer = client.get("/").json()

    assert answer == {"pool": "the user's pool", "phase": "running"}
    assert events == ["user's starts", "ours starts", "ours stops", "user's stops"]


def test_an_application_without_a_lifespan_gains_one(application: Application, events: list[str]) -> None:
    app = Starlette()
    install(app, application)

    with TestClient(app):
        running = app.state.app_context.phase.value

    assert running == "running"
    assert events == ["ours starts", "ours stops"]
