"""The routes of all modules become one web application, whose refusals are problem documents."""

from __future__ import annotations

import logging

import pytest
from example_modules import MEMORY
from fastapi import APIRouter
from shopping import Street

from framework import AppContext, Application, Module
from framework.errors import FrameworkError
from framework.web.assembling import open_paths, web_application


async def test_a_module_serves_what_it_adds_in_its_first_phase(shop: Street) -> None:
    assert (await shop.ask("GET", "/api/shop/phase")).json() == "running"


async def test_a_refusal_is_a_problem_document_with_its_code_and_details(shop: Street) -> None:
    answer = await shop.ask("GET", "/api/shop/gone")

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
        ("GET", "/api/shop/phase/", 404, "NOT_FOUND"),
        ("GET", "/api/shop/%2e%2e/%2e%2e/etc/passwd", 404, "NOT_FOUND"),
        ("DELETE", "/api/shop/phase", 405, "METHOD_NOT_ALLOWED"),
        ("POST", "/api/shop/close?after=many", 422, "INVALID_REQUEST"),
    ],
)
async def test_whatever_goes_wrong_is_a_problem_document(
    shop: Street, method: str, path: str, status: int, code: str
) -> None:
    answer = await shop.ask(method, path)

    assert (answer.status_code, answer.json()["code"], answer.json()["status"]) == (status, code, status)


async def test_a_mistake_of_the_program_is_logged_once_and_told_nobody(
    shop: Street, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        answer = await shop.ask("GET", "/api/shop/broken")

    assert (answer.status_code, answer.json()["code"]) == (500, "INTERNAL_ERROR")
    assert "secret" not in answer.text
    (record,) = caplog.records
    assert record.getMessage() == "a request failed: GET /api/shop/broken"
    assert "the secret of the shop" in caplog.text


async def test_who_lacks_a_routes_scope_is_refused_by_name(locked_shop: Street) -> None:
    answer = await locked_shop.ask("POST", "/api/shop/close", token="the reader's token")

    assert (answer.status_code, answer.json()["code"]) == (403, "FORBIDDEN")
    assert "'operate'" in answer.json()["detail"]
    assert "the reader's token" in answer.json()["detail"]


class Careless(Module):
    id = "acme.careless"

    def register(self, app_context: AppContext) -> None:
        app_context.add_routes(self.routes)

    def routes(self, app_context: AppContext) -> APIRouter:
        router = APIRouter()

        @router.get("/everything")
        async def everything() -> str:
            return "everything"

        return router


@pytest.mark.usefixtures("empty_project")
async def test_a_route_that_does_not_say_who_may_use_it_is_not_served() -> None:
    async with Application(modules=[Careless()], settings=MEMORY) as app_context:
        app = web_application(app_context)
        with pytest.raises(FrameworkError, match="the route GET /everything does not say who may use it"):
            open_paths(app)
