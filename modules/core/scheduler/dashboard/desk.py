"""What every screen stands on: who looks, which template, and what becomes of a form."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from framework.caller import Caller, Door, Scope, caller, calling
from framework.context import AppContext
from framework.result import Error, ResultError
from framework.web.problems import Problem
from framework.web.scopes import requires
from modules.core.scheduler.dashboard.rendering import Templates
from modules.core.scheduler.service import SchedulerService

FORM_COOKIE, SAID_COOKIE = "chamberlain_form", "chamberlain_said"
MAX_FIELDS = 1_000
NOT_FOUND = frozenset({"TASK_NOT_FOUND", "EXECUTION_NOT_FOUND", "CLEANUP_NOT_FOUND", "PLAN_NOT_FOUND"})

Values = dict[str, Any]
Show = Callable[[Request], Awaitable[Values]]
Form = Mapping[str, str]
Act = Callable[[Request, Form], Awaitable[tuple[str, str | None]]]


class Desk:
    """Makes screens and actions out of plain functions, all with the same manners."""

    def __init__(self, app_context: AppContext) -> None:
        self.app_context = app_context
        self.clock = app_context.clock
        self.router = APIRouter(include_in_schema=False)
        self._templates = Templates(app_context)

    @property
    def scheduler(self) -> SchedulerService:
        """The service that everything is asked of."""
        return self.app_context.get_service(SchedulerService)

    def path(self, request: Request, path: str) -> str:
        """Return the address of a page, wherever the application is mounted."""
        return _path(request, path)

    def screen(self, path: str, template: str, *, scope: Scope = Scope.READ) -> Callable[[Show], Show]:
        """Serve what a function returns, the values of a template; a refusal becomes a page that says so."""

        def decorate(show: Show) -> Show:
            async def answer(request: Request) -> Response:
                try:
                    with calling(_at_the_dashboard()):
                        values, status = await show(request), 200
                        return self._page(request, template, values, status)
                except ResultError as refusal:
                    status = 404 if refusal.error.code in NOT_FOUND else 422
                    return self._page(request, "refused.html", {"error": refusal.error}, status)

            self.router.get(path, name=show.__qualname__, dependencies=[Depends(requires(scope))])(answer)
            return show

        return decorate

    def action(self, path: str, *, scope: Scope) -> Callable[[Act], Act]:
        """Let a form do what a function does; it returns what to say, and where to go on (None: where one was).

        A refusal is said where one was. Only a form that this browser was given is heard.
        """

        def decorate(act: Act) -> Act:
            async def answer(request: Request) -> Response:
                form = _fields(await request.body())
                _must_be_ours(request, form)
                back = _local(request, form.get("back", ""))
                try:
                    with calling(_at_the_dashboard()):
                        said, where = await act(request, form)
                except ResultError as refusal:
                    return _go(request, back, refusal=refusal.error)
                return _go(request, back if where is None else where, said=said)

            self.router.post(path, name=act.__qualname__, dependencies=[Depends(requires(scope))])(answer)
            return act

        return decorate

    def _page(self, request: Request, template: str, values: Values, status: int) -> Response:
        form_key = request.cookies.get(FORM_COOKIE) or secrets.token_urlsafe(16)
        said = unquote(request.cookies.get(SAID_COOKIE, ""))
        text = self._templates.render(request, template, values | {"form_key": form_key, "said": said, "who": caller()})
        response = HTMLResponse(text, status)
        if FORM_COOKIE not in request.cookies:
            _set(request, response, FORM_COOKIE, form_key)
        if said:
            response.delete_cookie(SAID_COOKIE, path=_path(request))
        return response


def _at_the_dashboard() -> Caller:
    return replace(caller(), door=Door.DASHBOARD)


def _fields(body: bytes) -> Form:
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MAX_FIELDS))
    except ValueError:
        raise Problem(422, "INVALID_REQUEST", "the form cannot be read: UTF-8, and not so many fields") from None


def _must_be_ours(request: Request, form: Form) -> None:
    mine = request.cookies.get(FORM_COOKIE, "")
    if not mine or not secrets.compare_digest(mine.encode(), form.get("form_key", "").encode()):
        raise Problem(403, "FORM_EXPIRED", "this form is not of a page that this browser was given; load it again")


def _local(request: Request, wanted: str) -> str:
    """Return the path to go back to, never one of another site."""
    parts = urlsplit(wanted)
    is_ours = not parts.scheme and not parts.netloc and wanted.startswith("/") and "\\" not in wanted
    return wanted if is_ours else _path(request)


def _go(request: Request, where: str, *, said: str = "", refusal: Error | None = None) -> Response:
    response = RedirectResponse(where, 303)
    text = said if refusal is None else f"!{refusal.message}"
    _set(request, response, SAID_COOKIE, quote(text[:500]), max_age=60)
    return response


def _path(request: Request, path: str = "/") -> str:
    return f"{request.scope.get('root_path', '')}{path}"


def _set(request: Request, response: Response, name: str, value: str, max_age: int | None = None) -> None:
    is_secure = request.url.scheme == "https"
    response.set_cookie(
        name, value, max_age=max_age, path=_path(request), httponly=True, samesite="strict", secure=is_secure
    )
