"""No change on behalf of a web page of somebody else's, open in the browser of somebody who may make it."""

from __future__ import annotations

from starlette import types as asgi

from framework.web.headers import single
from framework.web.problems import Problem
from framework.web.rules import Rules

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class Origins:
    """Refuse what may change something and comes from a page of another origin.

    A browser says so in Sec-Fetch-Site, and where it does not (an older one, or plain HTTP) in Origin; a program sends
    neither. The rule is that of `http.CrossOriginProtection` in Go's standard library.
    """

    def __init__(self, app: asgi.ASGIApp, rules: Rules) -> None:  # noqa: ARG002  # as all protections
        self._app = app

    async def __call__(self, scope: asgi.Scope, receive: asgi.Receive, send: asgi.Send) -> None:
        if scope["method"] not in SAFE_METHODS and not _is_of_our_own_page(scope):
            raise Problem(403, "CROSS_SITE", "a page of another site may not change anything here")
        await self._app(scope, receive, send)


def _is_of_our_own_page(scope: asgi.Scope) -> bool:
    site = single(scope, b"sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = single(scope, b"origin")
    if origin is None:
        return True
    return origin.lower().partition("://")[2] == (single(scope, b"host") or "").lower()
