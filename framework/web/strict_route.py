"""Routes that take no parameter which they do not know, and say so where the database is away."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import parse_qsl

from fastapi.routing import APIRoute
from sqlalchemy.exc import DBAPIError
from starlette.requests import Request
from starlette.responses import Response

from framework.database import is_transient
from framework.errors import did_you_mean
from framework.web.plain_asking import plain_answer
from framework.web.problems import Problem

TRY_AGAIN = {"Retry-After": "5"}

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class StrictRoute(APIRoute):
    """What routers of modules are made of: `APIRouter(route_class=StrictRoute)`."""

    def get_route_handler(self) -> Handler:
        """Return what answers a request."""
        answer = super().get_route_handler()
        plainly = plain_answer(self)
        known = frozenset(parameter.alias for parameter in self.dependant.query_params)

        async def strictly(request: Request) -> Response:
            query = _read(request.scope["query_string"], known)
            try:
                answered = None if plainly is None else await plainly(request, query)
                return await answer(request) if answered is None else answered
            except DBAPIError as error:
                if not is_transient(error):
                    raise
                problem = "the database does not answer now; try again"
                raise Problem(503, "DATABASE_AWAY", problem, headers=TRY_AGAIN) from error

        return strictly


def _read(query: bytes, known: frozenset[str]) -> dict[str, str]:
    """Return the query; of a parameter that comes twice, the last counts.

    One that nobody reads is refused: a filter that is misspelt would widen the answer.
    """
    given = dict(parse_qsl(query.decode("latin-1"), keep_blank_values=True)) if query else {}
    for name in given:
        if name not in known:
            problem = f"there is no parameter {name!r:.100}{did_you_mean(name[:100], known)}"
            details = {"problems": [{"field": name[:100], "message": "not a parameter of this route"}]}
            raise Problem(422, "INVALID_REQUEST", problem, details)
    return given
