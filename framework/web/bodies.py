"""What comes with a request: bounded, and to the API plain, strict JSON only."""

from __future__ import annotations

from starlette import types as asgi

from framework.strict_json import JsonError, loads
from framework.web.headers import path_of, single
from framework.web.origins import SAFE_METHODS
from framework.web.problems import Problem
from framework.web.rules import Rules

MAX_BODY = 2_000_000  # bytes
API = "/api/"


class Bodies:
    """Read the body before anything acts on it, counting: too large 413, no JSON 415, not strict JSON 422."""

    def __init__(self, app: asgi.ASGIApp, rules: Rules) -> None:  # noqa: ARG002  # as all protections
        self._app = app

    async def __call__(self, scope: asgi.Scope, receive: asgi.Receive, send: asgi.Send) -> None:
        length = single(scope, b"content-length")
        if scope["method"] in SAFE_METHODS and not length and single(scope, b"transfer-encoding") is None:
            await self._app(scope, receive, send)
            return
        body = await _read(receive, length)
        if body is None:
            return
        if body:
            _check(scope, body)
        await self._app(scope, _again(body, receive), send)


async def _read(receive: asgi.Receive, length: str | None) -> bytes | None:
    """Return the whole body, None where the client has gone."""
    if length is not None and (not length.isdecimal() or int(length[:20]) > MAX_BODY):
        raise _too_large()
    parts, size, more = [], 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > MAX_BODY:
            raise _too_large()
        more = message.get("more_body", False)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _check(scope: asgi.Scope, body: bytes) -> None:
    if (single(scope, b"content-encoding") or "identity") != "identity":
        raise Problem(415, "UNSUPPORTED_MEDIA_TYPE", "a compressed body is not read")
    media_type = (single(scope, b"content-type") or "").partition(";")[0].strip().lower()
    is_json = media_type == "application/json" or media_type.endswith("+json")
    if not is_json and path_of(scope).startswith(API):
        raise Problem(415, "UNSUPPORTED_MEDIA_TYPE", "the API takes JSON: send `Content-Type: application/json`")
    if is_json:
        try:
            loads(body, max_bytes=MAX_BODY)
        except JsonError as error:
            raise Problem(422, "INVALID_JSON", f"the body is not plain JSON: {error}") from None


def _again(body: bytes, receive: asgi.Receive) -> asgi.Receive:
    """Return what gives the body once more, and then whatever else comes."""
    given = False

    async def receive_again() -> asgi.Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive_again


def _too_large() -> Problem:
    return Problem(
        413, "BODY_TOO_LARGE", f"the body is larger than {MAX_BODY:,} bytes", headers={"Connection": "close"}
    )
