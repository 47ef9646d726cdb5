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
from framework.web.event_stream import EventStream
from framework.web.problems import Problem
from framework.web.scopes import requires
from modules.core.scheduler.dashboard.refreshing import Refreshing
from modules.core.scheduler.dashboard.rendering import Templates, main_of
from modules.core.scheduler.service import SchedulerService

FORM_COOKIE, SAID_COOKIE = "chamberlain_form", "chamberlain_said"
FORM_KEY = secrets.token_urlsafe(16)  # stands in a page until it is known whose it is
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
        self._refreshing = Refreshing(app_context)

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
            async def text(request: Request, who: Caller) -> tuple[str, int]:
                try:
                    with calling(who):
                        return self._text(request, template, await show(request), who), 200
                except ResultError as refusal:
                    status = 404 if refusal.error.code in NOT_FOUND else 422
                    return self._text(request, "refused.html", {"error": refusal.error}, who), status

            async def answer(request: Request) -> Response:
                if EventStream.media_type in request.headers.get("accept", ""):
                    return self._live(request, text)
                return self._page(request, *await text(request, _at_the_dashboard()))

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

    def _text(self, request: Request, template: str, values: Values, who: Caller) -> str:
        said = unquote(request.cookies.get(SAID_COOKIE, ""))
        return self._templates.render(request, template, values | {"form_key": FORM_KEY, "said": said, "who": who})

    def _live(self, request: Request, text: Callable[[Request, Caller], Awaitable[tuple[str, int]]]) -> Response:
        """Answer the same address with what is new on it, for as long as it is looked at."""
        form_key, who = request.cookies.get(FORM_COOKIE, ""), replace(_at_the_dashboard(), name="")

        async def make() -> str:
            return main_of((await text(request, who))[0])

        address = (request.scope.get("root_path", ""), request.url.path, request.url.query, who.scopes)
        return EventStream(self._refreshing.follow(address, make, lambda made: made.replace(FORM_KEY, form_key)))

    def _page(self, request: Request, text: str, status: int) -> Response:
        form_key = request.cookies.get(FORM_COOKIE) or secrets.token_urlsafe(16)
        response = HTMLResponse(text.replace(FORM_KEY, form_key), status)
        if FORM_COOKIE not in request.cookies:
            _set(request, response, FORM_COOKIE, form_key)
        if SAID_COOKIE in request.cookies:
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
