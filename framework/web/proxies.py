"""Whose word counts for where a request came from."""

from __future__ import annotations

from typing import Any

from starlette import types as asgi
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from framework.web.rules import Rules


def proxies(app: asgi.ASGIApp, rules: Rules) -> asgi.ASGIApp:
    """Take the client's address from X-Forwarded-For where a trusted proxy has sent it, and from nobody else."""
    trusted = list(rules.settings.http_trusted_proxies)
    if not trusted:
        return app
    untyped: Any = app  # their types of the same thing differ in name only
    believing: Any = ProxyHeadersMiddleware(untyped, trusted)
    return believing  # type: ignore[no-any-return]
