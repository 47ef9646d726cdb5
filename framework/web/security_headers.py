"""What a browser is told about every answer."""

from __future__ import annotations

from starlette import types as asgi

from framework.web.rules import Rules

ALWAYS = {
    "content-security-policy": "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",  # where it is no-referrer, a browser names no Origin to a form over plain HTTP
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
_ALWAYS = [(name.encode(), value.encode()) for name, value in ALWAYS.items()]
_NOT_KEPT = (b"cache-control", b"no-store")


class SecurityHeaders:
    """Add the headers to every answer; nothing is kept in a cache that does not say for how long."""

    def __init__(self, app: asgi.ASGIApp, rules: Rules) -> None:  # noqa: ARG002  # as all protections
        self._app = app

    async def __call__(self, scope: asgi.Scope, receive: asgi.Receive, send: asgi.Send) -> None:
        async def with_headers(message: asgi.Message) -> None:
            if message["type"] == "http.response.start":
                own = list(message.get("headers", ()))
                named = {name for name, _ in own}
                kept = [] if b"cache-control" in named else [_NOT_KEPT]
                message = {**message, "headers": [*own, *(each for each in _ALWAYS if each[0] not in named), *kept]}
            await send(message)

        await self._app(scope, receive, with_headers)
