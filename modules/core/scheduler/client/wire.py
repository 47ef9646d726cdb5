"""Requests to a server and what it answers, in a thread of their own, with nothing but the standard library."""

from __future__ import annotations

import asyncio
import http.client
import json
from collections.abc import Mapping
from contextlib import closing
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from framework import strict_json
from framework.errors import FrameworkError
from framework.result import Result
from modules.core.scheduler.client.moments import plain, with_moments

PREFIX = "/api/v1/scheduler"
SECONDS = 60.0
MOST = 64_000_000  # bytes of an answer


class Unreachable(FrameworkError):  # noqa: N818  # says what is wrong, as the framework's own do
    """No server answers there, or what answers is not one of ours."""


class Wire:
    """One server. A token goes into a header and nowhere else; redirects are not followed."""

    def __init__(self, url: str, token: str | None = None, *, seconds: float = SECONDS) -> None:
        """Take a URL such as `http://127.0.0.1:8000`; raises `Unreachable` where it cannot be one."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query:
            raise Unreachable(f"{url!r} is not the URL of a server; write one like 'http://127.0.0.1:8000'")
        if token is not None and not (token.isascii() and token.isprintable()):
            raise Unreachable("the token holds characters that no token has, such as a line break")
        self.url = url
        self._parts = parts
        self._token = token
        self._seconds = seconds

    async def ask(
        self,
        method: str,
        *path: str,
        query: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        seconds: float | None = None,
    ) -> Result[Any]:
        """Return what a route answers, moments as datetimes; its problem document becomes the refusal that it is.

        Raises `Unreachable` where nothing answers within so many `seconds`, or nothing that is ours.
        """
        target = self.target(*path, query=query)
        return await asyncio.to_thread(self._ask, method, target, body, seconds or self._seconds)

    def target(self, *path: str, query: Mapping[str, Any] | None = None) -> str:
        """Return the path of a route, with what is asked for behind it."""
        given = {name: _as_query(value) for name, value in (query or {}).items() if value is not None}
        where = "/".join([self._parts.path.rstrip("/") + PREFIX, *(quote(part, safe="") for part in path)])
        return f"{where}?{urlencode(given)}" if given else where

    def _ask(self, method: str, target: str, body: Mapping[str, Any] | None, seconds: float) -> Result[Any]:
        text = None if body is None else json.dumps(dict(body), default=plain)
        headers = {"Accept": "application/json"} | ({} if text is None else {"Content-Type": "application/json"})
        headers |= {} if self._token is None else {"Authorization": f"Bearer {self._token}"}
        secure = self._parts.scheme == "https"
        kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        try:
            connection = kind(self._parts.hostname or "", self._parts.port, timeout=seconds)
            with closing(connection):
                connection.request(method, target, text, headers)
                response = connection.getresponse()
                return self._read(response.status, response.read(MOST + 1))
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise Unreachable(f"no server answers at {self.url}: {error}; does `chamberlain run` run there?") from error

    def _read(self, status: int, answer: bytes) -> Result[Any]:
        try:
            data = strict_json.loads(answer, max_bytes=MOST)
        except strict_json.JsonError:
            data = None
        if 200 <= status < 300 and data is not None:
            return Result.success(with_moments(data))
        if not isinstance(data, dict) or not isinstance(data.get("code"), str):
            raise Unreachable(f"what answers at {self.url} is no Chamberlain: HTTP {status} and no problem document")
        return Result.error(data["code"], str(data.get("detail")), data.get("details"))


def _as_query(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
