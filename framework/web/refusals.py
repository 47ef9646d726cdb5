"""How a refusal is answered: to a program with its document, to a browser with a page, where a module makes one."""

from __future__ import annotations

import logging

from starlette.requests import Request
from starlette.responses import Response

from framework.context import AppContext
from framework.web.bodies import API
from framework.web.headers import path_of
from framework.web.problems import Problem

log = logging.getLogger(__name__)


def refused(app_context: AppContext, request: Request, problem: Problem) -> Response:
    """Return the answer to a request that is refused; who has not signed in is led there by the problem itself."""
    page = app_context.refusal_page
    wants_page = "text/html" in request.headers.get("accept", "") and not path_of(request.scope).startswith(API)
    if page is None or not wants_page or problem.status == 401:
        return problem.response()
    try:
        shown: Response = page(request, problem)
    except Exception:  # the boundary: a refusal is answered, whatever becomes of its page
        log.exception("the page of a refusal could not be made")
        return problem.response()
    shown.headers.update(problem.headers)
    return shown
