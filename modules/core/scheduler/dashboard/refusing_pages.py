"""What a browser shows where a page or a form is refused: a page that says what to do, not a document for programs."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import urlsplit

from fastapi import Request
from fastapi.responses import Response
from fastapi.routing import APIRoute

from framework.web.problems import Problem

ADVICE = {
    "FORM_EXPIRED": "Nothing was changed. Load the page again, and send the form once more.",
    "FORBIDDEN": "Nothing was changed. Sign out, and sign in with a token that has this scope.",
    "INVALID_REQUEST": "Nothing was changed. Go back, and try once more.",
}

Answer = Callable[[Request, Problem, str], Response]


def route_class(answer: Answer) -> type[APIRoute]:
    """Return the class of routes whose refusals a browser is shown by `answer`, with the page that it came from.

    Where nobody has signed in, the way to sign in stands; and whoever asks for no page gets the problem document.
    """

    class PageRoute(APIRoute):
        """A route for people."""

        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            handle = super().get_route_handler()

            async def handled(request: Request) -> Response:
                try:
                    return await handle(request)
                except Problem as problem:
                    if problem.status == 401 or "text/html" not in request.headers.get("accept", ""):
                        raise
                    return answer(request, problem, came_from(request))

            return handled

    return PageRoute


def came_from(request: Request) -> str:
    """Return the path of the page on which the reader was, empty where that was none of this site."""
    parts = urlsplit(request.headers.get("referer", ""))
    if parts.netloc != request.headers.get("host") or not parts.path.startswith("/"):
        return ""
    return parts.path + (f"?{parts.query}" if parts.query else "")
