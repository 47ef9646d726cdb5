"""Whatever is raised further in becomes an answer, and a mistake of the program a line in the log."""

from __future__ import annotations

import logging

from starlette import types as asgi

from framework.web.problems import Problem
from framework.web.rules import Rules

log = logging.getLogger(__name__)


class Answers:
    """Answer a `Problem` with its document and everything else with 500, which says nothing of what went wrong."""

    def __init__(self, app: asgi.ASGIApp, rules: Rules) -> None:  # noqa: ARG002  # as all protections
        self._app = app

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
            await answer.response()(scope, receive, send)
