"""What every screen stands on: who looks, which template, and what becomes of a form."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, Response

from framework.caller import Caller, Door, Scope, caller, calling
from framework.context import AppContext
from framework.doctor import examine_running
from framework.finding import Finding
from framework.result import ResultError
from framework.web.event_stream import EventStream
from framework.web.problems import Problem
from framework.web.scopes import requires
from modules.core.scheduler.dashboard.forms import (
    FORM_COOKIE,
    SAID_COOKIE,
    Form,
    fields,
    go,
    keep,
    local,
    must_be_ours,
    path_to,
)
from modules.core.scheduler.dashboard.refreshing import Refreshing
from modules.core.scheduler.dashboard.refusing_pages import told_of
from modules.core.scheduler.dashboard.remembering import Remembered
from modules.core.scheduler.dashboard.rendering import Templates, main_of
from modules.core.scheduler.examining import unwell
from modules.core.scheduler.service import SchedulerService

LINTED = 1_000  # tasks that a page tells the findings of
FORM_KEY = secrets.token_urlsafe(16)  # stands in a page until it is known whose it is
NOT_FOUND = frozenset({"TASK_NOT_FOUND", "EXECUTION_NOT_FOUND", "CLEANUP_NOT_FOUND", "PLAN_NOT_FOUND"})

__all__ = ["Desk", "Form", "Values"]

Values = dict[str, Any]
Show = Callable[[Request], Awaitable[Values]]
Act = Callable[[Request, Form], Awaitable[tuple[str, str | None]]]
Fill = Callable[[Request, Form], Awaitable[tuple[str, str | None] | Values]]


class Desk:
    """Makes screens and actions out of plain functions, all with the same manners."""

    def __init__(self, app_context: AppContext) -> None:
        self.app_context = app_context
        self.clock = app_context.clock
        self.router = APIRouter(include_in_schema=False)
        app_context.show_refusals(self.refused)
        self._templates = Templates(app_context)
        self._refreshing = Refreshing(app_context)
        self.anew = self._refreshing.anew
        self.findings = Remembered(app_context.clock, self._lint, self.anew)
        app_context.on_stopping(self.findings.close)
        self.examined = Remembered(app_context.clock, self._examine, self.anew)
        app_context.on_stopping(self.examined.close)

    async def _examine(self) -> list[Finding]:
        return [*await examine_running(self.app_context), *await unwell(self.app_context)]

    async def _lint(self) -> Values:
        return (await self.scheduler.lint(LINTED)).unwrap()

    @property
    def scheduler(self) -> SchedulerService:
        """The service that everything is asked of."""
        return self.app_context.get_service(SchedulerService)

    def path(self, request: Request, path: str) -> str:
        """Return the address of a page, wherever the application is mounted."""
        return path_to(request, path)

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

            self.router.get(path, name=show.__qualname__, dependencies=[Depends(requires(scope, page=True))])(answer)
            return show

        return decorate

    def action(self, path: str, *, scope: Scope) -> Callable[[Act], Act]:
        """Let a form do what a function does; it returns what to say, and where to go on (None: where one was).

        A refusal is said where one was. Only a form that this browser was given is heard.
        """

        def decorate(act: Act) -> Act:
            async def answer(request: Request) -> Response:
                form = fields(await request.body())
                must_be_ours(request, form)
                back = local(request, form.get("back", ""))
                try:
                    with calling(_at_the_dashboard()):
                        said, where = await act(request, form)
                except ResultError as refusal:
                    return go(request, back, refusal=refusal.error)
                return go(request, back if where is None else where, said=said)

            self.router.post(path, name=act.__qualname__, dependencies=[Depends(requires(scope, page=True))])(answer)
            return act

        return decorate

    def form(self, path: str, template: str, *, scope: Scope) -> Callable[[Fill], Fill]:
        """Let a form do what a function does, as `action`; or show it again, where the function returns values."""

        def decorate(fill: Fill) -> Fill:
            async def answer(request: Request) -> Response:
                form = fields(await request.body())
                must_be_ours(request, form)
                try:
                    with calling(_at_the_dashboard()):
                        done = await fill(request, form)
                except ResultError as refusal:
                    return go(request, local(request, form.get("back", "")), refusal=refusal.error)
                if isinstance(done, dict):
                    return self.page(request, template, done, 422 if done["problems"] else 200)
                return go(request, done[1] or path_to(request), said=done[0])

            self.router.post(path, name=fill.__qualname__, dependencies=[Depends(requires(scope, page=True))])(answer)
            return fill

        return decorate

    def page(self, request: Request, template: str, values: Values, status: int = 200) -> Response:
        """Return a page that is no screen: it does not change by itself."""
        return self._page(request, self._text(request, template, values, _at_the_dashboard()), status)

    def refused(self, request: Request, problem: Problem) -> Response:
        """Return the page that says what was refused; it changes nothing of what this browser was given."""
        text = self._text(request, "refused.html", told_of(request, problem), _at_the_dashboard())
        return HTMLResponse(text.replace(FORM_KEY, request.cookies.get(FORM_COOKIE, "")), problem.status)

    def _text(self, request: Request, template: str, values: Values, who: Caller) -> str:
        said = unquote(request.cookies.get(SAID_COOKIE, ""))
        return self._templates.render(request, template, {"form_key": FORM_KEY, "said": said, "who": who} | values)

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
            keep(request, response, FORM_COOKIE, form_key)
        if SAID_COOKIE in request.cookies:
            response.delete_cookie(SAID_COOKIE, path=path_to(request))
        return response


def _at_the_dashboard() -> Caller:
    return replace(caller(), door=Door.DASHBOARD)
