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
from framework.web.signing_in import SessionOver, SignedOut, token_of

ACCESS_SERVICE = "core.access.service"
ANONYMOUS = Caller("anonymous", Door.API, frozenset())
LOCAL = Caller("local", Door.API)


class Authentication:
    """Find out who is calling, for all that happens further on; who brings nothing is `ANONYMOUS`.

    As long as no token exists, and http_auth is `auto`, a program on this machine needs none. A wrong token is refused
    everywhere, and a token is never looked for in the URL. The one that a browser keeps counts for pages only.
    """

    def __init__(self, app: asgi.ASGIApp, rules: Rules) -> None:
        self._app, self._authorize, self._pages = app, rules.authorize, rules.pages
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
        kept = token_of(scope) if path_of(scope) in self._pages else None
        return ANONYMOUS if kept is None else await self._of_browser(kept, scope)

    async def _of_browser(self, token: str, scope: asgi.Scope) -> Caller:
        who: Caller | None = await self._access.verify(token, Door.DASHBOARD) if self._access else None
        if who is None:
            raise SessionOver(scope)
        return who

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
        self._pages = rules.pages if rules.authorize is None else ()

    async def __call__(self, scope: asgi.Scope, receive: asgi.Receive, send: asgi.Send) -> None:
        if caller() is ANONYMOUS and path_of(scope) not in self._open_paths:
            raise SignedOut(scope) if path_of(scope) in self._pages else NoToken()
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
