"""Who is calling: a bearer token, the user's own authentication, or somebody on this machine."""

from __future__ import annotations

from typing import Any

from starlette import types as asgi
from starlette.requests import Request

from framework.caller import Caller, Door, caller, calling
from framework.context import AppContext
from framework.errors import ServiceMissing
from framework.web.headers import is_from_here, path_of, single
from framework.web.problems import NoToken, WrongToken
from framework.web.rules import Rules

ACCESS_SERVICE = "core.access.service"
ANONYMOUS = Caller("anonymous", Door.API, frozenset())
LOCAL = Caller("local", Door.API)


class Authentication:
    """Find out who is calling, for all that happens further on; who brings nothing is `ANONYMOUS`.

    As long as no token exists, and http_auth is `auto`, a program on this machine needs none. A wrong token is refused
    everywhere, and a token is never looked for in the URL.
    """

    def __init__(self, app: asgi.ASGIApp, rules: Rules) -> None:
        self._app, self._authorize = app, rules.authorize
        self._access = access_service(rules.app_context)
        self._local_needs_none = rules.settings.http_auth == "auto" and not rules.mounted

    async def __call__(self, scope: asgi.Scope, receive: asgi.Receive, send: asgi.Send) -> None:
        with calling(await self._who(scope)):
            await self._app(scope, receive, send)

    async def _who(self, scope: asgi.Scope) -> Caller:
        if self._authorize is not None:
            return await self._authorize(Request(scope)) or ANONYMOUS
        authorization = single(scope, b"authorization")
        if authorization is not None:
            return await self._of_token(authorization)
        if self._local_needs_none and is_from_here(scope) and not await any_token(self._access):
            return LOCAL
        return ANONYMOUS

    async def _of_token(self, authorization: str) -> Caller:
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise WrongToken
        who: Caller | None = await self._access.verify(token.strip()) if self._access else None
        if who is None:
            raise WrongToken("this token is unknown, revoked, or has expired")
        return who


class Admission:
    """Refuse who is not known, but for the paths that are open to anybody."""

    def __init__(self, app: asgi.ASGIApp, rules: Rules) -> None:
        self._app, self._open_paths = app, rules.open_paths

    async def __call__(self, scope: asgi.Scope, receive: asgi.Receive, send: asgi.Send) -> None:
        if caller() is ANONYMOUS and path_of(scope) not in self._open_paths:
            raise NoToken
        await self._app(scope, receive, send)


def access_service(app_context: AppContext) -> Any:
    """Return the service that knows the tokens, None where the application has none."""
    try:
        return app_context.get_service(ACCESS_SERVICE)
    except ServiceMissing:
        return None


async def any_token(access: Any) -> bool:
    """Tell whether there is a token that would be let in."""
    return access is not None and bool(await access.any_exist())
