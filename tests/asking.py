"""A client of the scheduler's API, for whom an answer that is not as documented is a failure."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
from fastapi import FastAPI
from fastapi.routing import APIRoute
from pydantic import TypeAdapter
from starlette.routing import Match

from framework import AppContext
from framework.web.assembling import web_application
from framework.web.paths import ProblemDocument

PREFIX = "/api/v1/scheduler"
HOURLY = {"name": "hourly", "module_id": "acme.test", "function_name": "note", "cron": "0 * * * *"}


class Api:
    """Asks, and checks that status and body are those that the document promises."""

    def __init__(self, app: FastAPI, client: httpx2.AsyncClient) -> None:
        self.app = app
        self.client = client

    async def get(self, path: str, status: int = 200, /, **query: Any) -> Any:
        """Ask, and return the JSON of the answer."""
        return (await self.ask("GET", path, status, params=query)).json()

    async def post(self, path: str, status: int = 200, /, **body: Any) -> Any:
        """Send a body, or none where no key is given."""
        given = {"json": body} if body else {}
        return (await self.ask("POST", path, status, **given)).json()

    async def ask(self, method: str, path: str, status: int | None = None, **given: Any) -> httpx2.Response:
        """Send a request; the answer must be as the document has it, and have this status."""
        answer = await self.client.request(method, PREFIX + path, **given)
        assert status in (None, answer.status_code), answer.text
        self._check(answer)
        return answer

    def _check(self, answer: httpx2.Response) -> None:
        request = answer.request
        route = self._route(request.method, request.url.path)
        where = f"{request.method} {request.url}: {answer.status_code} {answer.text[:500]}"
        if route is None:
            assert answer.json()["code"] in ("NOT_FOUND", "METHOD_NOT_ALLOWED"), where
            return
        if answer.status_code >= 400:
            assert answer.status_code in route.responses, where
            assert answer.headers["content-type"] == "application/problem+json", where
            problem = ProblemDocument.model_validate_json(answer.text)
            documented = route.responses[answer.status_code]["description"]
            assert f"`{problem.code}`" in documented, f"{where}; only {documented}"
        else:
            assert answer.status_code == route.status_code, where
            TypeAdapter(route.response_model).validate_json(answer.text, strict=True)

    def _route(self, method: str, path: str) -> APIRoute | None:
        scope = {"type": "http", "method": method, "path": path, "root_path": "", "headers": []}
        for route in api_routes(self.app):
            if route.matches(scope)[0] is Match.FULL:
                return route
        return None


def api_routes(app: FastAPI) -> list[APIRoute]:
    """Return the routes that modules have added; some releases of FastAPI keep them in routers of their own."""
    found = [inner for route in app.routes for inner in getattr(route, "original_router", app).routes]
    return [route for route in {id(each): each for each in found}.values() if isinstance(route, APIRoute)]


@asynccontextmanager
async def asked(app_context: AppContext) -> AsyncIterator[Api]:
    """Give a client of the whole web application, past what guards it."""
    app = web_application(app_context)
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
        yield Api(app, client)


def as_text(answer: httpx2.Response) -> str:
    """Return the JSON of an answer, in one order of keys."""
    return json.dumps(answer.json(), sort_keys=True)
