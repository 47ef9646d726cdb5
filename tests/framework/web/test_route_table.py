"""Every route of the assembled application, against everybody who should not get through to it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import pytest
import pytest_asyncio
from example_modules import MEMORY
from shopping import ELSEWHERE, HERE, Street

from framework import Application
from framework.caller import Scope
from framework.web.assembling import open_paths, web_application
from framework.web.documentation import DOCS, OPENAPI, STYLE
from framework.web.guard import guarded
from framework.web.rules import Rules
from framework.web.scopes import Stated, stated

PREFIX = "/api/v1/scheduler"
HEALTH = {"/health", "/health/live", "/health/ready", "/health/started"}
OPEN = {*HEALTH, *(PREFIX + path for path in HEALTH), DOCS, OPENAPI, STYLE, "/assets/{name}", "/login"}
INCLUDES = {
    Scope.READ: set(Scope),
    Scope.OPERATE: {Scope.OPERATE, Scope.ADMIN},
    Scope.SCHEDULE: {Scope.SCHEDULE, Scope.ADMIN},
    Scope.ADMIN: {Scope.ADMIN},
}

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Town(NamedTuple):
    """The application with all its modules, its routes, and a token of each scope."""

    street: Street
    routes: list[Stated]
    tokens: dict[Scope, str]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    folder = str(tmp_path_factory.mktemp("data"))
    settings = {"framework": {**MEMORY["framework"], "data_dir": folder, "http_rate_limit": 0}}
    async with Application(settings=settings) as app_context:
        app = web_application(app_context)
        access = app_context.get_service("core.access.service")
        tokens = {scope: (await access.create(scope.value, [scope.value])).unwrap()["token"] for scope in Scope}
        street = Street(app_context, guarded(app, Rules(app_context, open_paths(app))))
        unlike = {getattr(route, "path", DOCS) for route in app.routes if not hasattr(route, "dependant")}
        assert unlike <= {DOCS, OPENAPI, STYLE}
        yield Town(street, list(stated(app.routes)), tokens)


def asked(route: Stated) -> tuple[str, str]:
    return min(route.methods - {"HEAD"}, default="GET"), re.sub(r"\{.*?\}", "x", route.path)


async def codes(town: Town, routes: list[Stated], **how: Any) -> dict[str, tuple[int, str]]:
    """Return the status and code with which each route refuses."""
    found = {}
    for number, route in enumerate(routes):
        method, path = asked(route)
        address = how.get("address", f"192.0.2.{number % 250 + 1}")  # so that no address has brought too many tokens
        answer = await town.street.ask(method, path, address, how.get("token"), headers=how.get("headers"))
        found[f"{method} {path}"] = (answer.status_code, answer.json()["code"])
    return found


async def test_only_what_tells_nothing_is_open(town: Town) -> None:
    open_routes = {route.path for route in town.routes if route.scope is None}

    assert open_routes <= OPEN
    assert len(town.routes) > len(open_routes)


async def test_nobody_gets_in_without_a_token_or_with_a_wrong_one(town: Town) -> None:
    closed = [route for route in town.routes if route.scope is not None]

    for address in (HERE, ELSEWHERE):
        assert set((await codes(town, closed, address=address)).values()) == {(401, "UNAUTHORIZED")}
    assert set((await codes(town, town.routes, token="wrong")).values()) == {(401, "UNAUTHORIZED")}


async def test_nobody_gets_in_under_another_name_or_from_a_page_of_another_site(town: Town) -> None:
    changing = [route for route in town.routes if min(route.methods) not in ("GET", "HEAD")]
    admin = town.tokens[Scope.ADMIN]

    names = await codes(town, town.routes, token=admin, headers={"host": "evil.example"})
    pages = await codes(town, changing, token=admin, headers={"origin": "http://evil.example"})

    assert set(names.values()) == {(421, "HOST_NOT_ALLOWED")}
    assert set(pages.values()) == {(403, "CROSS_SITE")}
    assert changing


async def test_nobody_gets_further_than_the_scope_of_the_token(town: Town) -> None:
    for scope, token in town.tokens.items():
        beyond = [route for route in town.routes if route.scope is not None and scope not in INCLUDES[route.scope]]

        assert set((await codes(town, beyond, token=token)).values()) <= {(403, "FORBIDDEN")}, scope


async def test_the_scope_that_a_route_names_is_enough(town: Town) -> None:
    for route in town.routes:
        method, path = asked(route)
        if route.scope is None or (method == "GET" and "stream" in path):
            continue
        answer = await town.street.ask(method, path, ELSEWHERE, town.tokens[route.scope])

        assert answer.status_code not in (401, 421, 429, 500), f"{method} {path}"
        assert answer.status_code != 403 or answer.json()["code"] != "FORBIDDEN", f"{method} {path}"
