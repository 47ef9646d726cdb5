"""Whatever is raised further in becomes an answer, and a mistake of the program a line in the log."""

from __future__ import annotations

import logging

from starlette import types as asgi
from starlette.requests import Request

from framework.caller import calling
from framework.web.authentication import ANONYMOUS
from framework.web.problems import Problem
from framework.web.refusals import refused
from framework.web.rules import Rules

log = logging.getLogger(__name__)


class Answers:
    """Answer a `Problem` as it is, and everything else with 500, which says nothing of what went wrong."""

    def __init__(self, app: asgi.ASGIApp, rules: Rules) -> None:
        self._app, self._app_context = app, rules.app_context

    async def __call__(self, scope: asgi.Scope, receive: asgi.Receive, send: asgi.Send) -> None:
        has_begun = False

        async def noting(message: asgi.Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self._app(scope, receive, noting)
        except Problem as problem:
            answer = problem
        except Exception as error:  # the boundary: nothing that a route raises reaches the server
            log.exception("a request failed: %s %s", scope["method"], scope["path"])
            answer = Problem(500, "INTERNAL_ERROR", "the server failed; its log says how")
            answer.__cause__ = error
        else:
            return
        if not has_begun:
            with calling(ANONYMOUS):
                response = refused(self._app_context, Request(scope), answer)
            await response(scope, receive, send)
