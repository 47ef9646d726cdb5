"""A route of plain parameters is answered without FastAPI's detour, and means what FastAPI says that it means."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

import pytest
from fastapi import APIRouter, Depends, FastAPI, Query
from fastapi.exceptions import RequestValidationError
from httpx2 import ASGITransport, AsyncClient
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from framework.caller import Scope
from framework.web.problems import Problem
from framework.web.scopes import requires
from framework.web.strict_route import StrictRoute

READ = [Depends(requires(Scope.READ))]


async def shut() -> None:
    raise Problem(403, "SHUT", "not today")


async def shelf(
    number: int,
    wide: bool | None = None,
    word: Annotated[str | None, Query()] = None,
    limit: Annotated[int, Query(le=9)] = 5,
) -> Response:
    return JSONResponse([number, wide, word, limit])


async def shelves(name: Annotated[list[str], Query()] = []) -> Response:  # noqa: B006  # FastAPI's own way
    return JSONResponse(name)


async def stairs(request: Request, floor: int = 0) -> Response:
    return JSONResponse([request.url.path, floor])


async def cellar(depth: int = 1) -> dict[str, int]:
    return {"depth": depth}


def house() -> APIRouter:
    router = APIRouter(route_class=StrictRoute, dependencies=READ)
    for path, handler in (("/shelves/{number}", shelf), ("/all", shelves), ("/stairs", stairs), ("/cellar", cellar)):
        router.add_api_route(path, handler)
    return router


@pytest.fixture
async def client() -> AsyncIterator[AsyncClient]:
    """A house that can be entered by one door and not by the other, which only the inclusion shuts."""
    app = FastAPI()
    app.include_router(house())
    app.include_router(house(), prefix="/shut", dependencies=[Depends(shut)])
    app.add_exception_handler(Problem, lambda _, problem: problem.response())  # type: ignore[attr-defined]
    app.add_exception_handler(RequestValidationError, lambda _, error: JSONResponse(error.errors(), 422))  # type: ignore[attr-defined]
    async with AsyncClient(transport=ASGITransport(app), base_url="http://house") as client:
        yield client


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/shelves/3", [3, None, None, 5]),
        ("/shelves/3?wide=no&word=%C3%A4+b&limit=9", [3, False, "ä b", 9]),
        ("/shelves/3?word=&limit=1&limit=2", [3, None, "", 2]),
        ("/all?name=a&name=b", ["a", "b"]),
        ("/stairs?floor=2", ["/stairs", 2]),
        ("/cellar", {"depth": 1}),
    ],
)
async def test_parameters_are_read_as_they_are_declared(client: AsyncClient, path: str, answer: object) -> None:
    answered = await client.get(path)

    assert (answered.status_code, answered.json()) == (200, answer)


async def test_every_wrong_parameter_is_told_and_an_unknown_one_refused(client: AsyncClient) -> None:
    wrong = await client.get("/shelves/three?limit=10&wide=perhaps")
    unknown = await client.get("/shelves/3?wdie=no")

    assert [error["loc"] for error in wrong.json()] == [["path", "number"], ["query", "wide"], ["query", "limit"]]
    assert (unknown.status_code, unknown.json()["code"]) == (422, "INVALID_REQUEST")


@pytest.mark.parametrize("path", ["/shelves/3", "/all", "/stairs", "/cellar"])
async def test_what_an_inclusion_asks_for_is_asked_all_the_same(client: AsyncClient, path: str) -> None:
    answered = await client.get(f"/shut{path}")

    assert (answered.status_code, answered.json()["code"]) == (403, "SHUT")
