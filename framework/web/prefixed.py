"""Served below a path of a proxy's, whether the proxy passes that path on or takes it away."""

from __future__ import annotations

from starlette import types as asgi


class Prefixed:
    """Let every address that is answered begin with a root path, such as `/ops`; without one nothing changes."""

    def __init__(self, app: asgi.ASGIApp, root_path: str) -> None:
        self._app, self._root = app, root_path

    async def __call__(self, scope: asgi.Scope, receive: asgi.Receive, send: asgi.Send) -> None:
        if self._root and scope["type"] == "http":
            path = str(scope["path"])
            is_whole = path == self._root or path.startswith(f"{self._root}/")
            scope = {**scope, "root_path": self._root, "path": path if is_whole else self._root + path}
        await self._app(scope, receive, send)
