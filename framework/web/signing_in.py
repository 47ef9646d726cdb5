"""Signed in in a browser: a token in a cookie, which counts for pages that say so, and for nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from starlette import types as asgi
from starlette.requests import HTTPConnection, Request
from starlette.responses import RedirectResponse, Response

from framework.web.headers import path_of, single
from framework.web.problems import NoToken, WrongToken

COOKIE = "chamberlain_token"
SIGN_IN = "/login"
LASTS = 12 * 3600  # seconds until a browser forgets the token
WRONG = "wrong_token"  # in the state of a request: a token that a form brought was none


def token_of(scope: asgi.Scope) -> str | None:
    """Return the token that a browser keeps, None where it keeps none."""
    return HTTPConnection(scope).cookies.get(COOKIE) if single(scope, b"cookie") else None


def sign_in(request: Request, response: Response, token: str) -> None:
    """Let the browser keep a token: no script can read it, and no other site's page can use it."""
    response.set_cookie(
        COOKIE,
        token,
        max_age=LASTS,
        path=_root(request.scope),
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )


def sign_out(request: Request, response: Response) -> None:
    """Let the browser forget it."""
    response.delete_cookie(COOKIE, path=_root(request.scope), httponly=True, samesite="strict")


def note_wrong_token(request: Request) -> None:
    """Let a wrong token that came in a form count as one that came in a header."""
    request.scope.setdefault("state", {})[WRONG] = True


def _back_to(scope: asgi.Scope) -> str:
    if scope["method"] != "GET" or path_of(scope) == "/":
        return ""
    query = scope["query_string"].decode("latin-1")
    return f"?next={quote(path_of(scope) + (f'?{query}' if query else ''), safe='/')}"


def _root(scope: Mapping[str, object]) -> str:
    return f"{scope.get('root_path', '')}/"


def _way(scope: asgi.Scope, otherwise: Response) -> Response:
    """Return the way to where one signs in and back, for a browser; for any other client what it gets otherwise."""
    wants_page = "text/html" in (single(scope, b"accept") or "")
    way = RedirectResponse(_root(scope) + SIGN_IN[1:] + _back_to(scope), 303) if wants_page else otherwise
    sign_out(Request(scope), way)
    return way


class SignedOut(NoToken):
    """Nobody has signed in."""

    def __init__(self, scope: asgi.Scope) -> None:
        super().__init__()
        self._scope = scope

    def response(self) -> Response:
        """Lead a browser to where one signs in."""
        return _way(self._scope, super().response())


class SessionOver(WrongToken):
    """What the browser keeps is no token any more."""

    def __init__(self, scope: asgi.Scope) -> None:
        super().__init__("the token of this browser is unknown, revoked, or has expired; sign in again")
        self._scope = scope

    def response(self) -> Response:
        """Lead a browser to where one signs in."""
        return _way(self._scope, super().response())
