"""Only requests for a name of ours: a web page whose own name was pointed at this address sends its own."""

from __future__ import annotations

from starlette import types as asgi

from framework.web.headers import single
from framework.web.problems import Problem
from framework.web.rules import Rules

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})


class Hosts:
    """Refuse a request whose Host is neither allowed nor the very address that it came in on (DNS rebinding)."""

    def __init__(self, app: asgi.ASGIApp, rules: Rules) -> None:
        self._app = app
        named = {rules.settings.http_host, *rules.settings.http_allowed_hosts}
        self._allowed = LOOPBACK_NAMES | {host_name(name) for name in named}

    async def __call__(self, scope: asgi.Scope, receive: asgi.Receive, send: asgi.Send) -> None:
        name = host_name(single(scope, b"host") or "")
        if not name or not (name in self._allowed or "*" in self._allowed or name == _own_address(scope)):
            raise Problem(
                421,
                "HOST_NOT_ALLOWED",
                f"this server does not answer for the host {name[:100]!r}; list it in FRAMEWORK_HTTP_ALLOWED_HOSTS",
            )
        await self._app(scope, receive, send)


def host_name(value: str) -> str:
    """Return the name or address of a Host header, or of an allowed host, without port and brackets."""
    value = value.strip().lower()
    if value.startswith("["):
        return value[1:].partition("]")[0]
    return value if value.count(":") > 1 else value.partition(":")[0].rstrip(".")


def _own_address(scope: asgi.Scope) -> str:
    server = scope.get("server")
    return str(server[0]).removeprefix("::ffff:") if server else ""
