"""The guarded API inside a web application of the user's own, and as an ASGI application for any server."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest
from example_modules import MEMORY
from fastapi import FastAPI
from shopping import KEEPER, READER, Keys, Shop
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient

from framework import Application, Module
from framework.caller import Caller, Door, Scope
from framework.web import asgi, install, lifespan, router

HERE = ("127.0.0.1", 50_000)
URL = "http://localhost:8000"
WITH_TOKEN = {"authorization": f"Bearer {READER}"}

pytestmark = pytest.mark.usefixtures("empty_project")


def application(*further: Module) -> Application:
    return Application(modules=[Shop(), *further], settings=MEMORY)


def client_of(app: Any, **more: Any) -> TestClient:
    return TestClient(app, base_url=URL, client=HERE, **more)


@pytest.fixture(params=[FastAPI, Starlette])
def users_app(request: pytest.FixtureRequest) -> Any:
    """An application of the user's own."""
    app = request.param()
    app.add_route("/own", lambda request: PlainTextResponse("the user's own"))
    return app


def test_an_installed_application_is_served_below_its_path_and_guarded(users_app: Any) -> None:
    install(users_app, application(Keys()), path="/jobs")

    with client_of(users_app) as client:
        own = client.get("/own")
        phase = client.get("/jobs/api/shop/phase")
        statuses = [client.get("/jobs/api/shop/who").status_code, client.get("/jobs/nowhere").status_code]
        who = client.get("/jobs/api/shop/who", headers=WITH_TOKEN)
        foreign = client.get("/jobs/health/live", headers={"host": "evil.example"})
        page = client.post("/jobs/api/shop/close", headers={**WITH_TOKEN, "origin": "http://evil.example"})
        text = client.post("/jobs/api/shop/order", headers={"authorization": f"Bearer {KEEPER}"}, content=b"{}")

    assert (own.text, "content-security-policy" in own.headers) == ("the user's own", False)
    assert (phase.json(), "content-security-policy" in phase.headers) == ("running", True)
    assert (statuses, who.json()) == ([401, 401], READER)
    assert [answer.status_code for answer in (foreign, page, text)] == [421, 403, 415]


def test_a_mounted_application_wants_a_token_of_everybody() -> None:
    app = FastAPI()
    install(app, application(), path="/jobs")

    with client_of(app) as client:
        assert client.get("/jobs/api/shop/who").status_code == 401


def test_the_users_own_authentication_may_stand_in() -> None:
    async def authorize(request: Request) -> Caller | None:
        return Caller("anna", Door.API, frozenset({Scope.READ})) if request.headers.get("x-user") == "anna" else None

    app = FastAPI()
    install(app, application(), path="/jobs", authorize=authorize)

    with client_of(app) as client:
        anna = client.get("/jobs/api/shop/who", headers={"x-user": "anna"})
        statuses = [
            client.get("/jobs/api/shop/who", headers={"x-user": "otto"}).status_code,
            client.post("/jobs/api/shop/close", headers={"x-user": "anna"}).status_code,
        ]

    assert (anna.json(), statuses) == ("anna", [401, 403])


def test_a_lifespan_and_a_router_are_the_same_in_two_parts() -> None:
    ours = application()
    app = FastAPI(lifespan=lifespan(ours))
    app.mount("", router(ours))

    with client_of(app) as client:
        assert client.get("/api/shop/phase").json() == "running"


def test_what_is_mounted_and_does_not_run_is_not_ready() -> None:
    app = Starlette()
    app.mount("/jobs", router(application()))

    answer = client_of(app).get("/jobs/health/live")

    assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (503, "NOT_READY", "5")


def test_an_asgi_application_starts_and_stops_with_its_server() -> None:
    ours = application()
    app = asgi(ours)

    for _ in range(2):
        with client_of(app) as client:
            assert client.get("/api/shop/who").json() == "local"
            assert client.get("/health/ready").json() == {"status": "ready"}
        assert ours.app_context is None


def test_an_asgi_application_that_cannot_start_says_why() -> None:
    app = asgi(Application(settings={"framework": {"http_port": "many"}}))

    with pytest.raises(Exception, match="http_port of framework given in code is 'many'"), client_of(app):
        pass


def test_a_path_before_ours_stands_in_the_documents() -> None:
    with client_of(asgi(application()), root_path="/behind/a/proxy") as client:
        document = client.get("/behind/a/proxy/api/openapi.json").json()
        page = client.get("/behind/a/proxy/api/docs").text

    assert document["servers"] == [{"url": "/behind/a/proxy"}]
    assert re.findall('(?:href|src)="([^#"]+)"', page) == ["docs.css", "openapi.json"]


@pytest.fixture
def made_app(empty_project: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """What `uvicorn framework.asgi:app` serves, in an empty folder."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    from framework.asgi import app

    return app


def test_a_server_of_ones_own_serves_the_application_of_the_folder(
    made_app: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FRAMEWORK_DATABASE_URL", MEMORY["framework"]["database_url"])

    with client_of(made_app) as client:
        modules = client.get("/health").json()["modules"]

    assert modules["core.scheduler"] == {"status": "healthy"}
