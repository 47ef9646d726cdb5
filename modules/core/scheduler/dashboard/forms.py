"""Forms: only those that this browser was given are heard, and each leads to a page that says what became of it."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from urllib.parse import parse_qsl, quote, urlsplit

from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from framework.result import Error
from framework.web.problems import Problem

FORM_COOKIE, SAID_COOKIE = "chamberlain_form", "chamberlain_said"
MAX_FIELDS = 1_000

Form = Mapping[str, str]


def fields(body: bytes) -> Form:
    """Return the fields of a form that was sent."""
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MAX_FIELDS))
    except ValueError:
        raise Problem(422, "INVALID_REQUEST", "the form cannot be read: UTF-8, and not so many fields") from None


def must_be_ours(request: Request, form: Form) -> None:
    """Refuse a form that does not carry what this browser was given."""
    mine = request.cookies.get(FORM_COOKIE, "")
    if not mine or not secrets.compare_digest(mine.encode(), form.get("form_key", "").encode()):
        raise Problem(403, "FORM_EXPIRED", "this form is not of a page that this browser was given; load it again")


def local(request: Request, wanted: str, otherwise: str | None = None) -> str:
    """Return the path to go on to, never one of another site; by default otherwise the overview."""
    if is_ours(wanted):
        return wanted
    return path_to(request) if otherwise is None else otherwise


def is_ours(wanted: str) -> bool:
    """Tell whether an address is a path of this site, as a browser reads it: of three slashes, the third is not one."""
    parts = urlsplit(wanted)
    is_path = wanted.startswith("/") and not wanted.startswith("//") and "\\" not in wanted
    return is_path and not parts.scheme and not parts.netloc


def go(request: Request, where: str, *, said: str = "", refusal: Error | None = None) -> Response:
    """Lead to a page that says what was done, or why not."""
    response = RedirectResponse(where, 303)
    text = said if refusal is None else f"!{refusal.message}"
    keep(request, response, SAID_COOKIE, quote(text[:500]), max_age=60)
    return response


def path_to(request: Request, path: str = "/") -> str:
    """Return the address of a page, wherever the application is mounted."""
    return f"{request.scope.get('root_path', '')}{path}"


def keep(request: Request, response: Response, name: str, value: str, max_age: int | None = None) -> None:
    """Let the browser keep a value that no script and no other site can use."""
    is_secure = request.url.scheme == "https"
    response.set_cookie(
        name, value, max_age=max_age, path=path_to(request), httponly=True, samesite="strict", secure=is_secure
    )
