"""Signing in with a token, where one is needed, and out again."""

from __future__ import annotations

from fastapi import Depends, Request
from fastapi.responses import RedirectResponse, Response

from framework.caller import Door, Scope, caller
from framework.web.authentication import access_service
from framework.web.scopes import anyone, requires
from framework.web.signing_in import SIGN_IN, note_wrong_token, sign_in, sign_out
from modules.core.scheduler.dashboard.desk import Desk
from modules.core.scheduler.dashboard.forms import fields, go, local, must_be_ours

WRONG = "This is no token that is let in: it is misspelt, revoked, or has expired."


def add(desk: Desk) -> None:
    """Add the page and what it does."""

    @desk.router.get(SIGN_IN, dependencies=[Depends(anyone)])
    async def login(request: Request) -> Response:
        where = request.query_params.get("next", "/")
        if caller().scopes:
            return RedirectResponse(desk.path(request, "/"), 303)
        return desk.page(request, "login.html", {"next": where, "wrong": ""})

    @desk.router.post(SIGN_IN, dependencies=[Depends(anyone)])
    async def sign_in_here(request: Request) -> Response:
        form = fields(await request.body())
        must_be_ours(request, form)
        token, where = form.get("token", "").strip(), form.get("next", "/")
        access = access_service(desk.app_context)
        if access is None or await access.verify(token, Door.DASHBOARD) is None:
            note_wrong_token(request)
            return desk.page(request, "login.html", {"next": where, "wrong": WRONG}, 401)
        response = RedirectResponse(desk.path(request, local(request, where, "/")), 303)
        sign_in(request, response, token)
        return response

    @desk.router.post("/logout", dependencies=[Depends(requires(Scope.READ, page=True))])
    async def logout(request: Request) -> Response:
        must_be_ours(request, fields(await request.body()))
        response = go(request, desk.path(request, SIGN_IN), said="You are signed out.")
        sign_out(request, response)
        return response
