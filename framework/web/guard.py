"""What stands before every request, from the outside in; each protection is a layer of its own.

The body is read last, so that nobody who is refused anyway makes the server read and parse two megabytes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from starlette import types as asgi

from framework.web.answers import Answers
from framework.web.authentication import Admission, Authentication
from framework.web.bodies import Bodies
from framework.web.hosts import Hosts
from framework.web.origins import Origins
from framework.web.proxies import proxies
from framework.web.rates import Attempts, Rates
from framework.web.rules import Rules
from framework.web.security_headers import SecurityHeaders

Protection = Callable[[asgi.ASGIApp, Rules], asgi.ASGIApp]

PROTECTIONS: tuple[Protection, ...] = (
    SecurityHeaders,
    Answers,
    Hosts,
    proxies,
    Origins,
    Attempts,
    Authentication,
    Rates,
    Admission,
    Bodies,
)


def guarded(app: asgi.ASGIApp, rules: Rules, protections: Sequence[Protection] = PROTECTIONS) -> asgi.ASGIApp:
    """Return the application behind its protections; what is not HTTP does not get through."""
    inner = app
    for protection in reversed(protections):
        inner = protection(inner, rules)

    async def guard(scope: asgi.Scope, receive: asgi.Receive, send: asgi.Send) -> None:
        if scope["type"] == "http":
            await inner(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": "there are no web sockets here"})

    return guard
