"""A shop with routes of every scope, who may enter it, and clients that knock at its guarded door."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import httpx2
from example_modules import MEMORY
from fastapi import APIRouter, Body, Depends
from starlette import types as asgi

from framework import AppContext, Application, Module
from framework.caller import Caller, Door, Scope, caller
from framework.result import Result
from framework.testing import FakeClock
from framework.web.assembling import open_paths, web_application
from framework.web.guard import PROTECTIONS, Protection, guarded
from framework.web.problems import unwrapped
from framework.web.rules import Authorize, Rules
from framework.web.scopes import anyone, requires

HERE, ELSEWHERE, PROXY = "127.0.0.1", "198.51.100.7", "10.0.0.1"
READER, KEEPER = "the reader's token", "the keeper's token"
SCOPES = {READER: Scope.READ, KEEPER: Scope.ADMIN}


class Shop(Module):
    """Routes of a module."""

    id = "acme.shop"

    def register(self, app_context: AppContext) -> None:
        app_context.add_routes(self.routes)

    def routes(self, app_context: AppContext) -> APIRouter:
        router = APIRouter(prefix="/api/shop")

        @router.get("/phase", dependencies=[Depends(anyone)])
        async def phase() -> str:
            return app_context.phase.value

        @router.get("/window/{thing}", dependencies=[Depends(anyone)])
        async def look(thing: str) -> str:
            return thing

        @router.post("/window/{thing}", dependencies=[Depends(requires(Scope.OPERATE))])
        async def put(thing: str) -> str:
            return thing

        @router.get("/who", dependencies=[Depends(requires(Scope.READ))])
        async def who() -> str:
            return caller().name

        @router.get("/gone", dependencies=[Depends(requires(Scope.READ))])
        async def gone() -> Any:
            return unwrapped(Result.error("SOLD_OUT", "nothing is left", {"since": "Monday"}), {"SOLD_OUT": 409})

        @router.post("/order", dependencies=[Depends(requires(Scope.OPERATE))])
        async def order(goods: Annotated[dict[str, Any], Body()]) -> dict[str, Any]:
            return goods

        @router.post("/close", dependencies=[Depends(requires(Scope.OPERATE))])
        async def close(after: int = 0) -> int:
            return after

        @router.get("/broken", dependencies=[Depends(requires(Scope.READ))])
        async def broken() -> None:
            raise RuntimeError("the secret of the shop")

        return router


class Keys(Module):
    """Tokens without a database: those that are in `tokens`."""

    id = "core.access"

    def __init__(self, tokens: Mapping[str, Scope] = SCOPES) -> None:
        self.tokens = dict(tokens)
        self.asked: list[str] = []

    def register(self, app_context: AppContext) -> None:
        app_context.add_service("core.access.service", self)

    async def any_exist(self) -> bool:
        return bool(self.tokens)

    async def verify(self, token: str) -> Caller | None:
        self.asked.append(token)
        scope = self.tokens.get(token)
        return None if scope is None else Caller(token, Door.API, frozenset({scope}))


@dataclass
class Street:
    """A running shop; `client` is one that comes from an address, with a token or none."""

    app_context: AppContext
    app: asgi.ASGIApp

    def client(self, address: str = HERE, token: str | None = None, **headers: str) -> httpx2.AsyncClient:
        """Return a client whose requests all carry these headers."""
        if token is not None:
            headers["authorization"] = f"Bearer {token}"
        transport = httpx2.ASGITransport(self.app, client=(address, 50_000))
        return httpx2.AsyncClient(transport=transport, base_url="http://localhost:8000", headers=headers)

    async def ask(self, method: str, path: str, address: str = HERE, token: str | None = None, **more: Any) -> Any:
        """Return the answer to one request."""
        async with self.client(address, token) as client:
            return await client.request(method, path, **more)


@contextlib.asynccontextmanager
async def open_shop(
    *further: Module,
    protections: Sequence[Protection] = PROTECTIONS,
    authorize: Authorize | None = None,
    mounted: bool = False,
    **settings: Any,
) -> AsyncIterator[Street]:
    """A shop behind its guard; `settings` are the framework's."""
    own = {"framework": {**MEMORY["framework"], **settings}}
    async with Application(modules=[Shop(), *further], settings=own, clock=FakeClock()) as app_context:
        app = web_application(app_context)
        rules = Rules(app_context, open_paths(app), mounted=mounted, authorize=authorize)
        yield Street(app_context, guarded(app, rules, protections))
