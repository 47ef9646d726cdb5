"""The routes of all modules become one web application, whose refusals are problem documents."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi import APIRouter, Depends
from starlette.testclient import TestClient

from framework import AppContext, Application, Module
from framework.caller import Caller, Door, Scope, calling
from framework.result import Result
from framework.web.assembling import web_application
from framework.web.problems import unwrapped
from framework.web.scopes import requires

MEMORY = {"framework": {"database_url": "sqlite+aiosqlite:///:memory:"}}

pytestmark = pytest.mark.usefixtures("empty_project")


class Shop(Module):
    id = "acme.shop"

    def register(self, app_context: AppContext) -> None:
        app_context.add_routes(self.routes)

    def routes(self, app_context: AppContext) -> APIRouter:
        router = APIRouter(prefix="/shop")

        @router.get("/phase")
        async def phase() -> str:
            return app_context.phase.value

        @router.get("/gone")
        async def gone() -> Any:
            return unwrapped(Result.error("SOLD_OUT", "nothing is left", {"since": "Monday"}), {"SOLD_OUT": 409})

        @router.post("/order", dependencies=[Depends(requires(Scope.OPERATE))])
        async def order(number: int) -> int:
            return number

        @router.get("/broken")
        async def broken() -> None:
            raise RuntimeError("the secret of the shop")

        return router


@pytest.fixture
async def client() -> Any:
    async with Application(modules=[Shop()], settings=MEMORY) as app_context:
        yield TestClient(web_application(app_context), raise_server_exceptions=False)


async def test_a_module_serves_what_it_adds_in_its_first_phase(client: TestClient) -> None:
    assert client.get("/shop/phase").json() == "running"


async def test_a_refusal_is_a_problem_document_with_its_code_and_details(client: TestClient) -> None:
    answer = client.get("/shop/gone")
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status_code, answer.json()) == (
        409,
        {
            "type": "urn:chamberlain:problem:sold-out",
            "title": "Conflict",
            "status": 409,
            "detail": "nothing is left",
            "code": "SOLD_OUT",
            "details": {"since": "Monday"},
        },
    )


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "NOT_FOUND"),
        ("DELETE", "/shop/phase", 405, "METHOD_NOT_ALLOWED"),
        ("POST", "/shop/order?number=many", 422, "INVALID_REQUEST"),
        ("GET", "/shop/broken", 500, "INTERNAL_ERROR"),
    ],
)
async def test_whatever_goes_wrong_is_a_problem_document(
    client: TestClient, method: str, path: str, status: int, code: str
) -> None:
    answer = client.request(method, path)
    assert (answer.status_code, answer.json()["code"], answer.json()["status"]) == (status, code, status)
    assert "secret" not in answer.text


async def test_who_lacks_a_routes_scope_is_refused_by_name(client: TestClient) -> None:
    with calling(Caller("reader", Door.API, frozenset({Scope.READ}))):
        answer = client.post("/shop/order?number=1")
    assert (answer.status_code, answer.json()["code"]) == (403, "FORBIDDEN")
    assert "operate" in answer.json()["detail"]
    assert "reader" in answer.json()["detail"]
